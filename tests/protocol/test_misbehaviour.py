"""What the engine does with newcomers, strangers and members who break rules."""

from dataclasses import replace

import pytest

from mycelia_protocol import events
from mycelia_protocol.close_codes import CLOSE_FORGED, CLOSE_FRAME, CLOSE_RATE, CLOSE_STRANGER
from mycelia_protocol.crypto import public_key
from mycelia_protocol.encoding import encode
from mycelia_protocol.join import Joined
from mycelia_protocol.messages import (
    Digest,
    HeadEntry,
    Heads,
    Introduce,
    Push,
    Records,
    Welcome,
    encode_message,
)
from mycelia_protocol.record import build_record
from support.mesh import Mesh
from support.visitor import WATER, Visitor, a_member, forged, invite, join


def test_a_stranger_gets_no_further_than_its_greeting() -> None:
    """SESS-7: a key that nobody vouched for is closed out and is told no heads."""
    mesh = Mesh(count=2)
    stranger = Visitor(mesh, mesh.nodes[0], mesh.rng.randbytes(32))
    stranger.say(Introduce(()))
    assert stranger.closed == [CLOSE_STRANGER]
    assert not [message for message in stranger.heard if isinstance(message, Heads | Digest)]


def test_an_introduction_lets_in_a_member_that_the_roster_does_not_know_yet() -> None:
    """SESS-7: the chain of vouches is enough; a chain to another key is not."""
    mesh = Mesh(count=3)
    ahead, behind = mesh.nodes[1], mesh.nodes[2]
    seed = mesh.rng.randbytes(32)
    invite(mesh)
    joined = join(mesh, seed)
    assert isinstance(joined, Joined)
    chain = mesh.nodes[0].engine.state.introduction(mesh.nodes[0].engine.state.roster()[0])
    newcomer = Visitor(mesh, behind, seed)
    vouch = mesh.nodes[0].disk.records()[-1]
    assert not behind.engine.state.is_member(public_key(seed))
    newcomer.say(Introduce((vouch,)))
    assert not newcomer.closed
    thief = Visitor(mesh, ahead, mesh.rng.randbytes(32))
    thief.say(Introduce((vouch,)))
    assert thief.closed == [CLOSE_STRANGER]
    assert chain is not None


def test_a_forged_record_is_not_stored_and_closes_the_link() -> None:
    """LOG-2: nothing that nobody authenticates reaches the store, and the forger is cut off."""
    mesh = Mesh(count=2)
    visitor = a_member(mesh)
    record = forged(mesh)
    visitor.say(Push((record,)))
    assert visitor.closed == [CLOSE_FORGED]
    assert record.id not in {one.id for one in mesh.nodes[0].disk.records()}


def test_good_records_in_a_frame_with_forged_ones_are_kept() -> None:
    """The authentic part of a bad frame is stored; only the rest is lost to its sender."""
    mesh = Mesh(count=2)
    visitor = a_member(mesh)
    liar = mesh.nodes[1]
    good = build_record(
        commons=mesh.charter.commons,
        seed=liar.seed,
        author=liar.key,
        log=b"12345678",
        seq=0,
        prev=None,
        kind="incarnation",
        time_ms=1,
        content={"heads": []},
        salt=bytes(16),
    )
    visitor.say(Push((good, forged(mesh))))
    assert visitor.closed == [CLOSE_FORGED]
    assert good.id in {one.id for one in mesh.nodes[0].disk.records()}


