"""Logs in compact form from who would do harm: what is confirmed by accomplices hurts nobody else."""

import pytest

from mycelia_protocol.close_codes import CLOSE_FORGED
from mycelia_protocol.compact import compact, shorten
from mycelia_protocol.merkle import Tree
from mycelia_protocol.record import build_record
from mycelia_protocol.types import acknowledge, checkpoint
from protocol.test_forms import OFFER, join, options
from support.mesh import Mesh, Node


def accomplices(spoil: str) -> tuple[Mesh, Node]:
    """Return a commons where two say of the log of one what never was, and a newcomer.

    Args:
        spoil: what a whole record in the middle of that log has wrong.
    """
    mesh = Mesh(count=3, allocate=False)
    _, liar, friend = mesh.nodes
    for node in (liar, friend):
        node.options = options(None)
        node.start(None)
        mesh.connect(mesh.nodes[0], node)
    for _ in range(4):
        liar.publish("offer", OFFER)
    name = liar.engine.publisher.log or b""
    log = liar.disk.logs[liar.key, name]
    false = build_record(
        commons=bytes(32) if spoil == "commons" else mesh.charter.commons,
        seed=liar.seed,
        author=liar.key,
        log=name,
        seq=2,
        prev=bytes(32) if spoil == "prev" else log[1].id,
        kind="offer",
        time_ms=mesh.now_ms,
        content=OFFER,
        salt=bytes(16),
    )
    tree = Tree()
    for each in (*log[:2], false, *log[3:]):
        tree.add(compact(each))
    lie = liar.publish("checkpoint", checkpoint.content(tree.root()))
    friend.publish("acknowledge", acknowledge.content([lie]))
    victim = join(mesh, mesh.nodes[0])
    log[:] = [each if each.kind == "checkpoint" else shorten(each) for each in log]
    log[2] = false
    liar.engine.logs.note_compact((liar.key, name), len(log) - 1)
    return mesh, victim


@pytest.mark.parametrize("spoil", ["prev", "commons"])
def test_a_log_that_does_not_hang_together_is_not_taken(spoil: str) -> None:
    """CHECK-7: a whole record is one of this commons, and follows the one before it.

    Whoever stored another could not start again.
    """
    mesh, victim = accomplices(spoil)
    liar = mesh.nodes[1]
    mesh.connect(victim, liar)
    mesh.run(60_000)
    assert CLOSE_FORGED in [each.code for each in victim.closed]
    victim.start(None)
    assert not victim.engine.logs.accepted((liar.key, liar.engine.publisher.log or b"")).next_seq
