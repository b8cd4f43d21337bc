"""Logs in compact form from somebody who would do harm: it hurts nobody but itself."""

from dataclasses import replace
from typing import Any

import pytest

from mycelia_protocol import asking, confirming, events
from mycelia_protocol.close_codes import CLOSE_FORGED
from mycelia_protocol.compact import compact, shorten
from mycelia_protocol.form_frames import Forms, Seek
from mycelia_protocol.merkle import Tree
from mycelia_protocol.messages import Message
from mycelia_protocol.record import Record, build_record
from mycelia_protocol.types import acknowledge, checkpoint
from protocol.test_forms import OFFER, join, options, shortened
from support.mesh import Mesh, Node
from support.visitor import stray


def accomplices(
    spoil: str, *, is_named: bool = True, is_alone: bool = False, is_island: bool = False
) -> tuple[Mesh, Node]:
    """Return a commons where three say of the log of one what never was, and a newcomer.

    Args:
        spoil: what a record in the middle of that log has wrong; its id, if it is compact.
        is_named: whether the other two say so too.
        is_alone: whether these two are keys that the first let in itself.
        is_island: whether two more, of whom these hear nothing, acknowledged something. They are
            the last but the newcomer.
    """
    mesh = Mesh(count=2 if is_alone else 4, allocate=False)
    _, liar, *friends = mesh.nodes
    if is_alone:
        friends = [join(mesh, liar), join(mesh, liar)]
    for node in (liar, *friends):
        node.options = options(None)
        node.start(None)
        mesh.connect(mesh.nodes[0], node)
    victim = join(mesh, mesh.nodes[0])
    if is_island:
        _say_something(mesh)
    mesh.nodes.append(mesh.nodes.pop(mesh.nodes.index(victim)))
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
    if spoil == "facts":
        false = replace(shorten(log[2]), body=shorten(log[0]).body)
    if spoil == "id":
        false = replace(shorten(log[2]), id=mesh.nodes[0].disk.records()[0].id)
    tree = Tree()
    for each in (*log[:2], false, *log[3:]):
        tree.add(compact(each))
    lie = liar.publish("checkpoint", checkpoint.content(tree.root()))
    for friend in friends if is_named else ():
        friend.publish("acknowledge", acknowledge.content([lie]))
    log[:] = [each if each.kind == "checkpoint" else shorten(each) for each in log]
    log[2] = false
    liar.engine.logs.note_compact((liar.key, name), len(log) - 1)
    return mesh, victim


def _say_something(mesh: Mesh) -> None:
    """Let two be members who acknowledge something on an island of their own."""
    island = [join(mesh, mesh.nodes[0]) for _ in range(2)]
    links = [mesh.connect(mesh.nodes[0], node)[0] for node in island]
    for link in links:
        mesh.cut(link)
    mesh.connect(*island)
    for node in island:
        node.publish("acknowledge", acknowledge.content([mesh.rng.randbytes(32)]))
    mesh.run(1_000)


@pytest.mark.parametrize("spoil", ["prev", "commons", "id"])
def test_a_log_that_does_not_hang_together_is_not_taken(spoil: str) -> None:
    """CHECK-7: a whole record is one of this commons, and follows the one before it.

    Whoever stored another could not start again; and whoever stored two of one id would come to
    another state after each start.
    """
    mesh, victim = accomplices(spoil)
    liar = mesh.nodes[1]
    mesh.connect(victim, liar)
    mesh.run(60_000)
    assert CLOSE_FORGED in [each.code for each in victim.closed]
    victim.start(None)
    assert not victim.engine.logs.accepted((liar.key, liar.engine.publisher.log or b"")).next_seq


def test_one_liar_with_many_keys_leads_no_newcomer_astray() -> None:
    """CHECK-4, CHECK-8: what it let in is of its own branch, and says no more than it does itself.

    Who is linked with nobody else takes nothing of that log, and gets it whole from whoever has it.
    """
    mesh, victim = accomplices("facts", is_alone=True)
    _, liar, *puppets, _ = mesh.nodes
    name = liar.engine.publisher.log or b""
    mesh.connect(victim, liar)
    mesh.run(60_000)
    assert {each.key for each in puppets} <= set(victim.engine.state.roster())
    assert not victim.engine.logs.accepted((liar.key, name)).next_seq
    mesh.connect(victim, mesh.nodes[0])
    mesh.run(60_000)
    assert victim.engine.state.digest() == mesh.nodes[0].engine.state.digest()


