"""What a decision is made from. Spec: section 8.8.1.

Whoever asks `decide` fills these views from one fixed set of records, the *view* that the decision
names, so that anybody with the same records fills them alike. What they must hold:

- `OfferView`: one offer (or one slot of something that is lent), and what may be given of it *here
  and now*: the part of it, or the rights to it, that nobody was promised yet.
- `RequestView`: **every** request that is open in that view, not only those that look suitable: the
  gates sort them out, and an auditor looks for those that are missing. A provider's own requests
  may be among them. `metres` is `distance.metres_between` the places of offer and request, None if
  one of them has none. `first_posted_ms` survives a renewal. `now_before` counts the earlier
  requests of class `now` of the same collective in the policy's window. `grant_max` is less than
  what the requester declined from this offer before, if it did, and 0 in a pause after a lapse.
- `CollectiveView`: **every** collective of the commons, since the mean is over all of them.
  `received` is what it was given in the last `window_s` before `as_of_ms`, in milli-person-days,
  each receipt counted by `Policy.milli_person_days` of what was received.

Values beyond a cap of spec section 3 count as the cap.
"""

from dataclasses import dataclass

from mycelia_protocol.limits import QUANTITY_MAX


@dataclass(frozen=True, slots=True)
class OfferView:
    """What can be given away now.

    Attributes:
        left: base units that may be given.
        lot: the smallest part, in base units.
        minimum: the least that one request gets, in base units; rounded up to whole lots.
        carrier: how it travels; see `Policy.carriers`.
        from_ms, until_ms: when it can be fetched or brought.
        expires_ms: when it spoils, or the offer ends.
        audience: collectives that it is for; empty if for all.
    """

    id: bytes
    provider: bytes
    category: str
    unit: str
    left: int
    lot: int = 1
    minimum: int = 0
    carrier: str = "unknown"
    from_ms: int | None = None
    until_ms: int | None = None
    expires_ms: int | None = None
    audience: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class RequestView:
    """What somebody still needs.

    Attributes:
        lacking: base units that are neither granted nor received yet.
        urgency: class as declared: `now`, `days`, `week` or `anytime`.
        first_posted_ms: when it was first asked for.
        metres: from where the offer is; None if not known.
        substitutes: categories, or whole groups, that would do as well.
        needed_by_ms: when it is too late.
        expires_ms: when the request drops off the list.
        now_before: earlier requests of class `now` by the same collective.
        grant_max: base units that may be given at most.
    """

    id: bytes
    collective: bytes
    category: str
    unit: str
    lacking: int
    urgency: str
    first_posted_ms: int
    metres: int | None = None
    substitutes: tuple[str, ...] = ()
    needed_by_ms: int | None = None
    expires_ms: int | None = None
    now_before: int = 0
    grant_max: int = QUANTITY_MAX


@dataclass(frozen=True, slots=True)
class CollectiveView:
    """Who somebody is: how many, and what they have had.

    Attributes:
        members: people, at least 1; of an ecosystem as many as its policy or profile says.
        received: milli-person-days in the window.
        is_ecosystem: whether it is a river, a soil, an orchard, with people to speak for it.
    """

    id: bytes
    members: int = 1
    received: int = 0
    is_ecosystem: bool = False
