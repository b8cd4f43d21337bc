"""The engine as a whole: several of them, real sessions, a store that does as it is told."""

from mycelia_protocol import events
from mycelia_protocol.encoding import Value
from mycelia_protocol.limits import RECONCILE_INTERVAL_MS, STORE_PAUSE_MS
from mycelia_protocol.notices import ForkSeen, Notice
from support.mesh import Mesh, Node

WATER: dict[str, Value] = {
    "category": "food.water",
    "title": "Drinking water",
    "quantity": 10,
    "unit": "mL",
}
THIRST: dict[str, Value] = {**WATER, "urgency": "now", "quantity": 6}


def digests(mesh: Mesh) -> set[bytes]:
    """Return the distinct state digests of all nodes."""
    return {node.engine.state.digest() for node in mesh.nodes}


def notices(node: Node, kind: type) -> list[Notice]:
    """Return a node's notices of one kind."""
    return [notice for notice in node.notices if isinstance(notice, kind)]


def test_two_nodes_agree_after_they_meet() -> None:
    """Records written apart are on both nodes after one connection, and the digests are equal."""
    mesh = Mesh(count=2, allocate=False)
    first, second = mesh.nodes
    for _ in range(5):
        first.publish("offer", WATER)
        second.publish("request", THIRST)
    assert len(digests(mesh)) == 2
    mesh.connect(first, second)
    assert first.disk.records()
    assert len(first.disk.records()) == len(second.disk.records())
    assert len(digests(mesh)) == 1


def test_a_live_record_is_pushed_through_the_mesh() -> None:
    """A record reaches a node two links away at once, without waiting for any timer."""
    mesh = Mesh(count=3, allocate=False)
    mesh.connect(mesh.nodes[0], mesh.nodes[1])
    mesh.connect(mesh.nodes[1], mesh.nodes[2])
    record = mesh.nodes[0].publish("offer", WATER)
    assert mesh.nodes[2].engine.state.statement(record) is not None


def test_an_offer_becomes_a_receipt() -> None:
    """Grant, answer and both receipts follow by themselves, and every node tells the same."""
    mesh = Mesh(count=2, allocate=True, confirm_handovers=True)
    first, second = mesh.nodes
    mesh.connect(first, second)
    first.publish("offer", WATER)
    second.publish("request", THIRST)
    mesh.run(5_000)
    kinds = sorted(record.kind for record in first.disk.records() if record.kind != "incarnation")
    assert kinds == ["answer", "grant", "offer", "receipt", "receipt", "request", "vouch"]
    assert len(digests(mesh)) == 1


def test_a_restarted_node_opens_a_new_log_and_never_forks() -> None:
    """After a start that is not provably clean the node writes in a log that names its older."""
    mesh = Mesh(count=2, allocate=False)
    first, second = mesh.nodes
    mesh.connect(first, second)
    first.publish("offer", WATER)
    old = first.engine.publisher.log
    for link in list(mesh.ends):
        mesh.cut(link)
    mesh.settle()
    first.start(None)
    mesh.connect(first, second)
    first.publish("offer", WATER)
    assert first.engine.publisher.log != old
    assert not notices(second, ForkSeen)
    assert len(digests(mesh)) == 1


def test_a_clean_start_goes_on_in_the_same_log() -> None:
    """A store that is provably the latest lets the node resume its log."""
    mesh = Mesh(count=1)
    node = mesh.nodes[0]
    node.publish("offer", WATER)
    log = node.engine.publisher.log
    node.start(log)
    node.publish("offer", WATER)
    assert node.engine.publisher.log == log
    assert node.engine.gate.is_open


def test_nothing_is_acknowledged_that_the_store_did_not_keep() -> None:
    """When the store fails, the user is refused, peers hear nothing, and writing goes on later."""
    mesh = Mesh(count=2, allocate=False)
    first, second = mesh.nodes
    mesh.connect(first, second)
    first.publish("offer", WATER)
    before = len(second.disk.records())
    first.disk.fails = True
    first.give(events.PublishRequested(900, "offer", dict(WATER), ()))
    mesh.settle()
    assert first.refusals[900].code == "store"
    assert len(second.disk.records()) == before
    first.disk.fails = False
    first.publish("offer", WATER)
    assert len(second.disk.records()) == before + 1
    assert len(digests(mesh)) == 1


def test_a_failed_store_loses_nothing_that_peers_have() -> None:
    """Records of others that could not be written are asked for again once it has rested."""
    mesh = Mesh(count=2, allocate=False)
    first, second = mesh.nodes
    mesh.connect(first, second)
    second.disk.fails = True
    first.publish("offer", WATER)
    mesh.run(STORE_PAUSE_MS + 1_000)  # it asks, and fails once more
    assert len(second.disk.records()) < len(first.disk.records())
    second.disk.fails = False
    mesh.run(STORE_PAUSE_MS)
    assert len(second.disk.records()) == len(first.disk.records())
    assert len(digests(mesh)) == 1


def relay_that_forgets() -> tuple[Mesh, Node, Node]:
    """Return a node that passed a record on, failed to keep it, and has lost who brought it.

    The other node is the neighbour to whom it gave the record, and who thinks that it holds it.
    """
    mesh = Mesh(count=3, allocate=False)
    author, relay, reader = mesh.nodes
    bringing, _ = mesh.connect(author, relay)
    mesh.connect(relay, reader)
    mesh.run(10_000)
    relay.disk.fails = True
    author.publish("offer", WATER)
    mesh.cut(bringing)
    mesh.settle()
    relay.disk.fails = False
    assert len(reader.disk.records()) > len(relay.disk.records())
    return mesh, relay, reader


def test_what_a_node_passed_on_and_failed_to_keep_it_gets_back() -> None:
    """REP-5: it asks those to whom it gave it, though they never told of it."""
    mesh, relay, reader = relay_that_forgets()
    mesh.run(STORE_PAUSE_MS + 1_000)
    assert relay.disk.records() == reader.disk.records()


def test_comparing_mends_what_a_push_made_others_believe() -> None:
    """REP-14: a push is no word on what the pusher's store holds; a comparison asks that anew."""
    mesh, relay, reader = relay_that_forgets()
    for peers in mesh.ends.values():
        peers[0].engine.replicate.reconcile.given_to(peers[1]).clear()  # the relay's first remedy
    mesh.run(3 * RECONCILE_INTERVAL_MS)
    assert relay.disk.records() == reader.disk.records()
