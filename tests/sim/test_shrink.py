"""Shrinking: what is left is what matters, it still fails in the same way, and it runs alone."""

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mycelia_sim import reduce
from mycelia_sim.ddmin import ddmin
from mycelia_sim.errors import ScenarioError
from mycelia_sim.fingerprint import Fingerprint, kind_of, of_exception
from mycelia_sim.plan import Attempt, Plan, build_plan
from mycelia_sim.progress import Progress
from mycelia_sim.shrink import Shrinker, Shrunk
from support.planted import planted_plan

BROKEN = Fingerprint("no_loss", "a record is gone")
QUIET = Progress(is_quiet=True)


def fault_ids(plan: Plan) -> set[str]:
    """Return the ids of all faults."""
    return {fault.id for _, fault in reduce.faults_of(plan)}


def shrunk(plan: Plan, oracle: Callable[[Plan], Iterable[Fingerprint]], budget_s: float) -> Shrunk:
    """Shrink a plan for the one fingerprint of these tests."""
    return Shrinker(oracle, BROKEN, budget_s, QUIET).shrink(plan)


# --- the algorithm ---


@given(st.lists(st.booleans(), max_size=40))
def test_ddmin_finds_exactly_what_is_needed(is_needed: list[bool]) -> None:
    """Where a part passes if it holds certain items, the answer is those items, in order."""
    needed = [n for n, yes in enumerate(is_needed) if yes]
    assert ddmin(range(len(is_needed)), lambda part: set(needed) <= set(part)) == needed


@given(st.sets(st.frozensets(st.integers(0, 11), max_size=5), min_size=1, max_size=6))
def test_ddmin_leaves_nothing_that_can_go(ways: set[frozenset[int]]) -> None:
    """With several ways to pass, and parts that pass by chance, no single item can go."""

    def test(part: list[int]) -> bool:
        return len(part) == 12 or any(way == set(part) for way in ways)

    rest = ddmin(range(12), test)
    assert test(rest)
    assert rest == sorted(rest)
    assert not any(test([one for one in rest if one != item]) for item in rest)


def test_ddmin_takes_few_tries() -> None:
    """Three items of 64 are found in less than fifty tries."""
    tried = []

    def test(part: list[int]) -> bool:
        tried.append(part)
        return {3, 30, 59} <= set(part)

    assert ddmin(range(64), test) == [3, 30, 59]
    assert len(tried) < 50


# --- smaller plans ---


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_smaller_plan_fits_together(data: st.DataObject) -> None:
    """Whatever is taken out, the plan is still one that loads: nothing speaks of what is gone."""
    plan = planted_plan()
    attempts = tuple(Attempt(n, "x00", 100 * n, "replay", "n00", "n02") for n in range(5))
    plan = replace(plan, attempts=attempts)
    nodes = [node.id for node in plan.nodes]
    kept = data.draw(st.sets(st.sampled_from(nodes), min_size=2))
    faults = data.draw(st.sets(st.sampled_from([key for key, _ in reduce.faults_of(plan)])))
    posts = data.draw(st.sets(st.sampled_from([post.n for post in plan.posts])))
    end_ms = data.draw(st.integers(0, plan.duration_ms))
    steps: list[Callable[[Plan], Plan]] = [
        lambda one: reduce.keep_nodes(one, kept),
        lambda one: reduce.keep_faults(one, faults),
        lambda one: reduce.keep_posts(one, posts),
        lambda one: reduce.keep_attempts(one, {0, 3}),
        lambda one: reduce.truncate(one, end_ms),
        lambda one: reduce.shift(one, reduce.first_ms(one)),
    ]
    for step in data.draw(st.permutations(steps)):
        plan = step(plan)
    assert build_plan(json.loads(plan.to_json()), "smaller") == plan
    begun = [one.at_ms for one in plan.posts] + [one.at_ms for one in plan.attempts]
    begun += [fault.at_ms for _, fault in reduce.faults_of(plan)]
    assert all(at_ms >= 0 for at_ms in begun)
    assert {node.id for node in plan.nodes} == kept
    assert all(fault.at_ms < plan.duration_ms for _, fault in reduce.faults_of(plan))


