"""Draws of what people do besides giving away: they lend, and let others grant for them."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Final

from mycelia_protocol.limits import LEASE_MARGIN_MS
from mycelia_sim.plan import Post
from mycelia_sim.streams import Stream

SLOTS: Final = 3  # most slots of one loan
SLOT_MS: Final = (4_000, 15_000)
ENTRUST_MS: Final = (100, 2_000)  # after the offer
LEASED: Final = 0.5  # share of rights that end
HELD_MS: Final = (2_000, 30_000)  # until a holder returns what it did not grant
FAR: Final = 4  # weight of a holder on another side


def draw_slots(
    stream: Stream, share: float, at_ms: int, duration_ms: int
) -> tuple[tuple[int, int], ...]:
    """Return when something is lent, from the time of the offer on; nothing if it is given away.

    All of it is over when the workload is, so that nothing happens by itself after that.
    """
    if not share or stream.fraction() >= share:
        return ()
    ends = [max(0, at_ms)]
    for _ in range(stream.integer(1, SLOTS)):
        ends.append(ends[-1] + stream.integer(*SLOT_MS))
    return tuple(pairwise(end for end in ends if end < duration_ms))


def draw_rights(
    stream: Stream,
    share: float,
    offer: Post,
    n: int,
    sides: Mapping[str, str],
    duration_ms: int,
) -> Post | None:
    """Return the post that lets somebody else grant half of what is left of an offer, or None.

    Mostly it is one on another side: it is for the time when nobody gets there.

    Args:
        stream: what is drawn from.
        share: how likely it is.
        offer: what is given of.
        n: number of the post.
        sides: node -> side, of all who ever write.
        duration_ms: of the workload; what would be returned later is given for ever.
    """
    others = [node for node in sorted(sides) if node != offer.node]
    if not share or stream.fraction() >= share or not others:
        return None
    weights = [FAR if sides[node] != sides[offer.node] else 1 for node in others]
    at_ms = offer.at_ms + stream.integer(*ENTRUST_MS)
    is_leased, held_ms = stream.fraction() < LEASED, stream.integer(*HELD_MS)
    ends_ms = at_ms + held_ms if is_leased and at_ms + held_ms < duration_ms else None
    if at_ms >= duration_ms:
        return None
    return Post(
        n=n,
        at_ms=at_ms,
        node=offer.node,
        kind="rights",
        category=offer.category,
        title=offer.title,
        quantity=0,
        unit=offer.unit,
        lot=offer.lot,
        urgency=None,
        of=offer.n,
        slots=offer.slots,
        to=stream.weighted(others, weights),
        until_ms=None if ends_ms is None else ends_ms + LEASE_MARGIN_MS,
    )
