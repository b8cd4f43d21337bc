"""Laws of making decisions once more: running indexes say what looking at everything says."""

import random
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from mycelia_protocol.charter import Charter
from mycelia_protocol.crypto import public_key
from mycelia_protocol.gather import gather
from mycelia_protocol.gatherer import Gatherer
from mycelia_protocol.horizon import chains
from mycelia_protocol.purses import stock_of, stocks
from mycelia_protocol.recompute import deciding_logs, recompute_all
from mycelia_protocol.record import Record
from mycelia_protocol.sharing.baselines import baseline
from mycelia_protocol.sharing.categories import UNITS
from mycelia_protocol.sharing.policy import Policy
from mycelia_protocol.state import State
from mycelia_protocol.types.fork import content as fork_content
from support.deciders import NOW_MS, by_log, quarter
from support.histories import OFTEN, history
from support.scribe import WATER, Scribe, village

SMALL = {("*", unit): 1 + n for n, unit in enumerate(UNITS)}  # a drop is worth something


def policies() -> list[Policy]:
    """Return policies with windows and tables that differ."""
    long = replace(baseline("balanced"), person_days=SMALL)
    return [
        replace(long, id=bytes([n]) * 32, window_s=window_s) for n, window_s in enumerate((1, 2))
    ]


def peopled(rng: random.Random) -> tuple[Charter, list[Record]]:
    """Return a made-up history in which some requests are for parties, and a log may part."""
    kinds = [*("offer", "request") * 4, *("grant", "answer", "receipt") * 8]
    kinds += rng.choices(OFTEN, k=40)
    drawn = [(k, rng.randrange(3), rng.randrange(31), rng.randrange(31)) for k in kinds]
    charter, records = history([(*step, rng.randint(1, 12)) for step in drawn])
    written = []
    for seed in (each.seed for each in village(3)[1]):
        writer = Scribe(seed, charter, rng)  # on a log of its own, beside that of the history
        writer.write("profile", {"name": "x", "members": rng.randint(1, 9)})
        party = writer.write(
            "party", {"form": rng.choice(("ecosystem", "people")), "name": "River"}
        )
        for urgency in ("now", "days"):
            wanted = {**WATER, "quantity": 5, "urgency": urgency, "on_behalf_of": party.id}
            writer.write("request", {**wanted, "expires_ms": NOW_MS + rng.randint(0, 60)})
        written += writer.written
    if rng.random() < 0.6:
        first = rng.choice(records)
        log = [each for each in records if (each.author, each.log) == (first.author, first.log)]
        seeds = {public_key(each.seed): each.seed for each in village(3)[1]}
        rival = Scribe(seeds[first.author], charter, rng)
        place = rng.randrange(1, len(log)) if len(log) > 1 else 0
        rival.log, rival.written = first.log, log[:place]
        rival.write("incarnation" if place == 0 else "party", {"heads": ()} if place == 0 else {})
        proof = Scribe(seeds[first.author], charter, rng)
        proof.write("fork", fork_content([log[place:], rival.written[place:]]))
        written += proof.written
    return charter, [*records, *written]


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
