"""What may still be granted, and by whom: the bounded counter. Spec: section 8.3.1.

**Nothing is promised twice**, on any replica, from any set of records. A *purse* is what a grant
spends: an offer, which is its author's, or `rights`, which are their holder's. Each purse is spent
by one author alone, and every replica walks that author's records in their own order:

    offer     + its quantity, + renewals, + returns that the author names, - rights given, - grants
    rights    + their quantity, - returns, - grants in the one log that they were given to

A grant that its author takes back before it handed anything over gives its quantity back. What does
not fit is *overdrawn*: it holds nothing, and is counted as a violation of its author. Whether a
grant was asked for, accepted or declined plays no part; so nobody but its owner can change what a
purse holds, and a lost message costs availability, never safety.

    granted by the author + free + rights given - returns taken in = offered + renewed
    granted by the holder + free + returned                        = rights given

Sources: Balegas et al. 2015 (bounded counter); Barbara and Garcia-Molina 1994 (demarcation).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from mycelia_protocol.types.base import Facts, Order, Statement
from mycelia_protocol.types.decision import DECISIONS
from mycelia_protocol.types.grant import Grant
from mycelia_protocol.types.ledger import (
    Entry,
    Ledger,
    Outcome,
    Spend,
    in_order,
    is_grant,
    taken_back,
)
from mycelia_protocol.types.offer import Offer
from mycelia_protocol.types.renew import Renew
from mycelia_protocol.types.returns import Return
from mycelia_protocol.types.rights import Rights
from mycelia_protocol.types.withdraw import Withdraw, first_withdrawal

TELLING: Final[tuple[type, ...]] = (Grant, Rights, Withdraw, Renew)  # by them an account changes


@dataclass(frozen=True, slots=True)
class Account:
    """What follows for an offer from the records of its author.

    Attributes:
        ledger: the walk's outcome; `free` is 0 once the offer was withdrawn.
        supply: base units that were offered in all, in all slots, with what came by renewals.
        burnt: base units that were free when the offer was withdrawn, or came back after that.
        credited: rights id -> base units that came back and were taken in.
        named: returns that were taken in, or refused for good.
        withdrawn: whether the author took back what was left.
    """

    ledger: Ledger
    supply: int
    burnt: int
    credited: dict[bytes, int]
    named: frozenset[bytes]
    withdrawn: bool

    @property
    def free(self) -> tuple[int, ...]:
        """Base units that the author may still grant, by slot."""
        return tuple(self.ledger.free)


@dataclass(frozen=True, slots=True)
class Purse:
    """What follows for rights from the records of their holder.

    Attributes:
        outcome: whether they hold in the issuer's account; if not, nothing can be spent.
        ledger: the walk's outcome.
        returned: base units that the holder gave back.
    """

    outcome: Outcome
    ledger: Ledger
    returned: int

    @property
    def free(self) -> int:
        """Base units that the holder may still grant."""
        return self.ledger.free[0]


def grants_from(facts: Facts, purse: bytes) -> Iterator[Statement[Grant]]:
    """Yield the grants that name an offer or rights as their purse, by author and order."""
    return (grant for grant in facts.about(purse, Grant) if grant.refs[0] == purse)


def rights_from(facts: Facts, offer: bytes) -> Iterator[Statement[Rights]]:
    """Yield the rights that name an offer, by author and order."""
    return (rights for rights in facts.about(offer, Rights) if rights.refs[0] == offer)


def offer_of(facts: Facts, spend: Spend) -> Statement[Offer] | None:
    """Return the offer that a grant or rights are of, at one remove if the grant spends rights."""
    rights = facts.find(spend.refs[0], Rights) if is_grant(spend) else None
    return facts.find(spend.refs[0] if rights is None else rights.refs[0], Offer)


def renewals(facts: Facts, thing: Statement[object]) -> list[Statement[Renew]]:
    """Return the renewals of an offer or a request that count, in its author's order (RENEW-2)."""
    found = facts.about(thing.id, Renew)
    if not found:
        return []
    withdrawal = first_withdrawal(facts, thing)
    return [
        each
        for each in found
        if each.author == thing.author and (withdrawal is None or each.order < withdrawal.order)
    ]


