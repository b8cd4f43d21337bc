"""What a member can make a node do: no more than was asked for, and no more than so much."""

import pytest

from mycelia_protocol.close_codes import CLOSE_FRAME
from mycelia_protocol.messages import Digest, HeadEntry, Heads, Push, Records, Want
from mycelia_protocol.record import Record
from protocol.test_compare import grown
from support.mesh import Mesh
from support.visitor import Visitor, a_member


def asked(mesh: Mesh) -> tuple[Visitor, list[list[Record]], Want]:
    """Return somebody who is asked for the rest of one of its logs, its logs, and the question."""
    visitor = a_member(mesh)
    logs = grown(mesh, mesh.nodes[1], 2, 8)
    visitor.say(Push(tuple(logs[0][:4])))
    visitor.say(Push(tuple(logs[1])))
    head = HeadEntry(mesh.nodes[1].key, logs[0][0].log, 8, logs[0][-1].id[:8])
    visitor.say(Digest(bytes(16), 1))
    visitor.say(Heads((head,), complete=True))
    (want,) = [message for message in visitor.heard if isinstance(message, Want)]
    return visitor, logs, want


def test_what_was_asked_for_is_taken() -> None:
    """REP-3: the rest of that log."""
    mesh = Mesh(count=2)
    visitor, logs, _ = asked(mesh)
    visitor.say(Records(tuple(logs[0][4:])))
    assert not visitor.closed
    log = (mesh.nodes[1].key, logs[0][0].log)
    assert mesh.nodes[0].engine.logs.stored(log).next_seq == 8


@pytest.mark.parametrize("is_other_log", [False, True])
def test_an_answer_that_holds_what_nobody_asked_for_ends_the_link(*, is_other_log: bool) -> None:
    """REP-3: else each head that is made up would make a node read thousands of known records."""
    mesh = Mesh(count=2)
    visitor, logs, _ = asked(mesh)
    junk = (logs[1] if is_other_log else logs[0][:4]) * 200
    visitor.say(Records(tuple(junk)))
    assert visitor.closed == [CLOSE_FRAME]
