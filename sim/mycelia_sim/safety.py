"""Safety checkers that read the disks: what must never happen, judged from what lies there.

Each has its own arithmetic and shares none with the protocol's fold, except `agreement`, which is
about that fold. Every failure names a first example.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from mycelia_protocol.errors import MyceliaError
from mycelia_protocol.identity import to_text
from mycelia_sim.audit import MALFORMED, Held, LogCopy
from mycelia_sim.doubles import overcommitted_in_cut
from mycelia_sim.escrow import overcommitments
from mycelia_sim.evidence import SHORT, Breach, Evidence, judged
from mycelia_sim.facts import Acknowledged
from mycelia_sim.verdict import Check, First


def lost_records(evidence: Evidence) -> list[Breach]:
    """Return the acknowledged records that are gone and that no fault took."""
    return _lost(evidence)[0]


def _lost(evidence: Evidence) -> tuple[list[Breach], list[Acknowledged]]:
    """Return what the protocol lost, and what only the faults did.

    What a fault took from the disk that promised it is not lost while another disk holds it, and
    was lost by the fault alone if every disk that ever held it was robbed of it.
    """
    breaches: list[Breach] = []
    excused: list[Acknowledged] = []
    library = evidence.library
    for said in evidence.facts.acknowledged:
        record = bytes.fromhex(said.record)
        is_somewhere = record in library.records
        was_taken = said.record in evidence.taken.get(said.node, ())
        if (is_somewhere and was_taken) or library.holds(said.node, record):
            continue
        name = f"{said.kind} {said.record[:SHORT]}"
        place = First(said.at_ms, said.node, said.record)
        keepers = _keepers(evidence, said.record)
        if is_somewhere:
            breaches.append((f"{name} is gone from {said.node}, which acknowledged it", place))
        elif not was_taken:
            breaches.append((f"{name} of {said.node} is on no node", place))
        elif keepers:
            text = f"{name} of {said.node} is on no node, though {keepers[0]} had it"
            breaches.append((text, place))
        else:
            excused.append(said)
    return breaches, excused


def _keepers(evidence: Evidence, record: str) -> list[str]:
    """Return the nodes that a record reached and that no fault took it from, sorted."""
    if evidence.sightings is None:
        return []
    reached = evidence.sightings.reached(bytes.fromhex(record))
    return sorted(node for node in reached if record not in evidence.taken.get(node, ()))


def no_loss(evidence: Evidence) -> Check:
    """Check that every node still holds what it told its own user is saved."""
    faults = [(fault, First(None, h.node)) for h in evidence.holdings for fault in h.faults]
    lost, excused = _lost(evidence)
    count = len(evidence.facts.acknowledged) - len(excused)
    found = f"all {count} acknowledged records are on the nodes that acknowledged them"
    if excused:
        found += (
            f"; {len(excused)} more were on no other disk than those that faults emptied "
            f"({excused[0].record[:SHORT]} of {excused[0].node} first)"
        )
    elif any(evidence.taken.values()):
        found += ", or came back to the network from another disk"
    found += f"; in the end {evidence.set_full}"
    return judged("no_loss", "safety", faults + lost, found, is_known=count > 0)


def forged_records(evidence: Evidence) -> list[tuple[str, Held]]:
    """Return (node, record) of everything stored that its author never signed, or is no member."""
    library = evidence.library
    planted = {
        bytes.fromhex(record) for attempt in evidence.facts.attempts for record in attempt.records
    }
    bad: dict[LogCopy, list[Held]] = {}
    for copy in library.places:
        doubtful = library.doubtful.get(copy, frozenset())
        if doubtful or not planted.isdisjoint(copy.ids):
            bad[copy] = [r for r in copy.records if r.id in doubtful or r.id in planted]
    found: list[tuple[str, Held]] = []
    for holding in evidence.holdings:
        members = library.members(holding)
        for copy in holding.logs:
            wrong = bad.get(copy, ()) if copy.author in members else copy.records
            found += [(holding.node, record) for record in wrong]
    return found


def no_forgery(evidence: Evidence) -> Check:
    """Check that every stored record is authentic and by a member."""
    breaches = [
        (
            f"{node} stores a {record.kind} {record.id.hex()[:SHORT]} that "
            f"{record.author.hex()[:SHORT]} never signed",
            evidence.first(record.id, node),
        )
        for node, record in forged_records(evidence)
    ]
    count = evidence.library.total
    found = f"all {count} records on {len(evidence.holdings)} disks are authentic"
    return judged("no_forgery", "safety", breaches, found, is_known=count > 0)


def no_overcommit(evidence: Evidence) -> Check:
    """Check that no offer and no rights are promised, no request accepted beyond its amount."""
    records = evidence.library.records
    breaches = [
        (problem, evidence.first(last.id))
        for problem, last in overcommitments(records, evidence.liars)
    ]
    grants = sum(record.kind == "grant" for record in records.values())
    found = f"{grants} grants stay within their offers and requests"
    in_cut = overcommitted_in_cut(evidence)
    if in_cut is not None:
        found += f": {in_cut} were promised twice as partitions ended, none is in the end"
    return judged("no_overcommit", "safety", breaches, found, is_known=grants > 0)


def bodies_intact(evidence: Evidence) -> Check:
    """Check that every body is there and is the one whose hash was signed, and words as wished."""
    breaches: list[Breach] = []
    looked: dict[int, bool] = {}
    for copy, node in evidence.library.places.items():
        for record in copy.records:
            if id(record) not in looked:
                looked[id(record)] = record.has_body
            if not looked[id(record)]:
                name = f"{record.kind} {record.id.hex()[:SHORT]}"
                text = f"{node}: the body of {name} is missing or altered"
                breaches.append((text, evidence.first(record.id, node)))
    breaches += _words_astray(evidence)
    count = evidence.library.total
    return judged("bodies_intact", "safety", breaches, f"{count} bodies match", is_known=count > 0)


def _words_astray(evidence: Evidence) -> list[Breach]:
    """Return whose words are gone though nobody asked for it, or are here though their author did.

    What was asked is read from the erasures on each disk, for that disk alone.
    """
    breaches: list[Breach] = []
    seen: dict[LogCopy, _Words] = {}
    for holding in evidence.holdings:
        for copy in holding.logs:
            if copy not in seen:
                seen[copy] = _words_in(copy)
        asked = _asked_to_go(seen[copy] for copy in holding.logs)
        for copy in holding.logs:
            ranges = asked.get((copy.author, copy.log), ())
            if ranges or seen[copy].lacking:
                breaches += _astray(evidence, holding.node, copy, ranges)
    return breaches


@dataclass(frozen=True, slots=True)
class _Words:
    """What the records of a log say of words: read once, however many disks hold it alike."""

    lacking: bool  # whether the words of some record are gone
    erasures: tuple[Held, ...]


def _words_in(copy: LogCopy) -> _Words:
    lacking = any(record.lacks_words for record in copy.records)
    return _Words(lacking, tuple(record for record in copy.records if record.kind == "erase"))


def _asked_to_go(found: Iterable[_Words]) -> dict[tuple[bytes, bytes], list[tuple[int, int]]]:
    """Return which places of which logs the erasures on a disk name."""
    asked: dict[tuple[bytes, bytes], list[tuple[int, int]]] = {}
    for words in found:
        for record in words.erasures:
            content = record.content
            ranges = [(first, last) for first, last in content["ranges"]]
            asked.setdefault((record.author, content["log"]), []).extend(ranges)
    return asked


def _astray(
    evidence: Evidence, node: str, copy: LogCopy, asked: Sequence[tuple[int, int]]
) -> Iterator[Breach]:
    """Yield the records of one log whose words are here, or gone, against what was asked."""
    for record in copy.records:
        is_asked = any(first <= record.seq <= last for first, last in asked)
        name = f"{record.kind} {record.id.hex()[:SHORT]}"
        if record.lacks_words and not is_asked:
            text = f"{node}: the words of {name} are missing, and nobody erased them"
        elif is_asked and record.has_words:
            text = f"{node}: the words of {name} are kept against the wish of its author"
        else:
            continue
        yield text, evidence.first(record.id, node)


def author_sequence(evidence: Evidence) -> Check:
    """Check that logs have no gap, hang together, and honest ones are the same everywhere."""
    breaches: list[Breach] = []
    place: dict[tuple[bytes, bytes, int], tuple[bytes, str]] = {}
    for copy, node in evidence.library.places.items():
        previous: Held | None = None
        for record in copy.records:
            expected = (0, None) if previous is None else (previous.seq + 1, previous.id)
            said = (record.seq, expected[1] if record.is_compact else record.prev)
            if said != expected:  # a compact form says no predecessor
                text = f"{node}: log {record.log.hex()} breaks at seq {record.seq}"
                breaches.append((text, evidence.first(record.id, node)))
            key = (record.author, record.log, record.seq)
            known = place.setdefault(key, (record.id, node))
            if known[0] != record.id and record.author not in evidence.liars:
                where = f"on {known[1]} and {node}"
                text = f"log {record.log.hex()} differs at seq {record.seq} {where}"
                breaches.append((text, evidence.first(record.id, node)))
            previous = record
    logs = {key[:2] for key in place}
    found = f"{len(logs)} logs are whole"
    return judged("author_sequence", "safety", breaches, found, is_known=bool(logs))


def well_formed(evidence: Evidence) -> Check:
    """Check that what honest nodes wrote can be read, by the harness and by the protocol.

    What can't is kept and spread, and means nothing to anybody.
    """
    breaches: list[Breach] = []
    count = 0
    for record in evidence.library.records.values():
        if record.author in evidence.liars or not record.has_body or record.body is None:
            continue
        count += 1
        if record.kind != MALFORMED and evidence.folds.is_read(record):
            continue
        name = evidence.node_of.get(record.author, record.author.hex()[:SHORT])
        text = f"{name} wrote a {record.kind} record {record.id.hex()[:SHORT]} that says nothing"
        breaches.append((text, evidence.first(record.id)))
    found = f"{count} records of honest nodes can be read"
    return judged("well_formed", "safety", breaches, found, is_known=count > 0)


def agreement(evidence: Evidence) -> Check:
    """Check that nodes told the digest of the state that their records give.

    Nodes with equal records must so have told the same; the records of each different set are
    folded once. That all hold the same records in the end is the matter of `convergence`.
    """
    breaches: list[Breach] = []
    compared = 0
    for alike in evidence.library.alike:
        count = sum(len(copy.ids) for copy in alike[0].logs)
        told = {h.node: evidence.facts.told.get(h.node, ("", -1)) for h in alike if not h.faults}
        tellers = [(node, said) for node, (said, records) in told.items() if records == count]
        if not tellers or not count:  # who wrote more after it was asked told of something else
            continue
        try:
            digest = to_text("state", evidence.folds.state(alike[0]).digest())
        except MyceliaError as error:
            text = f"{alike[0].node}: its records do not fold: {error}"
            breaches.append((text, First(None, alike[0].node)))
            continue
        compared += len(tellers)
        for node, said in tellers:
            if said != digest:
                text = f"{node}: told digest {said}, its records give {digest}"
                breaches.append((text, First(None, node)))
    found = f"{compared} nodes told the digest that their records give"
    return judged("agreement", "safety", breaches, found, is_known=compared > 0)
