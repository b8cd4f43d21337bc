"""`withdraw`: an author takes back something of its own. Spec: section 7.7.

Withdrawing an offer burns what is left of it; grants and rights already given stand. Withdrawing a
grant puts its quantity back into its purse for good, even if an acceptance comes to light later,
unless the goods were handed over before in the same author's order. So does what was declined, or
was not answered in time, come back: by the granter's own record, never by anybody's clock.
"""

from dataclasses import dataclass

from mycelia_protocol.encoding import Value
from mycelia_protocol.limits import TEXT_SIZE_MAX
from mycelia_protocol.record import Record
from mycelia_protocol.schema import Body, Field
from mycelia_protocol.types.base import Facts, Statement

FIELDS = (
    Field("reason", "text", 0, TEXT_SIZE_MAX, required=False),
    Field("met_elsewhere", "bool", required=False),
)


@dataclass(frozen=True, slots=True)
class Withdraw:
    """Why, in words; of a request, whether it was met by somebody else."""

    reason: str
    met_elsewhere: bool


def content(reason: str = "") -> dict[str, Value]:
    """Return the body of a withdrawal."""
    return {"reason": reason} if reason else {}


def read(body: Body, record: Record) -> Withdraw:
    """Read a checked body."""
    return Withdraw(body.text("reason"), body.optional_flag("met_elsewhere"))


def withdrawals(facts: Facts, target: Statement[object]) -> list[Statement[Withdraw]]:
    """Return the withdrawals of a record by its author, in its order."""
    return [each for each in facts.about(target.id, Withdraw) if each.author == target.author]


def first_withdrawal(facts: Facts, target: Statement[object]) -> Statement[Withdraw] | None:
    """Return the withdrawal of a record that counts, its author's first, or None."""
    author = target.author
    for each in facts.about(target.id, Withdraw):  # in the author's order
        if each.author == author:
            return each
    return None