def is_untold(facts: Facts, offer: bytes) -> bool:
    """Return whether nobody said anything on which an offer's account rests, or its times."""
    return not any(facts.about(offer, family) for family in TELLING)


def derive_account(facts: Facts, statement: Statement[object]) -> Account:
    """Walk what the author of an offer spent of it, and took back (ESC-3, ESC-4)."""
    offer = facts.find(statement.id, Offer)
    assert offer is not None
    body = offer.body
    if is_untold(facts, offer.id):  # so are most, and there is nothing to walk
        return Account(Ledger(body.amounts), sum(body.amounts), 0, {}, frozenset(), False)
    credit = _Credit(facts)
    ledger = Ledger(body.amounts)
    withdrawal = first_withdrawal(facts, offer)
    renewed = _renewed(facts, offer)
    entries: list[Entry | _Renewed] = [*in_order(facts, _spends_of(facts, offer)), *renewed]
    for entry in sorted(entries, key=_order):
        if isinstance(entry, _Renewed):
            ledger.free[0] += entry.amount
            continue
        if entry.is_back:
            ledger.take_back(entry.spend.id, entry.index, body.inexhaustible)
            continue
        for index, amount in credit.take(entry.spend, ledger.given, body):
            ledger.free[index] += amount
        is_late = withdrawal is not None and entry.order > withdrawal.order
        if is_late or not ledger.spend(entry.spend, entry.index, body.inexhaustible):
            if credit.is_doubtful and not is_late:
                ledger.waiting.add(entry.spend.id)
            else:
                ledger.overdrawn.append(entry.spend.id)
    burnt = 0
    if withdrawal is not None:
        burnt = sum(ledger.free)
        ledger.free = [0] * body.slot_count
    supply = sum(body.amounts) + sum(entry.amount for entry in renewed)
    named = frozenset(credit.named)
    return Account(ledger, supply, burnt, credit.amounts, named, withdrawal is not None)


def derive_purse(facts: Facts, statement: Statement[object]) -> Purse:
    """Walk what a holder spent of its rights (ESC-5).

    Returns come first, wherever they stand, so that the issuer can rely on them. So what a grant
    took and gave back before a return must not count either: an honest holder returned it.
    """
    rights = facts.find(statement.id, Rights)
    assert rights is not None
    body = rights.body
    offer = facts.find(rights.refs[0], Offer)
    if offer is None:
        return Purse("waiting", Ledger([0]), 0)
    outcome = account_of(facts, offer.id).ledger.outcome(rights.id)
    if outcome != "held":
        return Purse(outcome, Ledger([0]), 0)
    lot = offer.body.lot
    given_back = (each.body.quantity for each in sound_returns(facts, rights, lot))
    returned = min(sum(given_back), body.quantity)
    ledger = Ledger([body.quantity - returned])
    for grant in grants_from(facts, rights.id):  # in the holder's order
        is_holders = (grant.author, grant.log, grant.body.slot) == (body.to, body.log, body.slot)
        if not is_holders or grant.body.quantity % lot:
            continue
        if taken_back(facts, grant) is not None:
            ledger.back.add(grant.id)
        elif not ledger.spend(grant, 0):
            ledger.overdrawn.append(grant.id)
    return Purse(outcome, ledger, returned)


def sound_returns(facts: Facts, rights: Statement[Rights], lot: int) -> Iterator[Statement[Return]]:
    """Yield the returns by the holder of rights, in whole lots."""
    for each in facts.about(rights.id, Return):
        if each.author == rights.body.to and each.body.quantity % lot == 0:
            yield each