FRAMES: dict[str, bytes] = {
    "no MessagePack": b"\xc1",
    "empty": b"",
    "empty array": encode([]),
    "a map": b"\x80",
    "unknown number": encode([99]),
    "number as text": encode(["1"]),
    "heads without flag": encode([1, []]),
    "a head too short": encode([1, [[b"x"]], True]),
    "a head at seq 0": encode([1, [[bytes(32), bytes(8), 0, bytes(8)]], True]),
    "a range that ends before it begins": encode([2, [[bytes(32), bytes(8), 5, 4]]]),
    "a negative range": encode([2, [[bytes(32), bytes(8), -1, 4]]]),
    "too many ranges": encode([2, [[bytes(32), bytes(8), 0, 1]] * 257]),
    "records that are no envelopes": encode([3, [1, 2, 3]]),
    "a push of text": encode([4, "hello"]),
    "too many pushes": encode([4, [[b"", b"", b""]] * 257]),
    "a header that is not canonical": encode([4, [[b"\xcc\x01", None, None]]]),
    "a header too long": encode([4, [[bytes(2_000), None, None]]]),
    "wide integer": b"\x92\xcc\x01\x90",
    "trailing byte": encode([1, [], True]) + b"\x00",
    "a float": b"\x93\x01\x90\xcb\x00\x00\x00\x00\x00\x00\x00\x00",
}


@pytest.mark.parametrize("name", sorted(FRAMES))
def test_a_bad_frame_closes_the_link_and_nothing_else(name: str) -> None:
    """SESS-5: unreadable or illegal frames end the session; the node and its store go on."""
    mesh = Mesh(count=2)
    visitor = a_member(mesh)
    before = mesh.nodes[0].engine.state.digest()
    visitor.say_bytes(FRAMES[name])
    assert visitor.closed == [CLOSE_FRAME]
    assert mesh.nodes[0].engine.state.digest() == before
    mesh.nodes[0].publish("offer", WATER)


def test_out_of_place_frames_close_the_link() -> None:
    """SESS-6, REP-3: a second greeting, an unasked answer and a welcome are not legal."""
    for message in (Introduce(()), Records(()), Welcome(b"", ())):
        mesh = Mesh(count=2)
        visitor = a_member(mesh)
        visitor.say(message)
        assert visitor.closed == [CLOSE_FRAME], message


def test_a_frame_that_does_not_decrypt_closes_the_link() -> None:
    """SESS-4: one flipped bit ends the session."""
    mesh = Mesh(count=2)
    visitor = a_member(mesh)
    data = bytearray(visitor.session.send(Heads((), True)))
    data[3] ^= 1
    visitor.tell(events.FrameReceived(visitor.link, bytes(data)))
    assert visitor.closed == [CLOSE_FRAME]


def test_a_flood_of_frames_closes_the_link() -> None:
    """Spec 9.5: more frames of a type than the rate allows end the session."""
    mesh = Mesh(count=2)
    visitor = a_member(mesh)
    for _ in range(500):
        if visitor.closed:
            break
        visitor.say(Heads((), False))
    assert visitor.closed == [CLOSE_RATE]


def test_records_of_another_commons_are_refused() -> None:
    """REC-3: a record of another commons is no business of this one."""
    mesh, other = Mesh(count=2), Mesh(seed=2, count=1)
    other.nodes[0].publish("offer", WATER)
    visitor = a_member(mesh)
    visitor.say(Push((other.nodes[0].disk.records()[0],)))
    assert visitor.closed == [CLOSE_FRAME]


def test_a_silent_link_is_closed_in_time() -> None:
    """A peer that opens a link and never greets does not hold it for ever."""
    mesh = Mesh(count=2)
    visitor = Visitor(mesh, mesh.nodes[0], mesh.nodes[1].seed)
    mesh.now_ms += 11_000
    visitor.tell(events.TimerFired())
    assert visitor.closed == [4007]


def test_a_rolled_back_log_is_not_written_on() -> None:
    """INC-3: when a peer holds more of the own log than the store, a new log begins."""
    mesh = Mesh(count=2, allocate=False)
    first, second = mesh.nodes
    link, _ = mesh.connect(first, second)
    first.publish("offer", WATER)
    log = first.engine.publisher.log
    mesh.cut(link)
    mesh.settle()
    for records in first.disk.logs.values():
        if records[0].log == log:
            records.pop()
    first.start(log)
    mesh.connect(first, second)
    first.publish("offer", WATER)
    assert first.engine.publisher.log != log
    assert first.engine.state.digest() == second.engine.state.digest()


