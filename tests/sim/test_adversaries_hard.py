"""Attacks that once worked, each as its own script, in a small city."""

import pytest

from mycelia_protocol.events import Range
from mycelia_protocol.frame_rows import TaggedRange
from mycelia_protocol.messages import HeadEntry, Heads, Push, Records
from mycelia_protocol.types.heads import tag_of
from mycelia_sim.adversaries.act import Act, Script
from mycelia_sim.adversaries.behaviours import BEHAVIOURS
from mycelia_sim.adversaries.pen import OFFER
from mycelia_sim.adversaries.talk import Steps
from mycelia_sim.plan import Cut
from mycelia_sim.virtual.run import Played, play_virtual
from support.liars import a_plan, attempt

HEAL_MS = 20_000
DROP_MS = 18_000  # just before an answer counts as overdue


def played(
    monkeypatch: pytest.MonkeyPatch, script: Script, *cuts: Cut, duration_ms: int = 60_000
) -> Played:
    """Run a city with one adversary that follows a script; no check may fail."""
    monkeypatch.setitem(BEHAVIOURS, "script", script)
    plan = a_plan(attempt("script"), duration_ms=duration_ms, cuts=cuts)
    done = play_virtual(plan)
    failed = [str(check) for check in done.checks if check.verdict == "fail"]
    assert not failed, failed
    (fact,) = done.world.facts.attempts
    assert fact.is_delivered, fact.answer
    return done


def write_on_at_both_ends(act: Act) -> Steps[None]:
    """Fork a log and go on at both ends for a long time."""
    first = yield from act.greet()
    second = yield from act.greet(act.attempt.victim)
    here = act.pen()
    there = here.fork()
    act.liar.forked.append(here.key)
    for turn in range(300):
        for talk, pen in ((first, here), (second, there)):
            pen.write("offer", {**OFFER, "title": f"{id(pen) == id(here)} {turn}"})
            talk.say(Push(tuple(pen.records) if not turn else (pen.records[-1],)))
        yield from act.sleep(50)
    yield from act.probe(first)


def test_a_fork_that_goes_on_costs_honest_links_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """LOG-8: once it is seen, nobody asks for the other branch again and again."""
    quiet = play_virtual(a_plan()).world.network.traffic.bytes
    done = played(monkeypatch, write_on_at_both_ends)
    assert done.world.network.traffic.bytes < 3 * quiet
    assert done.world.facts.blames == []


def give_drop_by_drop(act: Act) -> Steps[None]:
    """Learn what the other side has, claim it truly, and give one record as late as may be."""
    source = yield from act.greet(act.attempt.victim)
    yield from act.sleep(HEAL_MS - 4_000)
    ranges = [Range(*key, 0, entry.next_seq - 1) for key, entry in sorted(source.heads.items())]
    given = yield from source.fetch(ranges)
    known = {(r.author, r.log, r.seq): r for r in given}
    known.update({(r.author, r.log, r.seq): r for r in source.pushed if r.signature})
    tops: dict[tuple[bytes, bytes], int] = {}
    for author, log, seq in known:
        tops[author, log] = max(seq + 1, tops.get((author, log), 0))
    target = yield from act.greet()
    target.serving = "silence"
    yield from act.probe(target)
    entries = [HeadEntry(*key, top, known[(*key, top - 1)].id[:8]) for key, top in tops.items()]
    named = {(tag_of(author, log), seq): record for (author, log, seq), record in known.items()}
    answered = 0
    while target.is_open:
        target.say(Heads(tuple(entries), complete=True))
        yield from act.sleep(DROP_MS)
        waiting, answered = target.asked[answered:], len(target.asked)
        for wanted in waiting:
            tagged = [one for one in wanted if isinstance(one, TaggedRange)]
            found = [named.get((one.tag, one.first)) for one in tagged]
            drop = next((one for one in found if one is not None and one.signature), None)
            target.say(Records(() if drop is None else (drop,)))


def test_a_partition_heals_though_a_peer_gives_drop_by_drop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """REP-5: such a peer may hold what it was asked for until it is overdue, and no longer."""
    groups = (("n0",), ("n1", "n2", "n3", "n4"))
    cut = Cut("cut", 2_000, HEAL_MS, "reset", False, 0, groups, "partition", ())
    done = played(monkeypatch, give_drop_by_drop, cut, duration_ms=90_000)
    bound_us = done.world.began_us + (HEAL_MS + 45_000) * 1_000
    late = [
        journey.kind
        for journey in done.world.journeys.values()
        if journey.born_us < done.world.began_us + HEAL_MS * 1_000
        and journey.arrivals["n0"] > bound_us
    ]
    assert not late


def begin_many_logs(act: Act) -> Steps[None]:
    """Begin a thousand logs."""
    talk = yield from act.greet()
    for _ in range(10):
        pens = [act.pen() for _ in range(100)]
        talk.say(Push(tuple(pen.records[0] for pen in pens)))
        yield from act.sleep(100)
    yield from act.probe(talk)


def test_a_member_with_a_thousand_logs_is_borne(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them are on every node, and honest records travel as before."""
    done = played(monkeypatch, begin_many_logs, duration_ms=30_000)
    logs = {len({record.log for record in node.records()}) for node in done.world.nodes.values()}
    assert len(logs) == 1
    assert logs.pop() > 1_000
    delays = [
        max(journey.arrivals.values()) - journey.born_us for journey in done.world.journeys.values()
    ]
    assert max(delays) < 2_000_000


def push_to_two_at_nearly_the_limit(act: Act) -> Steps[None]:
    """Push single records to two nodes, to each nearly as many as it allows."""
    first = yield from act.greet()
    talks = (first, (yield from act.greet(act.attempt.victim)))
    pens = [act.pen(), act.pen()]
    for talk, pen in zip(talks, pens, strict=True):
        talk.say(Push(tuple(pen.records)))
    for _ in range(60):
        for talk, pen in zip(talks, pens, strict=True):
            for _ in range(38):
                talk.say(Push((pen.write("offer", OFFER),)))
        yield from act.sleep(100)
    yield from act.probe(first)


@pytest.mark.slow
def test_what_two_nodes_relay_makes_neither_look_like_a_flooder(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Spec 9.5: a relay keeps below the rate of its neighbour, whatever it is pushed itself."""
    done = played(monkeypatch, push_to_two_at_nearly_the_limit, duration_ms=20_000)
    assert done.world.facts.blames == []
