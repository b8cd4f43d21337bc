"""Engines that decide by the policy in force, or as people say: every decision recomputes."""

import pytest

from mycelia_protocol import events, turns
from mycelia_protocol.approvals import approval_of
from mycelia_protocol.encoding import Value
from mycelia_protocol.recompute import Finding, recompute
from mycelia_protocol.sharing.baselines import baseline, document
from mycelia_protocol.sharing.policy import write_policy
from mycelia_protocol.types.decision import Decided
from mycelia_protocol.types.grant import Grant
from mycelia_protocol.types.promises import grant_state, grants_to, request_state
from mycelia_protocol.types.request import Request
from support.mesh import Mesh, Node

WAIT_MS = 600_000
Grants = tuple[tuple[bytes, int], ...]
WATER: dict[str, Value] = {"category": "food.water", "title": "Water", "unit": "mL"}


def deciding_mesh(count: int) -> Mesh:
    """Return nodes in a row that decide by the policy."""
    mesh = Mesh(count=count, decide=True, confirm_handovers=True, accept_within_ms=WAIT_MS)
    for one, other in zip(mesh.nodes, mesh.nodes[1:], strict=False):
        mesh.connect(one, other)
    mesh.run(120_000)
    return mesh


def findings(at: Node, of: Node) -> list[Finding]:
    """Make all decisions of a node once more, from another one's disk."""
    logs = [key for key in sorted(at.disk.logs) if key[0] == of.key]
    found = [recompute(at.mesh.charter, at.disk.logs, key) for key in logs]
    return [finding for each in found for finding in each]


def ask(node: Node, quantity: int, urgency: str = "days") -> bytes:
    """Let a node ask for water."""
    return node.publish("request", {**WATER, "quantity": quantity, "urgency": urgency})


def test_of_many_who_could_grant_mostly_one_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each waits for its turn, and hears before it that somebody was quicker."""

    def grants_of_each_request() -> list[int]:
        mesh = deciding_mesh(5)
        asking, *giving = mesh.nodes
        for node in giving:
            node.publish("offer", {**WATER, "quantity": 50_000, "lot": 500})
        mesh.run(60_000)
        for _ in range(5):
            ask(asking, 4_000)
            mesh.run(60_000)
        state = asking.engine.state
        requests = state.every(Request)
        assert all(request_state(state, each.id).filled == 4_000 for each in requests)
        return [len(list(grants_to(state, each.id))) for each in requests]

    assert sum(grants_of_each_request()) < 10
    monkeypatch.setattr(turns, "TURN_MAX_MS", 0)
    assert sum(grants_of_each_request()) >= 15, "else nearly all do"


def test_every_decision_recomputes_at_every_node() -> None:
    """Contention, answers, hand-overs, a new policy and a restart in between."""
    mesh = deciding_mesh(3)
    mill, oak, elm = mesh.nodes
    ask(oak, 7_000)
    ask(elm, 9_000, "now")
    mill.publish("offer", {**WATER, "quantity": 10_000, "lot": 500})
    mesh.run(60_000)
    data = write_policy({**document("balanced"), "epoch": 1, "previous": baseline("fifo").id})
    mill.publish("policy", {"document": data})
    for link in list(mesh.ends):
        mesh.cut(link)
    mesh.settle()
    mill.start(mill.engine.resumable_log)
    for one, other in ((mill, oak), (oak, elm)):
        mesh.connect(one, other)
    mesh.run(120_000)
    mill.publish("offer", {**WATER, "quantity": 9_000, "lot": 500})
    elm.publish("offer", {**WATER, "quantity": 2_000, "lot": 500})
    ask(oak, 4_000, "now")
    mesh.run(120_000)
    for at in mesh.nodes:
        state = at.engine.state
        grants, decisions = state.every(Grant), state.every(Decided)
        assert decisions
        assert {each.refs[-1] for each in grants} == {each.id for each in decisions}
        assert len({each.body.policy for each in decisions}) == 2, "both policies were followed"
        found = [finding for of in mesh.nodes for finding in findings(at, of)]
        assert len(found) == len(decisions)
        assert [each for each in found if not each.recomputes] == []


def test_who_lets_a_grant_lapse_pauses_as_long_as_it_made_others_wait() -> None:
    """It has the better claim and never answers: the next decision passes it by, and is found fair.

    With nobody else asking, the goods wait for it again when its pause is over.
    """
    mesh = deciding_mesh(3)
    mill, silent, waiting = mesh.nodes
    wanted = ask(silent, 5_000, "now")
    mesh.run(1_000)
    for link in list(mesh.ends):
        mesh.cut(link)
    mill.publish("offer", {**WATER, "quantity": 5_000, "lot": 500})
    mesh.run(60_000)
    asked = ask(waiting, 4_000, "anytime")
    mesh.connect(mill, waiting)
    mesh.run(WAIT_MS)
    state = mill.engine.state
    first, second = [each for each in state.every(Decided) if each.author == mill.key]
    assert [row.given for row in first.body.rows] == [5_000]
    assert {row.request: row.given for row in second.body.rows} == {wanted: 0, asked: 4_000}
    mesh.run(WAIT_MS)
    again = [each for each in state.every(Decided) if each.author == mill.key][2:]
    assert [row.given for each in again for row in each.body.rows] == [1_000]
    assert all(each.recomputes for each in findings(waiting, mill))


def offer(node: Node, quantity: int = 10_000) -> bytes:
    """Offer water about which people are asked."""
    return node.publish("offer", {**WATER, "quantity": quantity, "lot": 500, "ask": True})


def decided(node: Node, purse: bytes, grants: Grants, *otherwise: object) -> bytes | str:
    """Let a person decide; return the decision's id, or the code of the refusal."""
    token = node.mesh.token()
    node.give(events.DecisionRequested(token, purse, None, grants, *otherwise))  # type: ignore[arg-type]
    node.mesh.settle()
    if token in node.refusals:
        return node.refusals[token].code
    record = node.answers[token]
    assert record is not None
    return record


