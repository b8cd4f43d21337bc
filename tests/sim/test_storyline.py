"""The timeline of a judged run: what was planned, what fired, what was written."""

from dataclasses import replace

import pytest

from mycelia_sim.checkers import gather
from mycelia_sim.evidence import Evidence
from mycelia_sim.facts import AttemptFact, CutFact, Facts, KillFact
from mycelia_sim.plan import Cut, Plan
from mycelia_sim.planner import draw_plan
from mycelia_sim.scenario import find
from mycelia_sim.scenario_reader import load
from mycelia_sim.storyline import Look, assemble, thin
from mycelia_sim.timeline import Fault, Message, Sample, Timeline, check
from mycelia_sim.verdict import Check, First
from support.outage import outage

PLAN = draw_plan(load(find("river-split"), []))
IDS = [node.id for node in PLAN.nodes]


def look(plan: Plan, messages: tuple[Message, ...] = ()) -> Look:
    """Return a look that saw all nodes well at two moments."""
    count = len(plan.nodes)
    samples = tuple(
        Sample(t_ms, 9, (9,) * count, (6,) * count, count) for t_ms in (0, plan.duration_ms)
    )
    return Look(samples, (), 500, messages)


def facts(plan: Plan) -> Facts:
    """Return the facts of a run in which everything that was planned fired."""
    return Facts(
        cuts={cut.id: CutFact(is_lifted=True) for cut in plan.cuts},
        kills={kill.id: KillFact(kill.node, has_fired=True) for kill in plan.kills},
        attempts=[
            AttemptFact(a.n, a.behaviour, a.target, a.n % 2 == 0, (), "closed")
            for a in plan.attempts
        ],
    )


def evidence(plan: Plan = PLAN) -> Evidence:
    """Return the evidence of a run that left empty disks."""
    return gather(plan, facts(plan), [])


def drawn(plan: Plan) -> Timeline:
    """Return the timeline of a run of a plan."""
    return assemble(evidence(plan), [], look(plan))


def test_the_timeline_of_a_run_fits_together() -> None:
    """What is assembled is a timeline that readers take."""
    timeline = drawn(PLAN)
    check(timeline, "timeline")
    assert [node.id for node in timeline.nodes] == IDS
    assert len(timeline.links) == len(PLAN.links)
    assert timeline.duration_ms == PLAN.duration_ms


def test_faults_are_those_that_fired() -> None:
    """A kill that hit nothing and a cut that never began are no faults of the run."""
    assert {fault.kind for fault in drawn(PLAN).faults} == {"partition", "crash"}
    nothing = gather(PLAN, Facts(), [])
    assert assemble(nothing, [], look(PLAN)).faults == ()


def test_every_fault_has_two_ends_in_the_journal() -> None:
    """A cut is healed, and who lost power comes back, at the times of the plan."""
    events = drawn(PLAN).events
    (cut,) = PLAN.cuts
    at = {(event.kind, event.node): event.t_ms for event in events}
    assert (at["cut", ""], at["heal", ""]) == (cut.at_ms, cut.until_ms)
    for kill in PLAN.kills:
        assert at["kill", kill.node] == kill.at_ms
        assert at["restart", kill.node] == kill.restart_ms


def test_only_what_got_through_is_an_attempt() -> None:
    """What an adversary did is told where and when it reached a node."""
    told = [event for event in drawn(PLAN).events if event.kind == "forgery"]
    assert len(told) == sum(attempt.n % 2 == 0 for attempt in PLAN.attempts)


def one_cut(**change: object) -> Fault:
    """Return the fault that a cut of this kind becomes."""
    (cut,) = PLAN.cuts
    changed: Cut = replace(cut, **change)  # type: ignore[arg-type]
    (fault,) = drawn(replace(PLAN, cuts=(changed,), kills=())).faults
    return fault


@pytest.mark.parametrize(
    ("change", "label"),
    [
        ({}, "the river is cut"),
        ({"oneway": True}, "the river is cut in one direction"),
        ({"mode": "delay"}, "the river is slow"),
        ({"groups": (tuple(IDS[::2]), tuple(IDS[1::2]))}, "the network is cut into 2"),
        ({"groups": ((IDS[0],), (IDS[1],)), "kind": "bridge"}, "only a bridge is left"),
    ],
)
def test_cuts_have_names_for_people(change: dict[str, object], label: str) -> None:
    """The label of a cut says in words what it is."""
    fault = one_cut(**change)
    assert fault.label == label
    assert bool(fault.groups) == (change.get("mode") != "delay")


def test_single_links_are_cut_one_by_one() -> None:
    """A cut of single links parts no group, and names the links."""
    fault = one_cut(groups=(), links=((IDS[0], IDS[1]),), kind="clog")
    assert fault.groups == ()
    assert fault.links == ((IDS[0], IDS[1]),)
    assert fault.label == "links are clogged"


def test_the_violation_is_the_first_that_has_a_time() -> None:
    """Of several failures of safety the one that happened first is drawn, with what was near."""
    message = Message(5_000, 5_100, IDS[0], IDS[3], "push", "")
    stranger = replace(message, sender="liar")
    checks = [
        Check("no_loss", "safety", "fail", "later", First(9_000, IDS[1])),
        Check("no_forgery", "safety", "fail", "first", First(5_000, IDS[3])),
        Check("convergence", "liveness", "fail", "other", First(10, IDS[0])),
        Check("bodies_intact", "safety", "fail", "nobody looked", First(None, IDS[0])),
        Check("agreement", "safety", "pass", "fine"),
    ]
    timeline = assemble(evidence(), checks, look(PLAN, (message, stranger)))
    assert timeline.violation is not None
    assert (timeline.violation.check, timeline.violation.t_ms) == ("no_forgery", 5_000)
    assert timeline.violation.messages == (message,)
    assert [e.node for e in timeline.events if e.kind == "violation"] == [IDS[3]]
    assert assemble(evidence(), checks[2:], look(PLAN)).violation is None


def test_long_runs_are_thinned() -> None:
    """However long a run was, its file holds some hundred samples, both ends among them."""
    sample = outage(2).samples[0]
    many = [replace(sample, t_ms=n) for n in range(5_000)]
    for nodes, most in ((30, 600), (5_000, 200)):
        kept = thin(many, nodes)
        assert len(kept) == most
        assert (kept[0], kept[-1]) == (many[0], many[-1])
    assert thin(many[:50], 30) == tuple(many[:50])
