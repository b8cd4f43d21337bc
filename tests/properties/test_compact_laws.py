"""Laws of compact forms: who holds a log in compact form comes to the same as who holds it all."""

import random
from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st

from mycelia_protocol.charter import Charter
from mycelia_protocol.compact import compact, expand, shorten
from mycelia_protocol.crypto import LEAF, digest
from mycelia_protocol.digest_rows import KINDS_WITH_ROWS
from mycelia_protocol.encoding import Value
from mycelia_protocol.merkle import Tree, prove, proved_root
from mycelia_protocol.record import Record
from mycelia_protocol.state import State
from mycelia_protocol.types import KINDS
from mycelia_protocol.types.decision import Decided
from mycelia_protocol.types.fork import content
from mycelia_protocol.types.heads import View
from support.histories import STEPS, Step, history
from support.scribe import Scribe, village
from support.snapshots import covers, snapshot_of
from vectors.bodies import GOOD


def folded(charter: Charter, records: list[Record]) -> State:
    """Return the state of some records, added one by one."""
    state = State(charter)
    for record in records:
        state.add(record)
    return state


def shortened(records: list[Record], rng: random.Random) -> list[Record]:
    """Return the same records, all logs up to some place each in compact form, as if told so."""
    cuts = {(each.author, each.log): rng.randrange(40) for each in records}
    return [
        expand(each.commons, each.author, each.log, each.seq, compact(each))
        if each.seq < cuts[each.author, each.log]
        else each
        for each in records
    ]


def same(charter: Charter, records: list[Record], rng: random.Random) -> None:
    """Fold records, and the same in part in compact form, in another order: all is equal."""
    fewer = shortened(records, rng)
    rng.shuffle(fewer)
    full, short = folded(charter, records), folded(charter, fewer)
    assert short.digest() == full.digest()
    for name in KINDS_WITH_ROWS:
        assert short.rows(name) == full.rows(name)
    for one in (full.statement(each.id) for each in records):
        if one is not None and KINDS[one.kind].derive is not None:
            assert short.derived(one.id) == full.derived(one.id)
    assert short.roster() == full.roster()


@settings(max_examples=40, deadline=None)
@given(STEPS, st.randoms(use_true_random=False))
def test_compact_logs_fold_to_the_same(steps: list[Step], rng: random.Random) -> None:
    """FORM-3: any history, any places, any order."""
    charter, records = history(steps)
    same(charter, records, rng)


@settings(max_examples=25, deadline=None)
@given(STEPS, st.randoms(use_true_random=False))
def test_forks_part_compact_logs_too(steps: list[Step], rng: random.Random) -> None:
    """FOLD-3: a proof about a place that is here in compact form has the same effect."""
    charter, records = history(steps)
    first = rng.choice(records)
    log = [each for each in records if (each.author, each.log) == (first.author, first.log)]
    seeds = {scribe.key: scribe.seed for scribe in village(3)[1]}
    place = rng.randrange(len(log))
    rival, teller = (
        Scribe(seed, charter, rng) for seed in (seeds[first.author], rng.randbytes(32))
    )
    rival.log, rival.written = first.log, log[:place]
    if place:
        rival.write("withdraw", {}, rng.choice(records).id)
    else:
        rival.write("incarnation", {"heads": []})
    teller.write("fork", content([log[place:], rival.written[place:]]))
    same(charter, records + teller.written, rng)


def decided(rng: random.Random) -> tuple[Charter, list[Record]]:
    """Return a history in which grants name decisions, and what is none, and can't be covered."""
    charter, scribes = village(3)
    giver, taker, _ = scribes
    offer, request = giver.offer(8), taker.request(12)
    named: list[Record] = []
    for _ in range(rng.randrange(1, 5)):
        writer, kind = rng.choice(scribes), rng.choice(("decision", "view", "message", "offer"))
        fields = dict(GOOD[kind])
        if rng.random() < 0.3:
            fields.pop(rng.choice(sorted(fields)))
        refs = (offer.id,) if kind == "decision" else ()
        named.append(writer.write(kind, fields, *refs))
    for _ in range(rng.randrange(1, 5)):
        backs = rng.sample(named, rng.randrange(len(named) + 1))
        giver.grant(rng.randrange(1, 9), offer, request, None, *backs)
    return charter, [record for scribe in scribes for record in scribe.written]


