"""Who promised what from where, added up by plain arithmetic over all disks together.

Nothing here is the protocol's own code. A node that has not heard of something yet did nothing
wrong, so what all disks hold counts, in whatever order it came.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from mycelia_sim.audit import Held
from mycelia_sim.evidence import SHORT


@dataclass(slots=True)
class Entries:
    """What was spent from one purse, or accepted for one request.

    Attributes:
        whole: base units that there are.
        spends: what takes from them.
        credits: base units that came back, or that went back more than once.
    """

    thing: Held
    verb: str
    whole: int
    spends: list[Held] = field(default_factory=list)
    credits: int = 0

    @property
    def sum(self) -> int:
        """Base units taken, less what came back."""
        return sum(map(amount, self.spends)) - self.credits

    def problem(self) -> tuple[str, Held] | None:
        """Return what is wrong and the last record that made it so, or None."""
        if self.sum <= self.whole or not self.spends:
            return None
        last = max(self.spends, key=lambda spend: (spend.time_ms, spend.id))
        name = f"{self.thing.kind} {self.thing.id.hex()[:SHORT]}"
        return f"{self.sum} {self.verb} of {name}, which has {self.whole}", last


@dataclass(frozen=True, slots=True)
class Parts:
    """Where everything of an offer is, in base units, all slots together.

    Attributes:
        supply: what was offered, with what came by renewals.
        amounts: (free, in escrow, granted, withdrawn).
        holders: who holds rights to it.
    """

    supply: int
    amounts: tuple[int, int, int, int]
    holders: frozenset[bytes]


class Book:
    """All offers, rights and requests, with what was taken from each."""

    def __init__(self, records: Mapping[bytes, Held]) -> None:
        self._records = records
        self.by_kind: dict[str, list[Held]] = defaultdict(list)
        for _, record in sorted(records.items()):
            if record.body is not None:  # what is missing is the matter of another check
                self.by_kind[record.kind].append(record)
        handed = {
            (record.author, record.refs[0])
            for record in self.by_kind["receipt"]
            if record.content["side"] == "handed"
        }
        taken_back = {(record.author, record.refs[0]) for record in self.by_kind["withdraw"]}
        self.taken_back = taken_back - handed
        self.renewed = {renewal.refs[0] for renewal in self.by_kind["renew"]}
        self._names: dict[tuple[bytes, bytes], set[bytes]] = defaultdict(set)
        for kind, first in (("grant", 2), ("rights", 1)):
            for spend in self.by_kind[kind]:
                self._names[spend.author, spend.refs[0]].update(spend.refs[first:])
        self.grants = [g for g in self.by_kind["grant"] if (g.author, g.id) not in self.taken_back]

    def find(self, record: bytes, kind: str) -> Held | None:
        """Return the record with this id if it is here and of this kind."""
        found = self._records.get(record)
        return found if found is not None and found.kind == kind else None

    def offers(self) -> Iterator[Entries]:
        """Yield for each slot of each offer what its own author took from it.

        Nobody can promise what is not theirs, and what is inexhaustible can't be overdrawn.
        """
        spends: dict[tuple[bytes, str], list[Held]] = defaultdict(list)
        for spend in (*self.grants, *self.by_kind["rights"]):
            slot = repr(spend.content.get("slot"))  # a liar's may be anything
            spends[spend.refs[0], slot].append(spend)
        for (purse, slot), every in spends.items():
            offer = self.find(purse, "offer")
            if offer is None or offer.content.get("inexhaustible"):
                continue
            own = [spend for spend in every if spend.author == offer.author]
            yield Entries(offer, "promised", amount(offer), own, self._named(offer, slot))

    def _named(self, offer: Held, slot: str | None = None) -> int:
        """Return how much came back that an offer's author named, each return once.

        Also by grants that it took back: what came in with them stays. With `slot` only what is
        of that one.
        """
        total = 0
        named = sorted(self._names[offer.author, offer.id])
        for back in filter(None, (self.find(ref, "return") for ref in named)):
            rights = self.find(back.refs[0], "rights")
            if rights is not None and slot in (None, repr(rights.content.get("slot"))):
                total += amount(back)
        return total

    def parts(self, liars: Collection[bytes] = ()) -> Iterator[tuple[Held, Parts]]:
        """Yield each offer that can be used up, and where all of it is, save those of liars."""
        spends, given = defaultdict[bytes, list[Held]](list), defaultdict[bytes, list[Held]](list)
        for grant in self.grants:
            spends[grant.refs[0]].append(grant)
        for rights in self.by_kind["rights"]:
            given[rights.refs[0]].append(rights)
        for offer in self.by_kind["offer"]:
            if offer.author in liars or offer.content.get("inexhaustible"):
                continue
            own = [one for one in spends[offer.id] if one.author == offer.author]
            mine = [one for one in given[offer.id] if one.author == offer.author]
            held = [
                grant
                for rights in mine
                for grant in spends[rights.id]
                if grant.author == rights.content["to"]
            ]
            supply = amount(offer) * max(1, len(offer.content.get("slots", ())))
            supply += self._renewed(offer)
            back = self._named(offer)
            escrow = sum(map(amount, mine)) - sum(map(amount, held)) - back
            granted = sum(map(amount, own)) + sum(map(amount, held))
            free, burnt = supply - escrow - granted, 0
            if (offer.author, offer.id) in self.taken_back:
                free, burnt = 0, free
            holders = frozenset(rights.content["to"] for rights in mine)
            yield offer, Parts(supply, (free, escrow, granted, burnt), holders)

    def _renewed(self, offer: Held) -> int:
        """Return how much came to an offer later; honest authors renew only what they said."""
        return sum(
            int(renewal.content.get("quantity", 0))
            for renewal in self.by_kind["renew"]
            if (renewal.author, renewal.refs[0]) == (offer.author, offer.id)
        )

    def rights(self) -> Iterator[Entries]:
        """Yield for all rights what their holder granted and gave back.

        A holder whose disk was lost may give back once more what it had: that comes back once.
        """
        spends: dict[bytes, list[Held]] = defaultdict(list)
        for spend in (*self.grants, *self.by_kind["return"]):
            spends[spend.refs[0]].append(spend)
        for rights in self.by_kind["rights"]:
            own = [each for each in spends[rights.id] if each.author == rights.content["to"]]
            returned = sum(amount(each) for each in own if each.kind == "return")
            again = max(0, returned - amount(rights))
            yield Entries(rights, "promised", amount(rights), own, again)

    def requests(self, liars: Collection[bytes] = ()) -> Iterator[Entries]:
        """Yield for each request the grants that its author accepted, save those of liars.

        What a liar grants may turn out to be void after it was accepted; then its requester is
        right to accept another.
        """
        accepted: dict[bytes, set[bytes]] = defaultdict(set)
        for answer in self.by_kind["answer"]:
            if answer.content["accept"]:
                accepted[answer.refs[0]].add(answer.author)
        taken: dict[bytes, list[Held]] = defaultdict(list)
        for grant in self.grants:
            request = self.find(grant.refs[1], "request")
            if request is None or grant.author in liars:
                continue
            if request.author in accepted[grant.id]:
                taken[request.id].append(grant)
        for request in self.by_kind["request"]:
            yield Entries(request, "accepted", amount(request), taken[request.id])


def amount(record: Held) -> int:
    """Return a record's quantity in base units."""
    return int(record.content["quantity"])


def overcommitments(
    records: Mapping[bytes, Held], liars: Iterable[bytes] = ()
) -> list[tuple[str, Held]]:
    """Return where honest authors promised or accepted more than there is, and the last of it."""
    found = overdrawn(records, liars)
    return [problem for entries in found if (problem := entries.problem()) is not None]


def overdrawn(records: Mapping[bytes, Held], liars: Iterable[bytes] = ()) -> list[Entries]:
    """Return the offers, rights and requests of which honest authors took more than there is."""
    skipped, book = frozenset(liars), Book(records)
    found = []
    for entries in (*book.offers(), *book.rights(), *book.requests(skipped)):
        thing = entries.thing
        spender = thing.content["to"] if thing.kind == "rights" else thing.author
        if spender not in skipped and entries.problem() is not None:
            found.append(entries)
    return found