def test_a_checkpoint_in_place_of_records_is_not_asked_for_again_and_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """CHECK-7, REP-17: in any stage it is the answer, and what follows from it is not a WANT."""
    monkeypatch.setattr(asking, "STAGED_RECORDS_MIN", 2)
    mesh, victim = accomplices("prev", is_named=False)
    liar, reads = mesh.nodes[1], 0
    read = liar.disk.read

    def counted(request: events.ReadRecords) -> tuple[Record, ...]:
        nonlocal reads
        reads += 1
        return read(request)

    monkeypatch.setattr(liar.disk, "read", counted)
    mesh.connect(victim, liar)
    assert 0 < reads < 10


def made_up(mesh: Mesh, seed: bytes, ids: int) -> Record:
    """Return an acknowledgement by somebody whom nobody knows."""
    named = acknowledge.content([mesh.rng.randbytes(32) for _ in range(ids)])
    return stray(mesh.charter.commons, seed, "acknowledge", named)


def test_what_one_peer_shows_is_bounded_and_goes_with_its_link(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Anybody's signature is good enough for evidence, so nobody may bring as much as it likes."""
    monkeypatch.setattr(confirming, "EVIDENCE_ROWS_MAX", 250)
    mesh = Mesh(count=1, allocate=False)
    testimony, said = (
        confirming.Testimony(mesh.nodes[0].engine.state),
        made_up(mesh, bytes(32), 100),
    )
    others = [made_up(mesh, bytes([number]) * 32, 100) for number in range(1, 9)]
    testimony.note(1, [said, said])
    assert testimony.rows == 100
    testimony.note(1, others)
    assert testimony.rows == 200
    testimony.note(2, [said])
    assert testimony.rows == 300
    testimony.forget(1)
    assert testimony.rows == 100


def test_who_ever_acknowledged_is_worked_out_once_for_all_checkpoints(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """However many are offered: one peer may show thousands of each."""
    made: list[confirming.Witnesses] = []
    mesh = Mesh(count=1, allocate=False)
    node = mesh.nodes[0]
    node.publish("acknowledge", acknowledge.content([bytes(32)]))

    class Noted(confirming.Witnesses):
        def __init__(self, *args: Any) -> None:
            super().__init__(*args)
            made.append(self)

    monkeypatch.setattr(confirming, "Witnesses", Noted)
    testimony, said = confirming.Testimony(node.engine.state), made_up(mesh, bytes(32), 1)
    made.clear()
    testimony.confirms(said)
    testimony.confirms(said)
    assert len(made) == 1
    testimony.note(1, [said])
    testimony.confirms(said)
    assert len(made) == 1
    testimony.settle(1)
    testimony.confirms(said)
    assert len(made) == 2


def test_a_link_that_ends_leaves_no_evidence_behind() -> None:
    """CHECK-8: whoever comes again and again fills no memory."""
    mesh, victim = accomplices("prev", is_named=False)
    link, _ = mesh.connect(victim, mesh.nodes[1])
    testimony = victim.engine._exchange._forms._hearing.testimony
    assert testimony.rows > 0
    mesh.cut(link)
    mesh.settle()
    assert testimony.rows == 0


def test_only_who_let_go_of_a_log_reads_it_for_a_proof() -> None:
    """CHECK-9: a few bytes let nobody read a whole log that it could have asked for by WANT."""
    mesh = Mesh(count=2, allocate=False)
    keeper, asker = mesh.nodes
    for _ in range(4):
        keeper.publish("offer", OFFER)
    _, link = mesh.connect(keeper, asker)
    (author, log), *_ = keeper.engine.logs.stored_logs()
    seek = Seek(author, log, 4, 0)
    (frame,) = asker.engine.peers.send(link, seek)
    assert isinstance(frame, events.SendFrame)
    far, far_link = mesh.ends[link]
    heard = events.FrameReceived(far_link, frame.data)
    outputs = far.engine.handle(heard, mesh.now_ms)
    assert [type(each) for each in outputs] == [events.SendFrame]


def test_no_vouch_is_taken_in_compact_form(monkeypatch: pytest.MonkeyPatch) -> None:
    """CHECK-6, CHECK-7: it leads to the same root, and could never be shown to anybody again."""
    mesh = shortened()
    newcomer = join(mesh, mesh.nodes[0])
    liar, founder = mesh.nodes[1], mesh.nodes[0]
    peers = liar.engine.peers
    send = peers.send

    def bared(link: int, message: Message) -> list[events.Output]:
        if isinstance(message, Forms):
            records = (shorten(e) if e.kind == "vouch" else e for e in message.records)
            message = replace(message, records=tuple(records))
        return send(link, message)

    monkeypatch.setattr(peers, "send", bared)
    mesh.connect(newcomer, liar)
    mesh.run(60_000)
    assert CLOSE_FORGED in [each.code for each in newcomer.closed]
    mesh.connect(newcomer, mesh.nodes[2])
    mesh.run(60_000)
    assert newcomer.engine.state.digest() == founder.engine.state.digest()
    assert all(newcomer.engine.state.introduction(node.key) is not None for node in mesh.nodes)
