"""How much was granted while the city was cut, of what could have been if everybody knew all.

For each kind of thing (category and unit) and each partition: with full knowledge, all that was
not promised yet could go to all others who still lacked it, whichever side they are on. What both
sides did grant and accept meanwhile is held against that. Added up from the disks; nobody's word
counts.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, TypeAlias

from mycelia_sim.audit import Held
from mycelia_sim.escrow import Book, amount

if TYPE_CHECKING:
    from mycelia_sim.evidence import Evidence
    from mycelia_sim.plan import Cut

Kind: TypeAlias = tuple[str, str]  # category, unit
Sums: TypeAlias = Counter[bytes]  # base units by whose they are


def granted_in_cut(evidence: Evidence) -> int | None:
    """Return how much of what could be granted was, per mille over all partitions, or None.

    Each kind counts alike, since litres and blankets don't add up. Things lent, given to some only
    or without end are left out, and so is what adversaries have a hand in.
    """
    shares = [
        share
        for cut in evidence.plan.cuts
        if cut.kind == "partition"
        for share in _shares(evidence, cut)
    ]
    return round(1_000 * sum(shares) / len(shares)) if shares else None


def _shares(evidence: Evidence, cut: Cut) -> Iterator[float]:
    """Yield for each kind what was granted while a cut lasted, over what could have been."""
    honest = {i: r for i, r in evidence.library.records.items() if r.author not in evidence.liars}
    book, born = Book(honest), _births(evidence, honest)
    free, lacking = defaultdict[Kind, Sums](Counter), defaultdict[Kind, Sums](Counter)
    granted, things = Counter[Kind](), dict[bytes, Kind]()
    for kind, sums in (("offer", free), ("request", lacking)):
        for thing in book.by_kind[kind]:
            if born[thing.id] < cut.until_ms and _is_plain(thing):
                sort = things[thing.id] = (thing.content["category"], thing.content["unit"])
                sums[sort][thing.author] += amount(thing)
    for offer, request, grant in _taken(book):
        kinds = things.get(offer.id), things.get(request.id)
        if kinds[0] is None or kinds[0] != kinds[1] or born[grant.id] >= cut.until_ms:
            continue
        if born[grant.id] < cut.at_ms:
            free[kinds[0]][offer.author] -= amount(grant)
            lacking[kinds[0]][request.author] -= amount(grant)
        elif offer.author != request.author:
            granted[kinds[0]] += amount(grant)
    for sort in sorted(free):
        possible = most(free[sort], lacking[sort])
        if possible > 0:
            yield min(1.0, granted[sort] / possible)


def most(free: Sums, lacking: Sums) -> int:
    """Return how much can go from those who have something to others who lack it.

    It is the least cut of a flow in which everybody may give to everybody else.
    """
    given, taken = sum(free.values()), sum(lacking.values())
    others = [given - free[one] + taken - lacking[one] for one in sorted({*free, *lacking})]
    return min(given, taken, *others) if others else 0


def _is_plain(thing: Held) -> bool:
    """Return whether an offer or a request is for anybody, finite and not lent."""
    return not any(thing.content.get(key) for key in ("inexhaustible", "slots", "audience"))


def _taken(book: Book) -> Iterator[tuple[Held, Held, Held]]:
    """Yield (offer, request, grant) of grants that were accepted and not taken back."""
    accepted: dict[bytes, set[bytes]] = defaultdict(set)
    for answer in book.by_kind["answer"]:
        if answer.content["accept"]:
            accepted[answer.refs[0]].add(answer.author)
    for grant in book.grants:
        rights = book.find(grant.refs[0], "rights")
        offer = book.find(rights.refs[0] if rights else grant.refs[0], "offer")
        request = book.find(grant.refs[1], "request")
        if offer is not None and request is not None and request.author in accepted[grant.id]:
            yield offer, request, grant


def _births(evidence: Evidence, records: Mapping[bytes, Held]) -> dict[bytes, int]:
    """Return when each record was written, in ms of the workload: as seen, else by its author."""
    births: dict[bytes, int] = {}
    for record in records.values():
        seen_ms = evidence.sightings.born_ms(record.id) if evidence.sightings else None
        by_clock_ms = record.time_ms - evidence.facts.began_ms
        births[record.id] = by_clock_ms if seen_ms is None else seen_ms
    return births
