"""What a planned post says, in the names that records and the local API share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from mycelia_protocol.encoding import Value
from mycelia_protocol.types.request import Request
from mycelia_sim.plan import Post

COMPLAINT: Final[Mapping[str, Value]] = {"matter": "not-as-described"}  # what a dispute says
DISPUTABLE: Final = ("accepted", "handed", "received", "returned")  # grants that it may be about


def thing_of(post: Post, began_ms: int) -> dict[str, Value]:
    """Return the fields of an offer or a request.

    Args:
        post: what somebody posts.
        began_ms: wall clock at the beginning of the workload.
    """
    thing: dict[str, Value] = {
        "category": post.category,
        "title": post.title,
        "quantity": post.quantity,
        "unit": post.unit,
    }
    if post.until_ms is not None:
        thing["expires_ms"] = began_ms + post.until_ms
    if post.kind == "request":
        return {**thing, "urgency": post.urgency}
    thing["lot"] = post.lot
    if post.slots:
        spans = tuple((began_ms + start, began_ms + end) for start, end in post.slots)
        thing |= {"terms": "lend", "slots": spans}
    return thing


def asked_again(wanted: Request, quantity: int) -> dict[str, Value]:
    """Return the fields of a request that is like this one, of another quantity and open."""
    return {
        "category": wanted.category,
        "title": wanted.title,
        "quantity": quantity,
        "unit": wanted.unit,
        "urgency": wanted.urgency,
    }


def renewal_of(post: Post, began_ms: int) -> dict[str, Value]:
    """Return until when something goes on that would have dropped off the list."""
    assert post.until_ms is not None
    return {"expires_ms": began_ms + post.until_ms}


def rights_of(post: Post, left: int, began_ms: int) -> dict[str, Value] | None:
    """Return what rights say besides who holds them: half of what is left, in whole lots.

    None if that is nothing. Of something lent the first slot is given.
    """
    quantity = left // 2 // post.lot * post.lot
    if not quantity:
        return None
    rights: dict[str, Value] = {"quantity": quantity}
    if post.until_ms is not None:
        rights["until_ms"] = began_ms + post.until_ms
    return rights