@settings(max_examples=40, deadline=None)
@given(st.randoms(use_true_random=False))
def test_decisions_that_a_compact_log_only_names_still_count(rng: random.Random) -> None:
    """ESC-3: what a grant that can't be covered names is a decision, or no decision, as before."""
    charter, records = decided(rng)
    rng.shuffle(records)
    same(charter, records, rng)


def test_what_is_compact_names_decisions_and_times_as_before() -> None:
    """FORM-1: of logs that are compact to the end, grants name decisions, or lapse, as before."""
    statuses = set[str]()
    for seed in range(30):
        charter, records = decided(random.Random(seed))
        giver = village(3)[1][0]
        giver.written = [each for each in records if each.author == giver.key]
        giver.log = giver.written[0].log
        given = [each for each in giver.written if each.kind == "grant"]
        fields: dict[str, Value] = {"quantity": 1, "accept_by_ms": given[0].time_ms}
        late = giver.write("grant", fields, *given[0].refs[:2])
        for each in (given[0], late):
            giver.write("withdraw", {}, each.id)
        records += [each for each in giver.written if each not in records]
        short = folded(charter, [shorten(each) for each in records])
        rows = folded(charter, records).rows("grant")
        assert short.rows("grant") == rows
        statuses |= {str(row[1]) for row in rows}
    assert statuses >= {"overdrawn", "waiting", "cancelled", "lapsed"}


@settings(max_examples=30, deadline=None)
@given(st.randoms(use_true_random=False), st.booleans())
def test_a_snapshot_rests_on_compact_logs(rng: random.Random, is_later: bool) -> None:
    """Whether a log was compact when the snapshot was taken, or became so: it says the same."""
    charter, records = decided(rng)
    full, fewer = folded(charter, records), shortened(records, rng)
    covered = {(each.author, each.log): rng.randrange(1, 20) for each in records}
    early = [each for each in fewer if each.seq < covered[each.author, each.log]]
    whole = [each for each in records if each.seq < covered[each.author, each.log]]
    snapshot = snapshot_of(charter, whole if is_later else early, early)
    state = State(charter)
    state.rest_on(snapshot)
    for record in fewer:
        if not covers(snapshot, record):
            state.add(record)
    assert state.digest() == full.digest()
    for family in (Decided, View):
        left = {each.id for each in fewer if each.body is not None}
        known = {each.id for each in full.every(family)}
        assert {each.id for each in state.every(family)} == known & left
        for record in records:
            found = state.find(record.id, family)
            assert (found is not None) == (record.id in known & left)
    for record in records:
        one, other = state.statement(record.id), full.statement(record.id)
        assert one is None or other is None or one.kind == other.kind


@given(st.integers(1, 70), st.data())
def test_any_leaves_that_follow_each_other_prove_themselves(
    count: int, data: st.DataObject
) -> None:
    """CHECK-7: with the roots beside them they give the root; with another leaf, or place, not."""
    leaves = [bytes([each]) for each in range(count)]
    tree = Tree()
    for leaf in leaves:
        tree.add(leaf)
    first = data.draw(st.integers(0, count - 1))
    last = data.draw(st.integers(first + 1, count))
    proof = prove([digest(LEAF, leaf) for leaf in leaves], first, last)
    some = leaves[first:last]
    assert proved_root(count, first, some, proof) == tree.root()
    for wrong in ([*some[:-1], b"other"], some[:-1], [*some, b"more"]):
        with suppress(ValueError):
            assert proved_root(count, first, wrong, proof) != tree.root()
    for spoilt in (proof[:-1], [*proof, bytes(32)]):
        with suppress(ValueError):
            assert proved_root(count, first, some, spoilt) != tree.root() or spoilt == proof
