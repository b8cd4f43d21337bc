"""Reading one record's body by its family, without taking it in. Spec: section 7.1."""

from collections.abc import Callable
from typing import Final, TypeAlias

from mycelia_protocol.body import WORDS, split_body
from mycelia_protocol.encoding import decode_proven
from mycelia_protocol.errors import EncodingError, LocalError, RecordError, SchemaError
from mycelia_protocol.record import Record
from mycelia_protocol.schema import Body, check
from mycelia_protocol.types import KINDS
from mycelia_protocol.types.base import Statement
from mycelia_protocol.types.decision import Decided, Settled
from mycelia_protocol.types.heads import View
from mycelia_protocol.types.view import Elided

GONE: Final[dict[str, type]] = {"decision": Settled, "view": Elided}  # what is left in compact form
FORMS: Final[dict[str, tuple[type, ...]]] = {  # as what kinds are read of which nothing may be left
    "decision": (Decided, Settled),
    "view": (View, Elided),
}
Reader: TypeAlias = Callable[[Record, int], Statement[object] | None]


def read_again(record: Record, depth: int = 0) -> Statement[object]:
    """Return what a record says whose body was read before, but for its words.

    So nothing is checked, which is most of the work.

    Raises:
        LocalError: it says nothing; then it was not read before.
    """
    facts = None if record.body is None else decode_proven(split_body(record.body).facts)
    if not isinstance(facts, dict):
        raise LocalError("this was no statement before")
    kind = KINDS[record.kind]
    body = kind.read(Body({name: facts[name] for name in facts if name not in WORDS}), record)
    order = (depth, record.log, record.seq)
    return Statement(
        record.id, record.author, record.log, kind.name, record.time_ms, record.refs, order, body
    )


def read_statement(record: Record, depth: int = 0) -> Statement[object] | None:
    """Return what a record says.

    Args:
        depth: where the record's log stands among its author's (`Incarnation.depth`).

    Returns:
        None if the body is malformed or the kind is not known here.
    """
    kind = KINDS.get(record.kind)
    if kind is None:
        return None
    body: object
    try:
        kind.check_refs(len(record.refs))
        if record.body is None and record.kind in GONE:
            body = GONE[record.kind]()
        else:
            body = kind.read(check(record.content, kind.fields), record)
    except (EncodingError, RecordError, SchemaError):
        return None
    return Statement(
        record.id,
        record.author,
        record.log,
        kind.name,  # one text for all, and not the one that was decoded
        record.time_ms,
        record.refs,
        (depth, record.log, record.seq),
        body,
    )
