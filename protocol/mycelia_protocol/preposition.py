"""Rights given ahead of an outage, so that each side of a cut can go on granting. Spec: 8.5.

Not normative: the accounts of section 8.3.1 make any sharing out safe. What stands here is a
function of the state alone. There is no message that asks for rights: the state itself shows who
has run low, so an answer can't be given twice, and nothing has to be remembered.

    total     what the custodian and all holders together can still grant of an offer, in lots
    reserve   half of it, rounded up, stays with the custodian, whatever happens
    targets   the rest, split by what members asked for so far; those who asked stand for their part
              of the town, since nobody knows beforehand where the cut will be
    low       a holder with less than half of its target is given what is missing, the poorest first
    high      a holder gives back what is above its target, if the custodian has nothing to give and
              another holder has nothing; or is low, and this one has twice its target

Nothing moves once all are near their targets, and each move brings somebody nearer to its own; so
it comes to rest. Lots are never broken, what is lent in slots is left alone (it has to come back to
where it was lent), and a lease brings rights back from holders that fell silent for good.

Sources: Barbara and Garcia-Molina 1994 (demarcation); Balegas et al. 2015 (bounded counter).
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from mycelia_protocol.crypto import digest
from mycelia_protocol.publish import Draft
from mycelia_protocol.purses import Stock, is_past
from mycelia_protocol.sharing.categories import group_of
from mycelia_protocol.state import State
from mycelia_protocol.types import returns
from mycelia_protocol.types import rights as rights_
from mycelia_protocol.types.accounts import account_of, creditable, purse_of
from mycelia_protocol.types.base import Statement
from mycelia_protocol.types.offer import Offer
from mycelia_protocol.types.rights import Rights

HOLDERS_MAX: Final = 8  # of one offer; each costs a record now and then
LEASE_MS: Final = 7 * 86_400_000  # an outage may last that long; see `LEASE_MARGIN_MS`
ASKED_BITS_MAX: Final = 10  # lots asked for count up to 1,023: nobody gets all by asking for much

Asked: TypeAlias = Mapping[tuple[str, str], Mapping[bytes, int]]  # (group, unit) -> key -> units


@dataclass(frozen=True, slots=True)
class Layout:
    """Who has how much of an offer, and who should have.

    Attributes:
        free: lots that the custodian can grant or give now.
        reserve: lots that stay with it.
        held: holder -> lots that it can still grant, of all who hold rights or should.
        targets: holder -> lots that it should have.
    """

    free: int
    reserve: int
    held: dict[bytes, int]
    targets: dict[bytes, int]

    @property
    def spare(self) -> int:
        """Lots that the custodian can give away."""
        return max(0, self.free - self.reserve)

    def low(self) -> list[bytes]:
        """Return the holders that should be given something, the poorest first."""
        found = [one for one, target in self.targets.items() if 2 * self.held[one] < target]
        return sorted(found, key=lambda one: self.held[one] * 1_000 // self.targets[one])

    def excess(self, holder: bytes) -> int:
        """Return how many lots a holder should give back, 0 for none."""
        target, held = self.targets.get(holder, 0), self.held.get(holder, 0)
        others = [one for one in self.low() if one != holder]
        if self.spare or held <= target or not others:
            return 0
        is_urgent = any(not self.held[one] for one in others)
        return held - target if is_urgent or held >= 2 * target else 0


def give_ahead(state: State, key: bytes, shelf: Sequence[Stock], now_ms: int) -> Iterator[Draft]:
    """Yield rights to own offers for the holders that have run low.

    Args:
        state: what is known.
        key: this node's.
        shelf: what it may spend, and nothing of which was promised since.
        now_ms: its clock.
    """
    own = [
        stock for stock in shelf if stock.purse == stock.offer.id and _is_splittable(stock.offer)
    ]
    asked = asked_so_far(state) if own else {}
    for stock in own:
        lot, credits_ = stock.offer.body.lot, stock.credits
        layout = layout_of(state, stock.offer, stock.left, asked, now_ms)
        spare = layout.spare
        for holder in layout.low():
            lots = min(layout.targets[holder] - layout.held[holder], spare)
            log = state.latest_log(holder)
            if lots <= 0 or log is None:
                break
            content = rights_.content(holder, log, lots * lot, until_ms=now_ms + LEASE_MS)
            yield Draft(None, "rights", content, (stock.offer.id, *credits_))
            credits_ = ()  # named once, they stay
            spare -= lots


def give_up(state: State, key: bytes, shelf: Sequence[Stock], now_ms: int) -> Iterator[Draft]:
    """Yield returns of rights that another holder needs more; never of what was given for good.

    Only of those that came to this node by themselves look like these: what a person gave for good,
    without a lease, stays.

    Args:
        state: what is known.
        key: this node's.
        shelf: what it may spend, and nothing of which was promised since.
        now_ms: its clock.
    """
    held = [stock for stock in shelf if stock.purse != stock.offer.id]
    asked = asked_so_far(state) if held else {}
    excess: dict[bytes, int] = {}
    for stock in held:
        offer, rights = stock.offer, state.find(stock.purse, Rights)
        if rights is None or rights.body.until_ms is None or not _is_splittable(offer):
            continue
        if offer.id not in excess:
            left = account_of(state, offer.id).free[0]
            left += sum(back.body.quantity for _, back in creditable(state, offer))
            layout = layout_of(state, offer, left, asked, now_ms)
            excess[offer.id] = layout.excess(key) * offer.body.lot
        quantity = min(excess[offer.id], stock.left)
        excess[offer.id] -= quantity
        if quantity:
            yield Draft(None, "return", returns.content(quantity), (stock.purse,))


def layout_of(
    state: State, offer: Statement[Offer], left: int, asked: Asked, now_ms: int
) -> Layout:
    """Return who has how much of an offer and who should have.

    Args:
        state: what is known.
        offer: one that can be used up, without slots.
        left: base units that its custodian can spend.
        asked: what members asked for so far.
        now_ms: a clock, for leases.
    """
    lot = offer.body.lot
    units: Counter[bytes] = Counter()
    for rights_id in account_of(state, offer.id).ledger.given:
        rights = state.find(rights_id, Rights)
        if rights is None or is_past(rights.body.until_ms, now_ms):
            continue
        if rights.body.log == state.latest_log(rights.body.to):
            units[rights.body.to] += purse_of(state, rights_id).free
    total = (left + units.total()) // lot
    reserve = (total + 1) // 2
    targets = split(total - reserve, _weights(state, offer, asked))
    held = {holder: units[holder] // lot for holder in sorted({*units, *targets})}
    return Layout(left // lot, reserve, held, targets)


def split(lots: int, weights: Mapping[bytes, int]) -> dict[bytes, int]:
    """Split whole lots by weights of 1 and more; what is left over goes to the largest remainders.

    Ties go by the order of the weights.
    """
    total = sum(weights.values())
    shares = {one: lots * weight // total for one, weight in weights.items()}
    rest = sorted(weights, key=lambda one: -(lots * weights[one] % total))
    for one in rest[: lots - sum(shares.values())]:
        shares[one] += 1
    return shares


def asked_so_far(state: State) -> Asked:
    """Return what each member ever asked for, by group of category and unit."""
    asked: dict[tuple[str, str], Counter[bytes]] = {}
    for (author, category, unit), quantity in state.asked_for():
        asked.setdefault((group_of(category), unit), Counter())[author] += quantity
    return asked


def _weights(state: State, offer: Statement[Offer], asked: Asked) -> dict[bytes, int]:
    """Return the weights of those who should hold rights to an offer, the heaviest first.

    Powers of two, so that not every new request moves everything. Ties go by a hash, so that each
    offer has other holders.
    """
    body = offer.body
    units = asked.get((group_of(body.category), body.unit), {})
    weights = {
        member: 1 << min((units.get(member, 0) // body.lot).bit_length(), ASKED_BITS_MAX)
        for member in state.roster()
        if member != offer.author and state.latest_log(member) is not None
    }
    found = sorted(weights, key=lambda one: (-weights[one], digest("preposition", offer.id, one)))
    return {member: weights[member] for member in found[:HOLDERS_MAX]}


def _is_splittable(offer: Statement[Offer]) -> bool:
    """Return whether parts of an offer can be granted by others: it is finite and given away."""
    return not offer.body.inexhaustible and not offer.body.slots
