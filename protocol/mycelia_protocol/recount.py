"""An offer that its people count anew, since the node may not remember all it promised. Spec: 6.6.

They withdraw it, which burns what nobody was promised and leaves all promises as they are, and
offer what lies on the shelf and is promised to nobody, as a new offer in the present log.
"""

from dataclasses import replace

from mycelia_protocol.encoding import Value
from mycelia_protocol.errors import LocalError
from mycelia_protocol.purses import is_past
from mycelia_protocol.state import State
from mycelia_protocol.types.base import Statement
from mycelia_protocol.types.offer import Offer, content
from mycelia_protocol.types.promises import times_of


def counted_anew(
    state: State, offer: Statement[Offer], quantity: int, now_ms: int
) -> dict[str, Value]:
    """Return the body of an offer that is like this one, of another quantity.

    Args:
        state: what is known.
        offer: an own one.
        quantity: base units; of something lent, in each slot.
        now_ms: a clock; slots that are over are left out.

    Raises:
        LocalError: its words were erased, or its time is over.
    """
    if not offer.body.title:
        raise LocalError("its words were erased; offer it anew by hand")
    times = times_of(state, offer)
    slots = tuple(slot for slot in offer.body.slots if not is_past(slot.until_ms, now_ms))
    is_over = bool(offer.body.slots) and not slots
    if is_over or is_past(times.expires_ms, now_ms) or is_past(times.until_ms, now_ms):
        raise LocalError("its time is over; nothing of it can be granted any more")
    again = replace(
        offer.body,
        quantity=quantity,
        minimum=min(offer.body.minimum, quantity),
        slots=slots,
        expires_ms=times.expires_ms,
        until_ms=times.until_ms,
    )
    return content(again)