def creditable(facts: Facts, offer: Statement[Offer]) -> Iterator[tuple[int, Statement[Return]]]:
    """Yield (slot's index, return) of what came back and its author may name now, by rights.

    Rights that were given to a contested log are frozen: nobody knows what was handed over.
    """
    account = account_of(facts, offer.id)
    for rights_id in account.ledger.given:
        rights = facts.find(rights_id, Rights)
        index = offer.body.slot_index(rights.body.slot) if rights else None
        if rights is None or index is None or facts.is_forked((rights.body.to, rights.body.log)):
            continue
        left = rights.body.quantity - account.credited.get(rights_id, 0)
        for back in sound_returns(facts, rights, offer.body.lot):
            if back.id not in account.named and back.body.quantity <= left:
                left -= back.body.quantity
                yield index, back


def account_of(facts: Facts, offer: bytes) -> Account:
    """Return the remembered account of an offer that is here."""
    account = facts.derived(offer)
    assert isinstance(account, Account)
    return account


def purse_of(facts: Facts, rights: bytes) -> Purse:
    """Return the remembered purse of rights that are here."""
    purse = facts.derived(rights)
    assert isinstance(purse, Purse)
    return purse


def outcome_of(facts: Facts, grant: Statement[Grant]) -> Outcome:
    """Say what a grant takes from the purse that it names."""
    purse = grant.refs[0]
    if facts.find(purse, Offer) is not None:
        return account_of(facts, purse).ledger.outcome(grant.id)
    if facts.find(purse, Rights) is None:
        return "waiting"
    rights = purse_of(facts, purse)
    if rights.outcome == "held":
        return rights.ledger.outcome(grant.id)
    return "waiting" if rights.outcome == "waiting" else "void"


@dataclass(frozen=True, slots=True)
class _Renewed:
    """A place in an author's order where more of an offer came."""

    order: Order
    amount: int


def _order(entry: Entry | _Renewed) -> Order:
    """Return where something stands."""
    return entry.order


def _renewed(facts: Facts, offer: Statement[Offer]) -> list[_Renewed]:
    """Return where more of a renewing offer came, in whole lots (RENEW-2)."""
    if not offer.body.renewing:
        return []
    amounts = [(each.order, each.body.quantity) for each in renewals(facts, offer)]
    return [
        _Renewed(order, amount)
        for order, amount in amounts
        if amount is not None and amount % offer.body.lot == 0
    ]


def _spends_of(facts: Facts, offer: Statement[Offer]) -> Iterator[tuple[Spend, int]]:
    """Yield the grants and rights of an offer by its author that are sound, with their slots."""
    spends: list[Spend] = [*grants_from(facts, offer.id), *rights_from(facts, offer.id)]
    for spend in spends:
        index = offer.body.slot_index(spend.body.slot)
        if spend.author != offer.author or index is None or spend.body.quantity % offer.body.lot:
            continue
        if isinstance(spend.body, Rights) and (
            spend.body.to == offer.author or offer.body.inexhaustible
        ):
            continue
        yield spend, index


class _Credit:
    """What came back to an offer's author, and was named by it in its own log (ESC-4).

    A return counts where it is named, once, and at most as much as was given; so what its author
    may spend follows from its own log and from what that names.
    """

    def __init__(self, facts: Facts) -> None:
        self.is_doubtful = False  # something was named that is not here
        self.amounts: dict[bytes, int] = {}
        self.named: set[bytes] = set()
        self._facts = facts

    def take(
        self, spend: Spend, given: dict[bytes, int], offer: Offer
    ) -> Iterator[tuple[int, int]]:
        """Yield (slot's index, base units) of what a grant or rights name and that counts."""
        for ref in spend.refs[2 if is_grant(spend) else 1 :]:
            if any(self._facts.find(ref, family) for family in DECISIONS):
                continue
            back = self._facts.find(ref, Return)
            rights = self._facts.find(back.refs[0], Rights) if back is not None else None
            if back is None or rights is None:
                self.is_doubtful = True
                continue
            if ref in self.named or rights.id not in given:
                continue
            self.named.add(ref)
            amount = self.amounts.get(rights.id, 0) + back.body.quantity
            is_sound = back.author == rights.body.to and back.body.quantity % offer.lot == 0
            index = offer.slot_index(rights.body.slot)
            if is_sound and index is not None and amount <= given[rights.id]:
                self.amounts[rights.id] = amount
                yield index, back.body.quantity