def test_a_restored_node_does_not_grant_before_it_has_heard_others() -> None:
    """INC-4: the restore gate holds grants, not offers, until members have shown their heads."""
    mesh = Mesh(count=3, allocate=False)
    first = mesh.nodes[0]
    offer = first.publish("offer", WATER)
    mesh.connect(first, mesh.nodes[1])
    request = mesh.nodes[1].publish("request", {**WATER, "urgency": "now"})
    for link in list(mesh.ends):
        mesh.cut(link)
    mesh.settle()
    first.start(None)
    first.publish("offer", WATER)
    first.give(events.PublishRequested(500, "grant", {"quantity": 1}, (offer, request)))
    assert first.refusals[500].code == "gate"
    mesh.connect(first, mesh.nodes[1])
    assert not first.engine.gate.is_open
    mesh.connect(first, mesh.nodes[2])
    first.publish("grant", {"quantity": 1}, offer, request)


def test_what_members_told_before_an_own_record_came_counts_no_more() -> None:
    """INC-4: two who knew too little opened the gate; the third shuts it till all tell again."""
    mesh = Mesh(count=4, allocate=False)
    first, *others = mesh.nodes
    first.publish("offer", WATER)
    mesh.connect(first, others[2])
    first.publish("offer", WATER)
    for link in list(mesh.ends):
        mesh.cut(link)
    mesh.settle()
    assert first.engine.publisher.log is not None
    first.disk.logs[first.key, first.engine.publisher.log].pop()
    first.start(None)
    mesh.connect(first, others[0])
    mesh.connect(first, others[1])
    seen = [first.engine.gate.is_open]
    mesh.connect(first, others[2])
    seen.append(first.engine.gate.is_open)
    mesh.run(300_000)
    seen.append(first.engine.gate.is_open)
    assert seen == [True, False, True]


def test_a_clean_end_does_not_open_the_gate() -> None:
    """INC-4: while it is closed no log can be resumed, since resuming one opens it."""
    mesh = Mesh(count=3, allocate=False)
    first = mesh.nodes[0]
    first.start(None)
    first.publish("offer", WATER)
    assert first.engine.resumable_log is None
    mesh.connect(first, mesh.nodes[1])
    mesh.connect(first, mesh.nodes[2])
    assert first.engine.gate.is_open
    assert first.engine.resumable_log == first.engine.publisher.log is not None


def test_frames_of_this_test_are_otherwise_legal() -> None:
    """The visitor's own good frames are taken, so the refusals above have their stated reason."""
    mesh = Mesh(count=2)
    visitor = a_member(mesh)
    visitor.say_bytes(encode_message(Heads((), True)))
    assert not visitor.closed
    assert replace(forged(mesh), signature=None).signature is None


def test_a_lie_about_the_own_log_costs_one_new_log_and_no_spending() -> None:
    """INC-3, INC-5: a false head is believed once for each member; it shuts and freezes nothing."""
    mesh = Mesh(count=2, allocate=False)
    host = mesh.nodes[0]
    host.give(events.PublishRequested(1, "offer", WATER))
    mesh.settle()
    host.engine.gate.open()
    logs = set[bytes | None]()
    for _ in range(5):
        visitor = a_member(mesh)
        log = host.engine.publisher.log
        assert log is not None
        visitor.say(Heads((HeadEntry(host.key, log, 99, bytes(8)),), False))
        visitor.tell(events.PublishRequested(mesh.token(), "offer", WATER))
        logs.add(host.engine.publisher.log)
    assert len(logs) == 1
    assert host.engine.gate.is_open
    assert not host.engine.gate.known_since


def test_a_forged_own_record_changes_nothing() -> None:
    """A record in the own name that the own key did not sign opens no new log and shuts no gate."""
    mesh = Mesh(count=2, allocate=False)
    host = mesh.nodes[0]
    host.publish("offer", WATER)
    host.engine.gate.open()
    log = host.engine.publisher.log
    visitor = a_member(mesh)
    visitor.say(Push((forged(mesh),)))
    assert visitor.closed == [CLOSE_FORGED]
    assert host.engine.publisher.log == log
    assert host.engine.gate.is_open
