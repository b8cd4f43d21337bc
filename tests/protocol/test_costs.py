"""What a member can make a node do: no more than was asked for, and no more than so much."""

import random

import pytest

from mycelia_protocol import events, session
from mycelia_protocol.close_codes import CLOSE_FRAME, CLOSE_RATE
from mycelia_protocol.limits import (
    HEADS_PER_FRAME_MAX,
    PUSH_RECORDS_MAX,
    RATE_DIGEST_MAX,
)
from mycelia_protocol.messages import (
    Announce,
    Digest,
    HeadEntry,
    Heads,
    Message,
    Push,
    Records,
    Want,
)
from mycelia_protocol.record import Record
from mycelia_protocol.told import Peer
from protocol.test_compare import grown
from support.mesh import Mesh, Node
from support.visitor import WATER, Visitor, a_member


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


def full(mesh: Mesh, number: int, *, complete: bool = False) -> Heads:
    """Return HEADS with as many made-up logs as there may be."""
    rng = random.Random(number)
    entries = [
        HeadEntry(mesh.nodes[1].key, rng.randbytes(8), 9, bytes(8))
        for _ in range(HEADS_PER_FRAME_MAX)
    ]
    return Heads(tuple(entries), complete)


@pytest.mark.parametrize("is_announced", [False, True])
def test_rows_are_counted_and_not_only_frames(
    monkeypatch: pytest.MonkeyPatch, *, is_announced: bool
) -> None:
    """9.5: a frame may hold thousands of heads, and each costs some microseconds."""
    monkeypatch.setitem(session.ITEM_RATES, session.ROWS, 3 * HEADS_PER_FRAME_MAX)
    mesh = Mesh(count=2)
    visitor = a_member(mesh)
    heads = full(mesh, 1)
    frame = Announce(heads.entries) if is_announced else heads
    for _ in range(3):
        visitor.say(frame)
    assert not visitor.closed
    visitor.say(frame)
    assert visitor.closed == [CLOSE_RATE]


def test_pushed_records_are_counted_and_not_only_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    """9.5: those of strangers, too, which are not even looked at."""
    monkeypatch.setitem(session.ITEM_RATES, session.PUSHED, 3 * PUSH_RECORDS_MAX)
    mesh = Mesh(count=2, allocate=False)
    visitor = a_member(mesh)
    stranger = Node(mesh, "stranger", bytes([9]) * 32, mesh.options)
    (records,) = grown(mesh, stranger, 1, PUSH_RECORDS_MAX)
    frame = Push(tuple(records))
    for _ in range(3):
        visitor.say(frame)
    assert not visitor.closed
    visitor.say(frame)
    assert visitor.closed == [CLOSE_RATE]


def test_nobody_tells_all_more_often_than_it_compares() -> None:
    """9.5: each end of a telling costs a look at all that was told, however short the frame."""
    visitor = a_member(Mesh(count=2))
    for _ in range(RATE_DIGEST_MAX):
        visitor.say(Heads((), complete=True))
    assert not visitor.closed
    visitor.say(Heads((), complete=True))
    assert visitor.closed == [CLOSE_RATE]


def test_answers_are_not_followed_by_a_count_of_all_there_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Who tells of very many logs and gives nothing makes people wait for news, and nobody else."""
    mesh = Mesh(count=2)
    visitor = a_member(mesh)
    visitor.say(Digest(bytes(16), 1))
    visitor.say(full(mesh, 1, complete=True))
    counts: list[object] = []
    asker = mesh.nodes[0].engine.replicate.reconcile._asker
    behind = asker.behind

    def counted(peer: Peer) -> int:
        counts.append(peer)
        return behind(peer)

    monkeypatch.setattr(asker, "behind", counted)
    for _ in range(10):
        visitor.say(Records(()))
    assert len(counts) == 1


def test_what_is_pushed_stays_below_what_a_neighbour_counts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """9.5: half of the records in a window; the rest is told by heads, and asked for."""
    monkeypatch.setitem(session.ITEM_RATES, session.PUSHED, 40)
    mesh = Mesh(count=2, allocate=False)
    mesh.connect(*mesh.nodes)
    pushes: list[int] = []
    peers = mesh.nodes[0].engine.peers
    send = peers.send

    def kept(link: int, message: Message) -> list[events.Output]:
        pushes.extend([len(message.records)] if isinstance(message, Push) else [])
        return send(link, message)

    monkeypatch.setattr(peers, "send", kept)
    for _ in range(60):
        mesh.nodes[0].publish("offer", WATER)
    mesh.run(5_000)
    assert sum(pushes) == 20
    assert not [each for node in mesh.nodes for each in node.closed]
    assert len({node.engine.state.digest() for node in mesh.nodes}) == 1