def test_nothing_is_granted_until_a_person_agrees() -> None:
    """Then what was shown is granted, and recomputes like any other decision."""
    for decide in (True, False):
        mesh = Mesh(count=2, decide=decide, confirm_handovers=True)
        mill, oak = mesh.nodes
        mesh.connect(mill, oak)
        wanted, water = ask(oak, 7_000), offer(mill)
        mesh.run(120_000)
        state = oak.engine.state
        assert state.every(Grant) == []
        assert decided(mill, water, ((wanted, 6_500),)) == "changed"
        assert decided(mill, water, ()) == "changed"
        record = decided(mill, water, ((wanted, 7_000),))
        mesh.run(120_000)
        (grant,) = state.every(Grant)
        assert grant.refs == (water, wanted, record)
        assert grant_state(state, grant.id).status == "received"
        (found,) = findings(oak, mill)
        assert found.recomputes
        assert found.override is None


def test_an_override_gives_to_another_with_a_reason_and_an_approver() -> None:
    """It says what the policy would have given, recomputes, and is no fault; others are refused."""
    mesh = deciding_mesh(3)
    mill, oak, elm = mesh.nodes
    first = ask(oak, 7_000, "now")
    mesh.run(1_000)
    second, own = ask(elm, 9_000, "week"), ask(mill, 500)
    water = offer(mill)
    mesh.run(120_000)
    for grants, reason, approver in (
        (((second, 5_000),), "they have a clinic", b"x" * 32),
        (((second, 5_000),), "they have a clinic", None),
        (((second, 5_100),), "no whole lots", oak.key),
        (((second, 9_500),), "more than they lack", oak.key),
        (((own, 500),), "for ourselves", oak.key),
        (((water, 500),), "no request", oak.key),
        (((first, 500), (second, 500)), "two at once", oak.key),
    ):
        assert decided(mill, water, grants, reason, approver) == "override", reason
    record = decided(mill, water, ((second, 5_000),), "they have a clinic", oak.key)
    mesh.run(120_000)
    state = oak.engine.state
    (decision,) = state.every(Decided)
    assert decision.id == record
    assert decision.body.rows[0].request == first, "the policy would have served oak first"
    assert decision.body.override is not None
    assert decision.body.override.approver == oak.key
    (grant,) = state.every(Grant)
    assert (grant.refs, grant.body.quantity) == ((water, second, record), 5_000)
    (found,) = findings(oak, mill)
    assert found.recomputes
    assert found.override == decision.body.override
    assert approval_of(state, decision) is None, "oak did not say so"


