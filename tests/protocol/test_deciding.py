"""Engines that decide by the policy in force: every decision recomputes at every other node."""

from mycelia_protocol.encoding import Value
from mycelia_protocol.recompute import Finding, recompute
from mycelia_protocol.sharing.baselines import baseline, document
from mycelia_protocol.sharing.policy import write_policy
from mycelia_protocol.types.decision import Decided
from mycelia_protocol.types.grant import Grant
from support.mesh import Mesh, Node

WAIT_MS = 600_000
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
