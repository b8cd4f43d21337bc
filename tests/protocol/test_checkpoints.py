"""Checkpoints: who writes them, who compares, what is acknowledged, and what becomes of a lie."""

import pytest

from mycelia_protocol import events
from mycelia_protocol.compact import compact
from mycelia_protocol.confirming import confirmed
from mycelia_protocol.encoding import Value
from mycelia_protocol.form_events import ReadForms
from mycelia_protocol.merkle import Tree
from mycelia_protocol.notices import CheckpointRefuted
from mycelia_protocol.options import Options
from mycelia_protocol.types.acknowledge import Acknowledge
from mycelia_protocol.types.checkpoint import Checkpoint
from support.mesh import Mesh, Node

WAIT_MS = 30_000
OFFER: dict[str, Value] = {
    "category": "food.water",
    "title": "Water",
    "quantity": 10,
    "unit": "mL",
}


def commons(count: int, *, after: int | None = 4, within_ms: int = WAIT_MS) -> Mesh:
    """Return linked nodes, the first of which sums up its log every few records."""
    mesh = Mesh(count=count, allocate=False)
    for node in mesh.nodes:
        is_first = node is mesh.nodes[0]
        node.options = Options(
            allocate=False,
            discover=False,
            checkpoint_after=after if is_first else None,
            acknowledge_within_ms=within_ms,
        )
        node.start(node.disk.records()[-1].log if is_first and node.disk.logs else None)
    for node in mesh.nodes[1:]:
        mesh.connect(mesh.nodes[0], node)
    return mesh


def kinds(node: Node) -> list[str]:
    """Return the kinds of the node's own records, log by log."""
    return [each.kind for each in node.disk.records() if each.author == node.key]


def test_a_log_that_grew_is_summed_up_and_acknowledged() -> None:
    """CHECK-1, CHECK-3, CHECK-4: the root covers all before it; two of three others confirm it."""
    mesh = commons(4)
    one, *others = mesh.nodes
    for _ in range(6):
        one.publish("offer", OFFER)
    mesh.run(10_000)
    sums = one.engine.state.every(Checkpoint)
    for told in sums:
        log = one.disk.logs[one.key, told.log]
        tree = Tree()
        for record in log[: told.order[2]]:
            tree.add(compact(record))
        assert told.body.root == tree.root()
    assert kinds(one).count("checkpoint") == len(sums) >= 1
    assert not any("acknowledge" in kinds(node) for node in others)
    mesh.run(WAIT_MS + 10_000)
    for node in mesh.nodes:
        state = node.engine.state
        assert [each.author for each in state.every(Acknowledge)].count(one.key) == 0
        assert len({each.author for each in state.every(Acknowledge)}) == 3
        assert confirmed(state)[-1].id == sums[-1].id
    assert len({node.engine.state.digest() for node in mesh.nodes}) == 1


def test_what_waits_to_be_written_is_covered_too() -> None:
    """A checkpoint is the very next record: what is written meanwhile belongs to it."""
    mesh = commons(2)
    one = mesh.nodes[0]
    for _ in range(6):
        one.publish("offer", OFFER)
    due = one.engine.due_ms
    assert due is not None
    mesh.now_ms = max(mesh.now_ms, due)
    for output in one.engine.handle(events.TimerFired(), mesh.now_ms):
        mesh.perform(one, output)
    for _ in range(3):  # the store is read, and somebody writes
        one.give(events.PublishRequested(mesh.token(), "offer", OFFER))
    mesh.run(60_000)
    (told,) = one.engine.state.every(Checkpoint)
    assert not mesh.nodes[1].engine.checkpoints.refuted
    assert told.order[2] >= 9


def test_a_checkpoint_that_lies_is_never_acknowledged() -> None:
    """CHECK-5: every member that holds the records notices, and people are told."""
    mesh = commons(3, after=None)
    liar, *others = mesh.nodes
    liar.publish("offer", OFFER)
    lie = liar.publish("checkpoint", {"root": bytes(32)})
    mesh.run(2 * WAIT_MS)
    for node in others:
        assert node.engine.checkpoints.refuted == [lie]
        assert [type(each) for each in node.notices].count(CheckpointRefuted) == 1
        assert "acknowledge" not in kinds(node)
    tree = Tree()
    for record in liar.disk.logs[liar.key, liar.disk.records()[-1].log]:
        tree.add(compact(record))
    true = liar.publish("checkpoint", {"root": tree.root()})
    mesh.run(2 * WAIT_MS)
    assert [each.id for each in confirmed(others[0].engine.state)] == [true]


def test_many_checkpoints_share_one_acknowledgement_and_survive_a_restart() -> None:
    """CHECK-3: what was not acknowledged yet is looked at again after a start, and told once."""
    mesh = commons(2, after=3, within_ms=300_000)
    one, other = mesh.nodes
    for _ in range(10):
        one.publish("offer", OFFER)
        mesh.run(5_000)
    assert kinds(one).count("checkpoint") >= 2
    other.start(None)
    mesh.connect(one, other)
    mesh.run(400_000)
    (told,) = other.engine.state.every(Acknowledge)
    assert told.body.checkpoints == (one.engine.state.every(Checkpoint)[-1].id,)
    other.start(None)
    mesh.run(400_000)
    assert kinds(other).count("acknowledge") == 1


def test_a_founder_alone_confirms_nothing() -> None:
    """CHECK-4: where there is no other member, there is no majority of the others."""
    mesh = commons(1)
    one = mesh.nodes[0]
    for _ in range(6):
        one.publish("offer", OFFER)
    mesh.run(WAIT_MS)
    assert one.engine.state.every(Checkpoint)
    assert not confirmed(one.engine.state)


def test_a_checkpoint_that_comes_while_an_older_one_is_compared_is_compared_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """CHECK-3: the newest is what counts, however slow the disk."""
    mesh = commons(3, after=None)
    one, other, _ = mesh.nodes
    held: list[tuple[Node, events.Output]] = []
    perform = mesh.perform

    def slow(node: Node, output: events.Output) -> None:
        if node is other and isinstance(output, ReadForms):
            held.append((node, output))
        else:
            perform(node, output)

    def summed_up() -> bytes:
        tree = Tree()
        for record in one.disk.logs[one.key, one.engine.publisher.log or b""]:
            tree.add(compact(record))
        return one.publish("checkpoint", {"root": tree.root()})

    monkeypatch.setattr(mesh, "perform", slow)
    one.publish("offer", OFFER)
    summed_up()
    mesh.run(1_000)
    newest = summed_up()
    mesh.run(1_000)
    monkeypatch.undo()
    (asked,) = held
    perform(*asked)
    mesh.run(2 * WAIT_MS)
    assert newest in [each.id for each in confirmed(one.engine.state)]
