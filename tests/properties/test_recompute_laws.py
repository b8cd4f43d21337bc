"""Laws of making decisions once more: running indexes say what looking at everything says."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from mycelia_protocol.gather import gather
from mycelia_protocol.gatherer import Gatherer
from mycelia_protocol.horizon import chains
from mycelia_protocol.purses import stock_of, stocks
from mycelia_protocol.recompute import deciding_logs, recompute_all
from mycelia_protocol.state import State
from support.deciders import NOW_MS, by_log, quarter
from support.peopled import peopled, policies
from support.scribe import village


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6))
def test_running_indexes_give_what_looking_at_everything_gives(seed: int) -> None:
    """IN-1 to IN-6: whatever arrives in whatever order, and whatever was asked on the way."""
    rng = random.Random(seed)
    charter, records = peopled(rng)
    keys = sorted({each.author for each in records})
    rng.shuffle(records)
    records.sort(key=lambda each: each.kind == "fork")  # proven once much was looked at
    state = State(charter)
    gatherer = Gatherer(state)
    looks = {*rng.sample(range(len(records)), 12), len(records) - 2, len(records) - 1}
    for added, record in enumerate(records):
        state.add(record)
        for key in keys if added in looks else ():
            as_of_ms = NOW_MS + rng.randint(-5, 60) + rng.choice((0, 1_000, 2_000))
            log = state.latest_log(key)
            for stock in list(stocks(state, key, log, as_of_ms))[:2]:
                assert stock_of(state, key, log, stock.purse, stock.slot, as_of_ms) == stock
                policy = rng.choice(policies())
                expected = gather(state, key, stock, policy, as_of_ms)
                assert gatherer.gather(key, stock, policy, as_of_ms) == expected


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
    keys = deciding_logs(logs)
    found = list(recompute_all(charter, logs, keys))
    assert [each for each in found if not each.recomputes] == []
    decided = {r.id for log in logs.values() for r in log if r.kind == "decision"}
    assert {each.decision for each in found} == decided
    assert len(found) == len(decided)
    arranged = chains(logs, keys)
    alone = [one for key in keys for one in chains(logs, [key])]
    assert sum(each.size for each in arranged) <= sum(each.size for each in alone)
