"""How much a node keeps in memory for others, beside the bounds of `limits`.

Everything that a peer can make a node keep has a bound. One that is not kept shows nowhere else
before the memory is gone; so it can be looked at, in virtual time and on a node that runs.
"""

from collections import Counter
from collections.abc import Iterator
from typing import TypeAlias

from mycelia_protocol import allowances, gate, limits
from mycelia_protocol.engine import Engine

Burden: TypeAlias = tuple[str, int, int]  # what, how much there is, how much there may be


def burdens(engine: Engine) -> Iterator[Burden]:
    """Yield what there is; what is kept for each peer comes once for each."""
    records, size = engine.logs.gap_load
    yield "records beyond gaps", records, limits.GAP_RECORDS_MAX
    yield "bytes beyond gaps", size, limits.GAP_SIZE_MAX
    peers = engine.replicate.reconcile._peers.values()
    for peer in peers:
        yield "heads of one peer", len(peer.told), limits.PEER_HEADS_MAX
        yield "logs to ask one peer for", len(peer.ahead), limits.PEER_HEADS_MAX
        yield "strangers' logs of one peer", len(peer.strange), limits.PEER_HEADS_MAX
        yield "doubts about one peer", len(peer.doubts), limits.WANTS_PER_FRAME_MAX
        yield "WANTs to one peer", len(peer.askings), limits.WANTS_IN_FLIGHT_MAX
    for link, reads in Counter(engine.replicate._reads.values()).items():
        if link in engine.replicate._links:
            yield "WANTs of one peer", reads, limits.READS_PER_LINK_MAX
    claimed = (sum(map(len, kept.values())) for kept in (engine.gate._shown, engine.gate._behind))
    yield "own logs that others claim", next(claimed), gate.OWN_ROWS_MAX
    yield "logs that others claim, in doubt", next(claimed), gate.ROWS_MAX
    repeated = engine.replicate._repeats._seen
    yield "members who repeated", len(repeated), allowances.MEMBERS_KEPT
    for rows in engine._exchange._forms._hearing.testimony._rows.values():
        yield "rows of evidence of one peer", rows, limits.EVIDENCE_ROWS_MAX
    bases = engine.replicate.reconcile._compare._bases
    yield "members last found level", len(bases), limits.BASES_MAX
    dials = len(engine.options.dial) + limits.DEGREE_TARGET
    yield "links of members", len(engine.peers.ready_links()), limits.DEGREE_MAX + dials
    yield "links without greeting", engine.peers.unproven, limits.UNPROVEN_MAX + dials
    yield "drafts", len(engine.publisher._queue), limits.PUBLISH_QUEUE_MAX


def largest(engine: Engine) -> list[Burden]:
    """Return of each kind the one that is closest to its bound, in order of first appearance."""
    found: dict[str, Burden] = {}
    for burden in burdens(engine):
        what, amount, _ = burden
        if what not in found or amount > found[what][1]:
            found[what] = burden
    return list(found.values())
