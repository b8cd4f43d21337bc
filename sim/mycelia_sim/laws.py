"""Checkers of what nodes do over time: what they keep, whom they blame, how much they hold.

Some can be seen in virtual time alone; where nobody looked, `checkers.py` leaves them out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Final

from mycelia_protocol.limits import (
    HEADS_PER_FRAME_MAX,
    PRESENCE_INTERVAL_MS,
    RECONCILE_INTERVAL_MS,
)
from mycelia_sim.audit import Held
from mycelia_sim.evidence import SHORT, Breach, Evidence, judged
from mycelia_sim.verdict import Check, First

# Frames that a quiet network still needs: now and then two stores are compared, and a new greeting
# where a link that a fault broke is found again. Heads follow only where stores differ, as those of
# a log with two branches do for ever.
ROUND_MS_MIN: Final = RECONCILE_INTERVAL_MS // 2
REACTIONS: Final = ("graft", "prune", "records", "want")  # to what came late


def monotone(evidence: Evidence) -> Check:
    """Check that what came to lie on a disk stays there unless a fault takes it."""
    breaches = [
        (
            f"{one.node} had {one.record[:SHORT]} since {one.since_ms / 1000:.3f} s and lost it",
            First(one.at_ms, one.node, one.record),
        )
        for one in evidence.facts.vanished
    ]
    taken = sum(len(records) for records in evidence.taken.values())
    found = "nothing left a disk by itself"
    found += f"; {taken} records were taken by faults" if taken else ""
    is_known = evidence.library.total > 0
    return judged("monotone", "safety", breaches, found, is_known=is_known)


def no_resurrection(evidence: Evidence) -> Check:
    """Check that nobody honest grants or accepts what it had taken back before, by its own log."""
    records = evidence.library.records
    withdrawn = {
        (record.author, record.refs[0]): record
        for record in records.values()
        if record.kind == "withdraw" and record.author not in evidence.liars
    }
    known = _predecessors(records)
    breaches: list[Breach] = []
    for record in records.values():
        for thing in _spends(record, records):
            taken_back = withdrawn.get((record.author, thing))
            if taken_back is None or not _is_after(record, taken_back, known):
                continue
            text = f"{record.kind} {record.id.hex()[:SHORT]} uses {thing.hex()[:SHORT]}"
            text += ", which its author had withdrawn"
            breaches.append((text, evidence.first(record.id)))
    found = f"none of {len(withdrawn)} withdrawn things came back"
    return judged("no_resurrection", "safety", breaches, found)


def _spends(record: Held, records: Mapping[bytes, Held]) -> tuple[bytes, ...]:
    """Return the offer that a grant spends, or the request that an acceptance fills."""
    if record.kind == "grant":
        return record.refs[:1]
    if record.kind == "answer" and record.content.get("accept") is True:
        grant = records.get(record.refs[0])
        return grant.refs[1:2] if grant else ()
    return ()


def _predecessors(records: Mapping[bytes, Held]) -> dict[bytes, dict[bytes, int]]:
    """Return for each log what its incarnation names: older log -> seq of the last record."""
    known: dict[bytes, dict[bytes, int]] = defaultdict(dict)
    for record in records.values():
        if record.kind == "incarnation":
            for log, seq, _ in record.content.get("heads", ()):
                known[record.log][log] = seq
    return known


def _is_after(record: Held, other: Held, known: Mapping[bytes, Mapping[bytes, int]]) -> bool:
    """Return whether an author wrote a record when it knew of another of its own."""
    if record.log == other.log:
        return record.seq > other.seq
    return known.get(record.log, {}).get(other.log, -1) >= other.seq


def equivocation_attributed(evidence: Evidence) -> Check:
    """Check that forks and broken rules are laid at the door of adversaries alone."""
    breaches: list[Breach] = []
    for fork in evidence.facts.forks or ():
        key = bytes.fromhex(fork.author)
        if key not in evidence.liars:
            text = f"{fork.node} saw honest {_name(evidence, key)} fork its log at seq {fork.seq}"
            breaches.append((text, First(fork.at_ms, fork.node)))
    for blame in evidence.facts.blames or ():
        key = bytes.fromhex(blame.accused)
        if key not in evidence.liars:
            text = f"{blame.node} blamed honest {_name(evidence, key)}: {blame.code}"
            breaches.append((f"{text}: {blame.reason}", First(blame.at_ms, blame.node)))
    for author, log in sorted(evidence.library.contested):
        if author not in evidence.liars and not breaches:
            text = f"there are two branches of log {log.hex()} of {_name(evidence, author)}"
            breaches.append((text, First(None)))
    forks = evidence.library.contested
    found = f"{len(forks)} forked logs, all by adversaries" if forks else "no log was forked"
    blames = evidence.facts.blames
    if blames:
        found += f"; adversaries were caught breaking {len(blames)} rules"
    return judged("equivocation_attributed", "safety", breaches, found)


def _name(evidence: Evidence, key: bytes) -> str:
    return evidence.node_of.get(key, key.hex()[:SHORT])


def gate(evidence: Evidence) -> Check:
    """Check that a node that may have forgotten what it promised first learns it again."""
    breaches = [
        (
            f"{one.node} wrote a {one.kind} when it held what {one.heard} of {one.needed} members "
            "that it had met had of its logs",
            First(one.at_ms, one.node, one.record),
        )
        for one in evidence.facts.ungated
    ]
    starts = len(evidence.plan.nodes) + sum(k.has_fired for k in evidence.facts.kills.values())
    found = f"nothing was spent too early after {starts} starts from a disk that may be old"
    return judged("gate", "safety", breaches, found)


def grants_settle(evidence: Evidence) -> Check:
    """Check that in the end every grant between honest nodes has an answer, or was taken back.

    One to a request of which its node says that it may have forgotten what it accepted (it is
    frozen) waits for people, or for all others to tell; how long is not judged.
    """
    if evidence.facts.quiet is None:
        found = "the nodes never agreed, so nobody looked"
        return judged("grants_settle", "liveness", [], found, is_known=False)
    records = evidence.library.records
    closed = {
        (record.author, record.refs[0])
        for record in records.values()
        if record.kind in ("answer", "withdraw")
    }
    breaches: list[Breach] = []
    count = waiting = 0
    for grant in records.values():
        request = records.get(grant.refs[1]) if grant.kind == "grant" else None
        if request is None or request.kind != "request":
            continue
        if grant.author in evidence.liars or request.author in evidence.liars:
            continue
        count += 1
        if not closed.isdisjoint(((grant.author, grant.id), (request.author, grant.id))):
            continue
        if request.id.hex() in evidence.facts.frozen:
            waiting += 1
        else:
            asker = _name(evidence, request.author)
            text = f"{asker} never answered grant {grant.id.hex()[:SHORT]}"
            breaches.append((text, evidence.first(grant.id, asker)))
    found = f"all {count - waiting} grants were answered or taken back"
    found += f"; {waiting} wait for nodes that lost records" if waiting else ""
    return judged("grants_settle", "liveness", breaches, found)


def bounded(evidence: Evidence) -> Check:
    """Check that queues and buffers in the nodes' memory stay within the protocol's limits."""
    breaches = [
        (f"{one.node} held {one.amount} {one.what}, bound {one.bound}", First(one.at_ms, one.node))
        for one in evidence.facts.overruns
    ]
    looks = evidence.facts.looks
    found = f"all queues and buffers were within their limits in {looks} looks"
    return judged("bounded", "safety", breaches, found, is_known=looks > 0)


def quiescence(evidence: Evidence) -> Check:
    """Check that nodes that agree fall silent but for comparing their stores.

    What a bad link held up may still come, and each such frame may be answered, or make its reader
    ask for something once. So may a new link, between two that hold different branches of a log,
    and an end of such a log that was announced and not pushed.
    Where a link ends, its neighbours say GRAFT to others, once each.
    """
    quiet = evidence.facts.quiet
    if quiet is None:
        found = "the nodes never agreed, so nobody listened"
        return judged("quiescence", "liveness", [], found, is_known=False)
    nodes = len(evidence.plan.nodes)
    chunks = sum(1 for _ in evidence.library.places) // HEADS_PER_FRAME_MAX + 1
    rounds = 2 * nodes * (quiet.during_ms // ROUND_MS_MIN + 1)
    greetings = quiet.frames.get("introduce", 0)
    compared = rounds + greetings + quiet.late
    differing = compared if evidence.library.contested else greetings + quiet.late
    allowed = {"introduce": greetings, "digest": compared, "buckets": differing}
    allowed["heads"] = allowed["changes"] = differing * chunks
    ends = nodes * len(evidence.library.contested)
    allowed |= dict.fromkeys(REACTIONS, quiet.late + greetings + ends)
    allowed["graft"] += (quiet.ended + greetings) * nodes
    if evidence.plan.presence:  # each word goes once over each link, and prunes it or crosses
        words = nodes * (quiet.during_ms // (PRESENCE_INTERVAL_MS // 2) + 1)
        allowed["presence"] = words * 2 * len(evidence.plan.links)
        allowed["prune"] += allowed["presence"]
    breaches = [
        (f"{count} {name} frames in {quiet.during_ms / 1000:g} s of silence", First(None))
        for name, count in sorted(quiet.frames.items())
        if count > allowed.get(name, 0)
    ]
    if quiet.records:
        breaches.insert(0, (f"{quiet.records} records came after all had agreed", First(None)))
    count = sum(quiet.frames.values())
    found = f"{count} frames on {nodes} nodes in {quiet.during_ms / 1000:g} s of silence"
    return judged("quiescence", "liveness", breaches, found)
