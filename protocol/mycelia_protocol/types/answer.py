"""`answer`: a requester accepts or declines a grant. Spec: section 7.9.

Only the author of the request answers, and only its first answer to a grant counts.
"""

from dataclasses import dataclass

from mycelia_protocol.encoding import Value
from mycelia_protocol.record import Record
from mycelia_protocol.schema import Body, Field
from mycelia_protocol.types.base import Facts, Statement

FIELDS = (Field("accept", "bool"),)


@dataclass(frozen=True, slots=True)
class Answer:
    """Yes or no."""

    accept: bool


def content(accept: bool) -> dict[str, Value]:
    """Return the body of an answer."""
    return {"accept": accept}


def read(body: Body, record: Record) -> Answer:
    """Read a checked body."""
    return Answer(body.flag("accept"))


def first_answers(facts: Facts, requester: bytes, grants: list[bytes]) -> list[Statement[Answer]]:
    """Return the requester's first answer to each of these grants, in the requester's order."""
    firsts = [answer for grant in grants if (answer := first_answer(facts, requester, grant))]
    return sorted(firsts, key=lambda statement: statement.order)


def first_answer(facts: Facts, requester: bytes, grant: bytes) -> Statement[Answer] | None:
    """Return the answer that counts for a grant, or None if there is none yet."""
    answers = [item for item in facts.about(grant, Answer) if item.author == requester]
    return min(answers, key=lambda statement: statement.order, default=None)
