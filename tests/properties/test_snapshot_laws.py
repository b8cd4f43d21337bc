"""Laws of snapshots: whatever a state rests on, it says what it would say without."""

import random
from collections import defaultdict
from collections.abc import Iterable

from hypothesis import example, given, settings
from hypothesis import strategies as st

from mycelia_protocol.allocate import open_offers, open_requests
from mycelia_protocol.charter import Charter
from mycelia_protocol.digest_rows import KINDS_WITH_ROWS
from mycelia_protocol.gather import gather
from mycelia_protocol.preposition import asked_so_far
from mycelia_protocol.purses import stocks
from mycelia_protocol.record import Record
from mycelia_protocol.state import State
from mycelia_protocol.types import KINDS
from mycelia_protocol.types.base import Statement
from mycelia_protocol.types.fork import content
from support.deciders import NOW_MS
from support.histories import STEPS, Step, history
from support.peopled import peopled, policies
from support.scribe import Scribe, village
from support.snapshots import covers, snapshot_of


def resting(charter: Charter, early: list[Record], late: Iterable[Record], looks: bool) -> State:
    """Return a state that rests on a snapshot of some records, with others added afterwards."""
    snapshot, state = snapshot_of(charter, early), State(charter)
    state.rest_on(snapshot)
    for record in (*(each for each in early if not covers(snapshot, each)), *late):
        state.add(record)
        if looks:
            state.digest()
    return state


def folded(charter: Charter, records: Iterable[Record]) -> State:
    """Return the state of records added one by one."""
    state = State(charter)
    for record in records:
        state.add(record)
    return state


def parted(records: list[Record], rng: random.Random) -> tuple[list[Record], list[Record]]:
    """Part each log at some place: what was in the store before, and what came later."""
    lengths: dict[tuple[bytes, bytes], int] = defaultdict(int)
    for record in records:
        lengths[record.author, record.log] = max(lengths[record.author, record.log], record.seq + 1)
    cuts = {key: rng.randint(0, length) for key, length in lengths.items()}
    early = [each for each in records if each.seq < cuts[each.author, each.log]]
    late = [each for each in records if each.seq >= cuts[each.author, each.log]]
    rng.shuffle(early)
    rng.shuffle(late)
    return early, late


def everything(state: State, records: Iterable[Record]) -> list[object]:
    """Return all that a state says of some records, and of them all together."""
    said: list[object] = [state.roster(), state.unread, state.contested_logs()]
    said += [state.rows(name) for name in KINDS_WITH_ROWS]
    families = {type(one.body) for one in (state.statement(r.id) for r in records) if one}
    for family in sorted(families, key=str):
        said.append((state.every(family), state.count(family)))
        said += [state.by_author(key, family) for key in state.roster()]
        said += [state.addressed_to(key, family) for key in state.roster()]
        said += [list(state.about(record.id, family)) for record in records]
        said += [state.find(record.id, family) for record in records]
    for record in records:
        one: Statement[object] | None = state.statement(record.id)
        said.append(one)
        if one is not None and KINDS[one.kind].derive is not None:
            said.append(state.derived(one.id))
    said += [sorted(each.id for each in state.of_author(key)) for key in state.roster()]
    said += [state.profile(key) for key in state.roster()]
    said += [(open_offers(state, at), open_requests(state, at)) for at in (0, 2**50)]
    return said


@settings(max_examples=40, deadline=None)
@given(STEPS, st.randoms(use_true_random=False), st.booleans())
def test_a_state_on_a_snapshot_is_the_same(
    steps: list[Step], rng: random.Random, looks: bool
) -> None:
    """Whatever was covered, whatever came since and in whatever order, all answers are the same."""
    charter, records = history(steps)
    early, late = parted(records, rng)
    fresh = folded(charter, records)
    state = resting(charter, early, late, looks)
    assert state.digest() == fresh.digest()
    assert everything(state, records) == everything(fresh, records)
    for low in (bytes(32), b"\x60" * 32):
        assert state.matching_ids(low, b"\x90" * 32) == fresh.matching_ids(low, b"\x90" * 32)


@settings(max_examples=40, deadline=None)
@given(STEPS, st.randoms(use_true_random=False), st.booleans())
def test_forks_part_what_a_snapshot_covers(
    steps: list[Step], rng: random.Random, looks: bool
) -> None:
    """A log parts before or after the snapshot, once or twice, below what is covered or beyond."""
    charter, records = history(steps)
    teller = Scribe(rng.randbytes(32), charter, rng)
    seeds = {scribe.key: scribe.seed for scribe in village(3)[1]}
    for _ in range(2):
        first = rng.choice(records)
        log = [each for each in records if (each.author, each.log) == (first.author, first.log)]
        place = rng.randrange(len(log))
        rival = Scribe(seeds[first.author], charter, rng)
        rival.log, rival.written = first.log, log[:place]
        if rival.written:
            rival.write("withdraw", {}, rng.choice(records).id)
        else:
            rival.write("incarnation", {"heads": []})
        teller.write("fork", content([log[place:], rival.written[place:]]))
    records += teller.written
    early, late = parted(records, rng)
    fresh = folded(charter, records)
    state = resting(charter, early, late, looks)
    assert state.digest() == fresh.digest()
    assert everything(state, records) == everything(fresh, records)


@settings(max_examples=25, deadline=None)
@example(5331)  # somebody who asked below the snapshot is a member no more
@given(st.integers(0, 10**6))
def test_decisions_on_a_snapshot_are_made_from_the_same(seed: int) -> None:
    """IN-1 to IN-7: parties, deliveries, urgent requests in windows, before and since."""
    rng = random.Random(seed)
    charter, records = peopled(rng)
    early, late = parted(records, rng)
    fresh = folded(charter, records)
    state = resting(charter, early, late, rng.random() < 0.5)
    assert state.digest() == fresh.digest()
    assert asked_so_far(state) == asked_so_far(fresh)
    for key in fresh.roster():
        as_of_ms = NOW_MS + rng.randint(-5, 60) + rng.choice((0, 1_000, 2_000))
        shelf = list(stocks(fresh, key, fresh.latest_log(key), as_of_ms))
        assert list(stocks(state, key, state.latest_log(key), as_of_ms)) == shelf
        for stock in shelf[:2]:
            policy = rng.choice(policies())
            expected = gather(fresh, key, stock, policy, as_of_ms)
            assert gather(state, key, stock, policy, as_of_ms) == expected
