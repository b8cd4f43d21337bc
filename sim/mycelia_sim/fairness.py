"""The check that nobody who asked was starved: left without what was there for them.

It adds up from all disks together what was left and who still lacked something (`escrow.py`), and
shares no code with the allocator. What it claims, of a run that came to rest:

- *Served.* No request lacks a lot of something that was left with a node which may grant it by
  itself. This holds under `fifo` and under each of the baselines alike: none of them keeps back
  what somebody lacks, they differ in who comes first.
- *In turn.* Under `fifo`, nobody granted a younger request from an offer that fitted an older one,
  which it had known for a while, and which lacks a lot of it to this day. Under the other policies
  whose turn it was hangs on what a decision rests on: that is the matter of `explained`.

It must not cry wolf, so it looks only at what leaves no doubt, and does not see:

- runs that never came to rest, with disks that lack records, or cut short: unknown;
- requests and offers that were renewed, or have a field that could be a condition: a date, a place,
  slots, an audience, substitutes; so nothing that is lent or ends;
- requests with a past: that a liar granted something, or to which any grant was declined, taken
  back or disputed. Nodes need not offer the same again, and what a liar granted may turn out void
  later;
- offers of which a liar holds a part, and what came back to an offer but was not granted anew;
- rights that end, and rights at all in runs with liars or crashes: a node that had to open a new
  log can't spend what was given to its old one;
- nodes that say that they may not spend yet (`Facts.shut`): a restored node waits until members
  have shown it what it may have promised; nor purses that they say are frozen (`Facts.frozen`).
  Whether that lasts too long is not judged;
- in turn: nodes that a fault befell, since what lay on their disk may not have been read yet.

Clocks of nodes may be wrong: nothing here compares two of them, but that `fifo` itself does.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from mycelia_sim.audit import Held
from mycelia_sim.escrow import Book, amount
from mycelia_sim.evidence import SHORT, Breach, Evidence, judged
from mycelia_sim.facts import Sightings
from mycelia_sim.verdict import Check

Kind: TypeAlias = tuple[str, str]  # category and unit

KNOWN_MS: Final = 2_000  # after which a node surely looks at what lies on its disk; it waits 100 ms

# Fields of things that hang on nothing but what is there and what is asked for.
PLAIN_OFFER: Final = frozenset({"category", "title", "quantity", "unit", "lot"})
PLAIN_REQUEST: Final = frozenset({"category", "title", "quantity", "unit", "urgency"})


@dataclass(frozen=True, slots=True)
class Left:
    """What a node could still grant.

    Attributes:
        purse: the offer, or rights to it.
        giver: who offers it.
        quantity: base units.
    """

    holder: bytes
    purse: Held
    giver: bytes
    kind: Kind
    lot: int
    quantity: int


@dataclass(frozen=True, slots=True)
class Want:
    """What a request lacks, base units, if all grants to it count that anybody ever wrote."""

    request: Held
    kind: Kind
    lacking: int

    def could_get(self, left: Left) -> int:
        """Return how much of something it should get, in whole lots; 0 if nothing."""
        if self.kind != left.kind or self.request.author in (left.holder, left.giver):
            return 0
        return min(left.quantity, self.lacking) // left.lot * left.lot


@dataclass(slots=True)
class Past:
    """What was granted to one request: by whom, and whether all of it stands."""

    grants: list[Held] = field(default_factory=list)
    is_smooth: bool = True


@dataclass(frozen=True, slots=True)
class Granted:
    """A grant, to whom, by which node, when (ms of the workload), and what it took."""

    grant: Held
    younger: Held
    node: str
    at_ms: int
    what: Left


def fairness(evidence: Evidence) -> Check:
    """Check that in the end nobody lacks what somebody has left, and none was passed over."""
    quiet = evidence.facts.quiet
    if quiet is None or quiet.records or evidence.library.lacking:
        found = "the nodes never came to rest, so who would still be served is open"
        return judged("fairness", "liveness", [], found, is_known=False)
    book = Book(evidence.library.records)
    offers = _plain(evidence, book.by_kind["offer"], PLAIN_OFFER)
    asked = _plain(evidence, book.by_kind["request"], PLAIN_REQUEST)
    wants = _wants(evidence, book, asked)
    breaches = [*_unserved(evidence, wants, _left(evidence, book, offers))]
    breaches += _passed_over(evidence, book, offers, wants)
    found = f"of {len(asked)} requests {len(wants)} lack what nobody has left"
    shut = len(evidence.facts.shut)
    found += f"; {shut} nodes could not spend yet" if shut else ""
    return judged("fairness", "liveness", breaches, found, is_known=bool(asked))


def _plain(
    evidence: Evidence, things: list[Held], fields: frozenset[str]
) -> dict[bytes, dict[str, Any]]:
    """Return what honest offers or requests say, of those that say nothing but these fields."""
    said = {each.id: each.content for each in things if each.author not in evidence.liars}
    return {thing: content for thing, content in said.items() if content.keys() <= fields}


def _kind(content: dict[str, Any]) -> Kind:
    return content["category"], content["unit"]


def _wants(evidence: Evidence, book: Book, asked: Mapping[bytes, dict[str, Any]]) -> list[Want]:
    """Return the requests that surely lack something."""
    pasts = _pasts(evidence, book)
    wants = []
    for request in book.by_kind["request"]:
        past = pasts.get(request.id, Past())
        is_taken_back = (request.author, request.id) in book.taken_back
        is_looked_at = request.id in asked and request.id not in book.renewed
        if not is_looked_at or is_taken_back or not past.is_smooth:
            continue
        lacking = amount(request) - sum(map(amount, past.grants))
        if lacking > 0:
            wants.append(Want(request, _kind(asked[request.id]), lacking))
    return wants


def _pasts(evidence: Evidence, book: Book) -> dict[bytes, Past]:
    """Return for each request what was granted to it, taken back or not."""
    accepted = {
        (answer.author, answer.refs[0])
        for answer in book.by_kind["answer"]
        if answer.content["accept"]
    }
    disputed = {ref for dispute in book.by_kind["dispute"] for ref in dispute.refs}
    pasts = defaultdict[bytes, Past](Past)
    for grant in book.by_kind["grant"]:
        request = book.find(grant.refs[1], "request")
        if request is None:
            continue
        past = pasts[request.id]
        past.grants.append(grant)
        stands = (request.author, grant.id) in accepted
        stands &= (grant.author, grant.id) not in book.taken_back and grant.id not in disputed
        past.is_smooth &= stands and grant.author not in evidence.liars
    return pasts


def _left(evidence: Evidence, book: Book, offers: Mapping[bytes, dict[str, Any]]) -> Iterator[Left]:
    """Yield what honest nodes could grant by themselves, beyond doubt."""
    liars, facts = evidence.liars, evidence.facts
    barred = liars.union(bytes.fromhex(facts.keys[node]) for node in facts.shut)
    sound: dict[bytes, tuple[Kind, int]] = {}
    for offer, parts in book.parts(liars):
        if offer.id not in offers or offer.id in book.renewed or parts.holders & liars:
            continue
        sound[offer.id] = kind, lot = _kind(offers[offer.id]), offers[offer.id].get("lot", 1)
        is_frozen = offer.id.hex() in facts.frozen
        if parts.amounts[0] > 0 and offer.author not in barred and not is_frozen:
            yield Left(offer.author, offer, offer.author, kind, lot, parts.amounts[0])
    if not evidence.plan.attempts and not evidence.plan.kills:
        yield from _rights_left(evidence, book, sound, barred)


def _rights_left(
    evidence: Evidence,
    book: Book,
    sound: Mapping[bytes, tuple[Kind, int]],
    barred: frozenset[bytes],
) -> Iterator[Left]:
    """Yield what is left of rights to sound offers; nobody lies, and no disk was lost."""
    logs = defaultdict[bytes, set[bytes]](set)
    for copy in evidence.library.places:
        logs[copy.author].add(copy.log)
    for entries in book.rights():
        rights, left = entries.thing, entries.whole - entries.sum
        giver, offer, holder = rights.author, rights.refs[0], rights.content["to"]
        if offer not in sound or holder in barred or left <= 0:
            continue
        is_usable = logs[holder] == {rights.content["log"]} and "until_ms" not in rights.content
        if is_usable and (giver, offer) not in book.taken_back:
            yield Left(holder, rights, giver, *sound[offer], left)


def _unserved(evidence: Evidence, wants: list[Want], left: Iterable[Left]) -> Iterator[Breach]:
    """Yield each request that lacks what somebody has left."""
    shelves = defaultdict[Kind, list[Left]](list)
    for each in left:
        shelves[each.kind].append(each)
    for want in wants:
        fitting = next((each for each in shelves[want.kind] if want.could_get(each)), None)
        if fitting is not None:
            who, purse = evidence.node_of.get(fitting.holder, "somebody"), fitting.purse
            text = f"{_named(evidence, want)} lacks {want.lacking}, and {who} has "
            text += f"{fitting.quantity} left of {purse.kind} {purse.id.hex()[:SHORT]}"
            yield text, evidence.first(want.request.id, who)


def _passed_over(
    evidence: Evidence, book: Book, offers: Mapping[bytes, dict[str, Any]], wants: list[Want]
) -> Iterator[Breach]:
    """Yield each request that had to wait behind a younger one, at a node that knew both."""
    sightings = evidence.sightings
    if evidence.plan.policy != "fifo" or sightings is None:
        return
    granted = _granted(evidence, book, offers, sightings)
    for want in wants:
        reached, older = sightings.reached(want.request.id), _age(want.request)
        for each in granted[want.kind]:
            is_known = each.node in reached and reached[each.node] + KNOWN_MS < each.at_ms
            if is_known and _age(each.younger) > older and want.could_get(each.what):
                text = f"{each.node} granted request {each.younger.id.hex()[:SHORT]} before "
                text += _named(evidence, want)
                yield text, evidence.first(each.grant.id, each.node)
                break


def _granted(
    evidence: Evidence,
    book: Book,
    offers: Mapping[bytes, dict[str, Any]],
    sightings: Sightings,
) -> defaultdict[Kind, list[Granted]]:
    """Return what nodes that no fault befell granted of plain offers, and when they wrote it."""
    plan, found = evidence.plan, defaultdict[Kind, list[Granted]](list)
    befallen = {kill.node for kill in plan.kills} | {one.node for one in plan.troubles}
    for grant in book.by_kind["grant"]:
        offer, younger = offers.get(grant.refs[0]), book.find(grant.refs[1], "request")
        node, at_ms = evidence.node_of.get(grant.author), sightings.born_ms(grant.id)
        if offer is None or younger is None or node is None or at_ms is None or node in befallen:
            continue
        purse, kind = evidence.library.records[grant.refs[0]], _kind(offer)
        what = Left(grant.author, purse, purse.author, kind, offer.get("lot", 1), amount(grant))
        found[kind].append(Granted(grant, younger, node, at_ms, what))
    return found


def _age(request: Held) -> tuple[int, bytes]:
    """Return where a request stands with `fifo`: by its author's clock, then by id."""
    return request.time_ms, request.id


def _named(evidence: Evidence, want: Want) -> str:
    who = evidence.node_of.get(want.request.author, "somebody")
    return f"request {want.request.id.hex()[:SHORT]} of {who}"
