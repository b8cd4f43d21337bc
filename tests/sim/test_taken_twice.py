"""A node that came back from a backup without an acceptance: it takes nothing twice. Spec: 6.6."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from mycelia_protocol import allocate
from mycelia_protocol.publish import Draft
from mycelia_protocol.state import State
from mycelia_sim.audit import Held
from mycelia_sim.evidence import Evidence
from mycelia_sim.laws import grants_settle
from mycelia_sim.plan import Cut, Kill, Plan
from mycelia_sim.virtual.people import People
from mycelia_sim.virtual.run import Played, play_virtual
from support.spenders import SOUP, sharing, wish

Planted = pytest.MonkeyPatch
FIRST = Cut("a", 2_000, 6_500, "reset", False, 0, (("n2", "n3"), ("n0", "n1")), "partition", ())
THEN = replace(FIRST, id="b", at_ms=6_500, until_ms=15_000, groups=(("n2",), ("n0", "n1", "n3")))
LOST = Kill("k", 5_500, "n3", 7_000, "restore_old", 5)


def forgotten() -> Plan:
    """Return a plan in which n3 gets soup of n2, forgets that, and hears of it only at the end.

    All know what it asked for; meanwhile n0 has soup for it, too.
    """
    soups = (replace(SOUP, at_ms=3_000, node="n2"), replace(SOUP, at_ms=9_000))
    plan = sharing(wish(500, "n3", 10), *soups)
    return replace(plan, cuts=(FIRST, THEN), kills=(LOST,), duration_ms=18_000)


def failures(done: Played) -> list[str]:
    """Return the names of the checks that failed."""
    return [check.name for check in done.checks if check.verdict == "fail"]


def written(evidence: Evidence, kind: str, node: str) -> list[Held]:
    """Return the records of a kind that a node wrote, in order of their times."""
    key = bytes.fromhex(evidence.facts.keys[node])
    records = evidence.library.records.values()
    found = (each for each in records if (each.kind, each.author) == (kind, key))
    return sorted(found, key=lambda each: each.time_ms)


def asks_nobody(planted: Planted) -> None:
    """Let people wait until all have told."""
    planted.setattr(People, "_ask_anew", lambda people, token, node: token)


def test_people_withdraw_what_waits_and_ask_anew() -> None:
    """INC-7: what they asked for anew is served at once; the first soup is all of the first."""
    done = play_virtual(forgotten())
    assert failures(done) == []
    first, second = written(done.evidence, "request", "n3")
    assert [each.content["quantity"] for each in (first, second)] == [10, 5]
    grants = {each.refs[1]: each for each in written(done.evidence, "grant", "n2")}
    again = {each.refs[1]: each for each in written(done.evidence, "grant", "n0")}
    said = {each.refs[0]: each.content["accept"] for each in written(done.evidence, "answer", "n3")}
    assert said == {grants[first.id].id: True, again[first.id].id: False, again[second.id].id: True}


def test_without_people_it_waits_for_all_and_takes_nothing_twice(monkeypatch: Planted) -> None:
    """INC-7: once it hears what it accepted, it declines what came later."""
    asks_nobody(monkeypatch)
    done = play_virtual(forgotten())
    assert failures(done) == []
    said = [each.content["accept"] for each in written(done.evidence, "answer", "n3")]
    assert sorted(said) == [False, True]


def test_a_node_that_does_not_wait_takes_it_twice(monkeypatch: Planted) -> None:
    """The harness sees what the rule is good for."""
    answers = allocate.answers

    def careless(state: State, key: bytes, now_ms: int, _: object) -> Iterator[Draft]:
        return answers(state, key, now_ms, lambda log: False)

    monkeypatch.setattr(allocate, "answers", careless)
    assert failures(play_virtual(forgotten())) == ["no_overcommit"]


def test_a_grant_to_what_is_frozen_in_the_end_may_wait(monkeypatch: Planted) -> None:
    """It is counted, and no breach; the same grant to another request is one."""
    asks_nobody(monkeypatch)
    monkeypatch.setattr(allocate, "answers", lambda *args: iter(()))
    evidence = play_virtual(forgotten()).evidence
    check = grants_settle(evidence)
    found = "all 0 grants were answered or taken back; 2 wait for nodes that lost records"
    assert (check.verdict, check.detail) == ("pass", found)
    facts = replace(evidence.facts, frozen=[])
    assert grants_settle(replace(evidence, facts=facts)).verdict == "fail"