def test_a_consent_serves_one_override_of_what_was_agreed_to() -> None:
    """DEC-7: it is the approver's own, of just this, not the decider's, and not used before."""
    mesh = deciding_mesh(3)
    mill, oak, elm = mesh.nodes
    wanted = ask(elm, 9_000, "week")
    mesh.run(1_000)
    water = offer(mill)
    mesh.run(120_000)
    consent = oak.publish("consent", {"quantity": 1_000}, water, wanted)
    mill.publish("consent", {"quantity": 2_000}, water, wanted)
    mesh.run(120_000)
    for quantity, approver in ((1_500, oak), (1_000, oak), (1_000, oak), (2_000, mill)):
        record = decided(mill, water, ((wanted, quantity),), "a clinic", approver.key)
        assert isinstance(record, bytes)
        mesh.run(1_000)
    state = elm.engine.state
    told = [each.refs for each in state.by_author(mill.key, Decided)]
    assert [refs[1:2] == (consent,) for refs in told] == [False, True, False, False]
    found = [approval_of(state, each) is not None for each in state.by_author(mill.key, Decided)]
    assert found == [False, True, False, False]


def test_a_deadline_that_passes_during_a_write_does_not_keep_a_node_busy() -> None:
    """While the disk writes nothing can be taken back; the next look comes later, not at once."""
    mesh = Mesh(count=2, accept_within_ms=10_000)
    mill, oak = mesh.nodes
    mesh.connect(mill, oak)
    mesh.run(120_000)
    ask(oak, 1_000)
    for link in list(mesh.ends):
        mesh.cut(link)
    mesh.settle()
    mill.publish("offer", {**WATER, "quantity": 1_000, "lot": 500})
    mesh.run(5_000)
    (promise,) = mill.engine.state.every(Grant)
    assert grant_state(mill.engine.state, promise.id).status == "offered"
    writing = mill.engine.handle(
        events.PublishRequested(mesh.token(), "profile", {"name": "Mill"}), mesh.now_ms
    )
    assert any(isinstance(output, events.StoreRecords) for output in writing)
    late_ms = mesh.now_ms + 60_000
    mill.engine.handle(events.TimerFired(), late_ms)
    due_ms = mill.engine.due_ms
    assert due_ms is not None
    assert due_ms > late_ms


def test_a_holder_may_grant_to_a_place_that_the_offers_author_speaks_for() -> None:
    """By the policy the river stands first, though its guardian made the offer: the node lives."""
    mesh = deciding_mesh(3)
    mill, oak, elm = mesh.nodes
    ask(oak, 500)  # so that it has a log in which it can hold rights
    mesh.run(60_000)
    river = mill.publish("party", {"form": "ecosystem", "name": "River"})
    water = mill.publish("offer", {**WATER, "quantity": 5_000, "lot": 500})
    log = mill.engine.state.latest_log(oak.key)
    mill.publish("rights", {"to": oak.key, "log": log, "quantity": 4_500}, water)
    mill.publish("request", {**WATER, "quantity": 3_000, "urgency": "now", "on_behalf_of": river})
    asked = ask(elm, 2_000, "anytime")
    mesh.run(120_000)
    state = mill.engine.state
    by_oak = [each for each in state.every(Decided) if each.author == oak.key]
    assert by_oak
    assert request_state(state, asked).filled > 0
    assert all(each.recomputes for each in findings(mill, oak))
