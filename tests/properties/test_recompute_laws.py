"""Laws of making decisions once more: running indexes say what looking at everything says."""

import random
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from mycelia_protocol import gatherer as gatherer_module
from mycelia_protocol.archive import Archive, LogKey
from mycelia_protocol.archived import ArchiveIndex
from mycelia_protocol.gather import gather
from mycelia_protocol.gatherer import Gatherer
from mycelia_protocol.horizon import Chains
from mycelia_protocol.purses import stock_of, stocks
from mycelia_protocol.recompute import Recomputing, deciding_logs
from mycelia_protocol.record import Record
from mycelia_protocol.state import State
from mycelia_protocol.types.fork import Fork
from mycelia_protocol.types.grant import Grant
from mycelia_protocol.types.request import Request
from mycelia_protocol.types.vouch import Vouch
from support.deciders import NOW_MS, by_log, quarter
from support.peopled import peopled, policies
from support.scribe import village


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.booleans())
def test_running_indexes_give_what_looking_at_everything_gives(seed: int, lean: bool) -> None:
    """IN-1 to IN-6: whatever arrives in whatever order, and whatever was asked on the way.

    Lean is a state over an archive, that remembers nearly nothing and lets go of what is old at
    once; clocks go back behind that, too.
    """
    rng = random.Random(seed)
    charter, records = peopled(rng)
    keys = sorted({each.author for each in records})
    archive = Archive.of(logs_of(records))
    rng.shuffle(records)
    records.sort(key=lambda each: each.kind == "fork")  # proven once much was looked at
    state = State(charter, archive.read, ArchiveIndex(archive)) if lean else State(charter)
    state.derivations_max = 2 if lean else state.derivations_max
    looks = {*rng.sample(range(len(records)), 12), len(records) - 2, len(records) - 1}
    with patch.multiple(gatherer_module, PRUNE_EVERY=1 if lean else 1_024, LATE_MS=0):
        gatherer = Gatherer(state)
        for added, record in enumerate(records):
            state.add(record)
            for key in keys if added in looks else ():
                is_early = lean and added < len(records) - 2
                later_ms = 2_000 if is_early else rng.choice((0, 1_000, 2_000))
                as_of_ms = NOW_MS + rng.randint(-5, 60) + later_ms
                log = state.latest_log(key)
                for stock in list(stocks(state, key, log, as_of_ms))[:2]:
                    assert stock_of(state, key, log, stock.purse, stock.slot, as_of_ms) == stock
                    policy = rng.choice(policies())
                    expected = gather(state, key, stock, policy, as_of_ms)
                    assert gatherer.gather(key, stock, policy, as_of_ms) == expected


def logs_of(records: list[Record]) -> dict[LogKey, list[Record]]:
    """Return records by log, each in its order."""
    logs: dict[LogKey, list[Record]] = {}
    for record in sorted(records, key=lambda each: each.seq):
        logs.setdefault((record.author, record.log), []).append(record)
    return logs


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6))
def test_a_state_over_an_archive_is_the_state_of_the_same_records(seed: int) -> None:
    """Whatever is looked up in between, and however little of it is remembered."""
    rng = random.Random(seed)
    charter, records = peopled(rng)
    archive = Archive.of(logs_of(records))
    rng.shuffle(records)
    plain, lean = State(charter), State(charter, archive.read, ArchiveIndex(archive))
    lean.derivations_max = rng.randint(1, 30)
    looks = {*rng.sample(range(len(records)), 5), len(records) - 1}
    for added, record in enumerate(records):
        plain.add(record)
        lean.add(record)
        if added in looks:
            assert lean.digest() == plain.digest()
    for family in (Request, Grant, Vouch, Fork):
        assert lean.every(family) == plain.every(family)
        assert set(lean.ids(family)) == {each.id for each in plain.every(family)}
        for key in plain.roster():
            assert lean.by_author(key, family) == plain.by_author(key, family)
            assert lean.addressed_to(key, family) == plain.addressed_to(key, family)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6))
def test_decisions_from_any_views_recompute_along_chains(seed: int) -> None:
    """AUD-1: each decision was made from a state of its own, folded anew; together they recompute.

    Views lag behind each other anyhow, so that most are not comparable.
    """
    rng = random.Random(seed)
    charter, scribes = village(3)
    quarter(scribes, rng, steps=40)
    logs = by_log(scribes)
    archive = Archive.of(logs)
    keys = deciding_logs(archive)
    found = list(Recomputing(charter, archive, keys).findings())
    assert [each for each in found if not each.recomputes] == []
    decided = {r.id for log in logs.values() for r in log if r.kind == "decision"}
    assert {each.decision for each in found} == decided
    assert len(found) == len(decided)
    together, alone = cost(archive, keys), sum(cost(archive, [key]) for key in keys)
    assert together <= alone


def cost(archive: Archive, keys: list[LogKey]) -> int:
    """Return how many records have to be folded for the decisions of some logs."""
    chains = Chains(archive, keys)
    for _ in chains.sights():
        assert len(chains.found) <= len(keys)
    return sum(each.size for each in chains.found)
