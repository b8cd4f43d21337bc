"""What counts for nothing, since its author wrote two versions of a log."""

from mycelia_node.names import id_text, name_of
from mycelia_node.quantity import format_quantity
from mycelia_protocol.state import State
from mycelia_protocol.types.base import Statement
from mycelia_protocol.types.grant import Grant
from mycelia_protocol.types.offer import Offer
from mycelia_protocol.types.request import Request

Json = dict[str, object]


def summary(statement: Statement[object]) -> str:
    """Return what a contested statement said, as far as people may want to know."""
    body = statement.body
    if isinstance(body, Offer | Request):
        return (
            f"It said: {format_quantity(body.quantity, body.unit)} {body.title or body.category}."
        )
    return f"It said: {body.quantity} units." if isinstance(body, Grant) else ""


def contested_logs(state: State) -> list[Json]:
    """Return each forked log: whose it is, and from which record on it counts for nothing."""
    return [
        {
            "key": id_text("key", author),
            "name": name_of(state, author),
            "log": id_text("log", log),
            "seq": seq,
        }
        for author, log, seq in state.contested_logs()
    ]


def contested_things(state: State) -> list[Json]:
    """Return the offers and requests that count for nothing."""
    return [
        {
            "id": id_text("record", each.id),
            "kind": each.kind,
            "name": name_of(state, each.author),
            "title": each.body.title,
            "quantity": each.body.quantity,
            "unit": each.body.unit,
        }
        for each in state.contested()
        if isinstance(each.body, Offer | Request)
    ]
