"""Laws of decisions: the quick way is the plain way, nothing is given twice, order is no matter."""

import os
import random
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from independent.policy import read_policy as read_plainly
from independent.scoring import Scorer
from mycelia_protocol.sharing.decide import Decision, decide
from mycelia_protocol.sharing.gates import GATES
from mycelia_protocol.sharing.policy import FACTORS, read_policy, write_policy
from support.decisions import (
    NOW_MS,
    Drawing,
    World,
    key,
    plain_inputs,
    plain_outcome,
)
from vectors.cases_policy import policies

BYTES = {name: write_policy(found) for name, found in policies().items()}
POLICIES = {name: read_policy(data) for name, data in BYTES.items()}
names = st.sampled_from(sorted(POLICIES))


def drawn_worlds() -> st.SearchStrategy[World]:
    """Return a strategy of worlds, half of them odd."""
    return st.builds(
        lambda seed, is_odd: Drawing(seed, is_odd).world(),
        st.integers(0, 2**32),
        st.booleans(),
    )


def plainly(policy: str, world: World) -> dict[str, Any]:
    """Return what the second scorer makes of a world; it scores everybody before each part."""
    document, policy_id = read_plainly(BYTES[policy])
    inputs = plain_inputs(*world)
    parts = (inputs["offer"], inputs["requests"], inputs["collectives"])
    return Scorer(document, policy_id, NOW_MS, *parts).outcome()


@settings(max_examples=150, deadline=None)
@given(names, drawn_worlds())
def test_the_quick_way_is_the_plain_way(policy: str, world: World) -> None:
    """A heap of collectives gives what scoring everybody anew before each part gives."""
    decision = decide(POLICIES[policy], *world, NOW_MS)
    assert plain_outcome(decision) == plainly(policy, world)


@settings(max_examples=80, deadline=None)
@given(names, drawn_worlds())
def test_nothing_is_given_twice_or_beyond_a_bound(policy: str, world: World) -> None:
    """Whole lots, at least the first part, no more than is lacking, offered or allowed."""
    offer, requests, _ = world
    decision = decide(POLICIES[policy], *world, NOW_MS)
    wanted = {request.id: request for request in requests}
    assert sum(each.given for each in decision.candidates) <= decision.available <= offer.left
    assert sorted(each.request for each in decision.candidates) == sorted(wanted)
    for each in decision.candidates:
        assert each.given % offer.lot == 0
        assert each.given <= min(wanted[each.request].lacking, wanted[each.request].grant_max)
        assert each.given == 0 or each.given >= decision.first
        if set(each.gates) & set(GATES):
            assert each.given == 0
        if each.factors is not None:
            assert all(0 <= factor <= 1_000 for factor in each.factors)
            assert each.score is not None
            assert 0 <= each.score <= 1_000_000


@settings(max_examples=60, deadline=None)
@given(names, drawn_worlds())
def test_who_could_take_more_was_not_left_with_nothing_over(policy: str, world: World) -> None:
    """What is left over at the end is less than any candidate could take."""
    offer, requests, _ = world
    decision = decide(POLICIES[policy], *world, NOW_MS)
    wanted = {request.id: request for request in requests}
    left = decision.available - sum(each.given for each in decision.candidates)
    for each in decision.candidates:
        if not set(each.gates) & set(GATES):
            request = wanted[each.request]
            room = min(request.lacking, request.grant_max) // offer.lot * offer.lot - each.given
            assert min(room, left) < (offer.lot if each.given else decision.first)


@settings(max_examples=60, deadline=None)
@given(names, drawn_worlds(), st.integers(0, 2**32))
def test_the_order_of_the_inputs_is_no_matter(policy: str, world: World, seed: int) -> None:
    """Requests and collectives in any order give the same decision."""
    offer, requests, everybody = world
    decision = decide(POLICIES[policy], *world, NOW_MS)
    rng = random.Random(seed)
    shuffled = decide(
        POLICIES[policy],
        offer,
        rng.sample(requests, len(requests)),
        rng.sample(everybody, len(everybody)),
        NOW_MS,
    )
    assert shuffled == decision


@settings(max_examples=60, deadline=None)
@given(drawn_worlds(), st.integers(2, 5))
def test_cutting_a_request_into_many_raises_no_score(world: World, pieces: int) -> None:
    """A request cut into pieces has in each piece at most the score that it had whole."""
    offer, requests, everybody = world
    policy = POLICIES["no floors"]
    whole = _scores(decide(policy, *world, NOW_MS))
    for request in requests[:1]:
        part = request.lacking // pieces
        rest = request.lacking - part * (pieces - 1)
        cut = [
            replace(request, id=key(f"piece {n}"), lacking=part if n else rest)
            for n in range(pieces)
        ]
        decision = decide(policy, offer, [*cut, *requests[1:]], everybody, NOW_MS)
        for piece in cut:
            assert _scores(decision).get(piece.id, 0) <= whole.get(request.id, 0)


@settings(max_examples=60, deadline=None)
@given(drawn_worlds())
def test_who_received_more_has_no_higher_equity(world: World) -> None:
    """Whoever received more before has no higher equity and no higher score."""
    offer, requests, everybody = world
    policy = POLICIES["equity"]
    before = decide(policy, *world, NOW_MS)
    for chosen in everybody[:2]:
        fuller = [
            replace(each, received=each.received + 10**6) if each is chosen else each
            for each in everybody
        ]
        after = decide(policy, offer, requests, fuller, NOW_MS)
        scores, equity = _scores(after), FACTORS.index("equity")
        for candidate in before.candidates:
            if candidate.collective == chosen.id and candidate.factors is not None:
                if before.mean == 0:
                    continue  # equity says nothing then
                assert scores[candidate.request] <= candidate.factors[equity] * 1_000


def _scores(decision: Decision) -> dict[bytes, int]:
    return {each.request: each.score for each in decision.candidates if each.score is not None}


PROGRAM = """
import hashlib, sys
sys.path[:0] = sys.argv[1:]
from mycelia_protocol.sharing.baselines import BASELINES, baseline
from mycelia_protocol.sharing.change import Inputs, changes
from support.decisions import NOW_MS, Drawing
from mycelia_protocol.sharing.decide import settle
found = hashlib.sha256()
for number in range(48):
    world = Drawing(number, is_odd=number % 2 == 0).world()
    inputs = Inputs(baseline(BASELINES[number % 6]), *world, NOW_MS)
    found.update(repr((settle(inputs.judge()), changes(inputs))).encode())
print(found.hexdigest())
"""


def test_two_processes_decide_alike() -> None:
    """Processes that hash differently come to the same decisions and the same explanations."""
    folders = [str(Path(__file__).parents[up] / name) for up, name in ((2, "protocol"), (1, "."))]
    answers = set()
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, *folders],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        answers.add(done.stdout)
    assert len(answers) == 1