def test_what_is_kept_is_not_shifted() -> None:
    """A node that goes leaves the times of all other things alone, and paths through it remain."""
    plan = planted_plan()
    less = reduce.keep_nodes(plan, {"n00", "n02", "n03"})
    assert {post.n for post in less.posts} <= {post.n for post in plan.posts}
    assert all(post in plan.posts for post in less.posts)
    assert less.shapes == tuple(one for one in less.shapes if one in plan.shapes)
    reached, rest = {"n00"}, ["n00"]
    while rest:
        one = rest.pop()
        near = {b for link in less.links for a, b in _both(link) if a == one} - reached
        reached |= near
        rest += sorted(near)
    assert reached == {"n00", "n02", "n03"}


def _both(link: Any) -> tuple[tuple[str, str], tuple[str, str]]:
    return (link.dialer, link.listener), (link.listener, link.dialer)


# --- shrinking ---


def test_three_faults_of_64_are_found() -> None:
    """Of 64 faults, 3 make the failure: exactly they are left, and little else."""
    plan = planted_plan()
    matter = {"cut-0", "shape-31", "kill-1"}
    assert len(fault_ids(plan)) == 64
    assert matter <= fault_ids(plan)
    result = shrunk(plan, lambda one: [BROKEN] if matter <= fault_ids(one) else [], 60)
    assert fault_ids(result.plan) == matter
    assert result.is_done
    assert (result.plan.posts, result.plan.attempts) == ((), ())
    assert len(result.plan.nodes) < 4
    assert result.tries < 400


def test_another_failure_is_not_accepted() -> None:
    """A candidate that fails in another way is not a smaller form of the same failure."""
    plan = planted_plan()

    def oracle(one: Plan) -> list[Fingerprint]:
        return [BROKEN] if len(fault_ids(one)) > 10 else [Fingerprint("no_loss", "another")]

    assert len(fault_ids(shrunk(plan, oracle, 60).plan)) == 11
    with pytest.raises(ScenarioError, match="does not fail"):
        shrunk(plan, lambda _: [Fingerprint("no_loss", "another")], 60)


def test_a_verdict_is_remembered() -> None:
    """No plan is run twice."""
    seen: list[str] = []

    def oracle(one: Plan) -> list[Fingerprint]:
        seen.append(one.to_json())
        return [BROKEN] if "kill-1" in fault_ids(one) else []

    result = shrunk(planted_plan(), oracle, 60)
    assert len(seen) == len(set(seen)) == result.tries
    assert result.remembered > 0


def test_when_time_is_up_the_best_so_far_is_returned() -> None:
    """A budget of nothing gives the plan back as it is, and says that more might go."""
    plan = planted_plan()
    result = shrunk(plan, lambda _: [BROKEN], 0)
    assert not result.is_done
    assert result.plan == plan


def test_an_interrupt_keeps_the_best_so_far() -> None:
    """Ctrl-C in the middle gives the smallest plan found until then."""
    calls = 0

    def oracle(one: Plan) -> list[Fingerprint]:
        nonlocal calls
        calls += 1
        if calls == 12:
            raise KeyboardInterrupt
        return [BROKEN] if "kill-1" in fault_ids(one) else []

    result = shrunk(planted_plan(), oracle, 60)
    assert result.is_interrupted
    assert "kill-1" in fault_ids(result.plan)
    assert len(fault_ids(result.plan)) < 64


# --- fingerprints ---


@pytest.mark.parametrize(
    ("detail", "kind"),
    [
        (
            "offer 12ab34cd56ef7890 of n03 is on no node (and 4 more)",
            "offer ID of NODE is on no node",
        ),
        ("n12: 30 promised of offer 00ff00ff00ff00ff, which has 20", None),
        ("the nodes did not agree within 4.5 s after the workload", None),
        ("n01: told digest mycs1qpzry9x8gf2t, its records give mycs1qqqq", None),
    ],
)
def test_a_fingerprint_has_no_ids_and_no_amounts(detail: str, kind: str | None) -> None:
    """Two failures of the same kind have the same fingerprint, whatever the seed."""
    found = kind_of(detail)
    assert kind is None or found == kind
    assert not any(character.isdigit() for character in found)
    assert "mycs" not in found


def test_a_crash_has_a_fingerprint() -> None:
    """A run that broke off is told apart by what was raised where."""
    with pytest.raises(ZeroDivisionError) as caught:
        ddmin([1, 2], lambda part: bool(1 // len(part)))
    found = of_exception(caught.value)
    assert found == Fingerprint("harness", "ZeroDivisionError in test_shrink.<lambda>")
