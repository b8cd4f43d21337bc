"""Nodes whose store lost own answers: older requests wait, so nothing is taken twice. Spec: 6.6."""

from itertools import combinations

from mycelia_protocol.encoding import Value
from mycelia_protocol.types.answer import Answer
from mycelia_protocol.types.grant import Grant
from mycelia_protocol.types.promises import grant_state, request_state
from mycelia_protocol.types.request import Request
from support.mesh import Mesh, Node

WATER: dict[str, Value] = {
    "category": "food.water",
    "title": "Drinking water",
    "quantity": 20,
    "unit": "1",
}
ASKED: dict[str, Value] = {**WATER, "urgency": "now"}
WHILE_MS = 300_000  # in which all that is linked comes to rest


def cut_all(mesh: Mesh) -> None:
    """End all links."""
    for link in list(mesh.ends):
        mesh.cut(link)
    mesh.settle()


def asking() -> tuple[Mesh, bytes]:
    """Return a mesh of four that may all grant, with all links cut, and what n0 has asked them."""
    mesh = Mesh(count=4)
    for first, second in combinations(mesh.nodes, 2):
        mesh.connect(first, second)
    request = mesh.nodes[0].publish("request", ASKED)
    mesh.run(WHILE_MS)
    cut_all(mesh)
    assert all(node.engine.gate.is_open for node in mesh.nodes)
    return mesh, request


def served() -> tuple[Mesh, bytes]:
    """Return such a mesh once n0 has taken all that it asked for from n1, who alone knows of it."""
    mesh, request = asking()
    first, second, *_ = mesh.nodes
    second.publish("offer", WATER)
    meet(mesh, first, second)
    assert request_state(first.engine.state, request).filled == 20
    cut_all(mesh)
    return mesh, request


def set_back(node: Node, request: bytes) -> None:
    """Let a node come back from a backup that was made when it had just asked."""
    (log,) = (log for log in node.disk.logs.values() if request in [each.id for each in log])
    del log[[each.id for each in log].index(request) + 1 :]
    node.disk.logs = {
        key: kept
        for key, kept in node.disk.logs.items()
        if not {each.kind for each in kept}.intersection(("offer", "grant"))
    }
    node.start(None, is_restored=True)


def wipe(node: Node) -> None:
    """Take all from a node but its key."""
    node.disk.logs.clear()
    node.start(None, is_restored=True)


def taken(node: Node) -> list[bytes]:
    """Return the grants that a node holds for accepted by n0, whether there is room or not."""
    key = node.mesh.nodes[0].key
    return [each.refs[0] for each in node.engine.state.by_author(key, Answer) if each.body.accept]


def statuses(node: Node) -> list[str]:
    """Return what has become of the grants that a node knows, sorted."""
    state = node.engine.state
    return sorted(grant_state(state, each.id).status for each in state.every(Grant))


def meet(mesh: Mesh, first: Node, *others: Node) -> None:
    """Link a node to others, and let them come to rest."""
    for other in others:
        mesh.connect(first, other)
    mesh.run(WHILE_MS)


def test_what_was_accepted_in_a_lost_part_of_the_log_is_not_accepted_twice() -> None:
    """INC-7: an island that has yet to tell may know of an acceptance."""
    mesh, request = served()
    first, second, third, fourth = mesh.nodes
    set_back(first, request)
    third.publish("offer", WATER)
    meet(mesh, first, third, fourth)
    assert first.engine.gate.is_open
    assert statuses(first) == ["offered"]
    assert taken(first) == []
    meet(mesh, first, second)
    assert len(taken(first)) == 1
    assert statuses(first) == ["accepted", "declined"]
    assert statuses(second) == statuses(third) == statuses(first)


def test_an_own_log_that_comes_back_in_parts_is_not_taken_for_whole() -> None:
    """INC-7: who lost all has a part of its log from one, and hears of the rest from another."""
    mesh, request = served()
    first, second, third, _ = mesh.nodes
    wipe(first)
    third.publish("offer", WATER)
    meet(mesh, first, third)
    assert first.engine.state.find(request, Request) is not None
    assert statuses(first) == ["offered"]
    meet(mesh, first, second)
    assert len(taken(first)) == 1
    assert statuses(first) == ["accepted", "declined"]


def test_once_all_have_told_what_waited_is_answered() -> None:
    """INC-7: the doubt ends for answers when it ends for grants, and nothing lapses by it."""
    mesh, request = asking()
    first, second, third, fourth = mesh.nodes
    set_back(first, request)
    second.publish("offer", WATER)
    meet(mesh, first, second, third)
    assert statuses(first) == ["offered"]
    meet(mesh, first, fourth)
    assert statuses(first) == ["accepted"]


def test_a_grant_that_nobody_has_any_more_is_not_awaited_for_ever() -> None:
    """INC-7: what was accepted may be lost everywhere; when all have told, answers go on."""
    mesh, request = served()
    first, second, third, fourth = mesh.nodes
    for node in mesh.nodes:
        gone = [key for key in node.disk.logs if key[0] == second.key]
        for key in gone:
            del node.disk.logs[key]
        node.start(None, is_restored=node is second)
    for pair in combinations((second, third, fourth), 2):
        meet(mesh, *pair)
    cut_all(mesh)
    wipe(first)
    third.publish("offer", WATER)
    meet(mesh, first, third, fourth)
    assert len(taken(first)) == 1
    assert statuses(first) == ["offered"]
    meet(mesh, first, second)
    assert statuses(first) == ["accepted"]
    assert request_state(first.engine.state, request).filled == 20


def test_people_need_not_wait() -> None:
    """INC-7: they say yes themselves, or ask anew: what they withdrew takes nothing any more."""
    mesh, request = served()
    first, _, third, fourth = mesh.nodes
    set_back(first, request)
    third.publish("offer", WATER)
    meet(mesh, first, third, fourth)
    (held,) = first.engine.state.every(Grant)
    first.publish("withdraw", {}, request)
    again = first.publish("request", {**ASKED, "quantity": 10})
    mesh.run(WHILE_MS)
    assert grant_state(first.engine.state, held.id).status == "declined"
    assert request_state(first.engine.state, again).filled == 10


def test_people_may_accept_what_waits() -> None:
    """INC-7: a person knows what came; what is accepted by hand needs nobody's word."""
    mesh, request = served()
    first, _, third, fourth = mesh.nodes
    set_back(first, request)
    third.publish("offer", WATER)
    meet(mesh, first, third, fourth)
    (held,) = first.engine.state.every(Grant)
    first.publish("answer", {"accept": True}, held.id)
    assert statuses(third) == ["accepted"]


def test_what_is_asked_for_anew_is_answered_at_once() -> None:
    """INC-7: only what older logs asked for waits, over restarts, too; a crash holds up nothing."""
    mesh, request = served()
    first, _, third, fourth = mesh.nodes
    set_back(first, request)
    third.publish("offer", {**WATER, "quantity": 50})
    meet(mesh, first, third, fourth)
    fresh = first.publish("request", ASKED)
    mesh.run(WHILE_MS)
    state = first.engine.state
    assert [request_state(state, one).filled for one in (request, fresh)] == [0, 20]
    cut_all(mesh)
    first.start(None)
    assert [first.engine.is_frozen(one) for one in (request, fresh)] == [True, False]
    late = fourth.publish("request", ASKED)
    cut_all(mesh)
    fourth.start(None)
    meet(mesh, fourth, third)
    assert not fourth.engine.is_frozen(late)
    assert request_state(fourth.engine.state, late).filled == 10
