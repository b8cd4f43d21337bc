"""What the engine does with newcomers, strangers and members who break rules."""

from dataclasses import replace

import pytest

from mycelia_protocol import events
from mycelia_protocol.crypto import public_key
from mycelia_protocol.encoding import Value, encode
from mycelia_protocol.invite import Invite
from mycelia_protocol.join import Joined, JoinFailed, JoinMachine, JoinOutput
from mycelia_protocol.messages import (
    CLOSE_FORGED,
    CLOSE_FRAME,
    CLOSE_RATE,
    CLOSE_STRANGER,
    HeadEntry,
    Heads,
    Introduce,
    Message,
    Push,
    Records,
    Welcome,
    encode_message,
)
from mycelia_protocol.record import Record, build_record
from mycelia_protocol.session import open_session
from support.mesh import Mesh, Node

WATER: dict[str, Value] = {"category": "food.water", "title": "W", "quantity": 9, "unit": "mL"}
SECRET = bytes(range(16))


class Visitor:
    """Somebody with a key who speaks the session protocol by hand."""

    def __init__(self, mesh: Mesh, host: Node, seed: bytes) -> None:
        self.mesh, self.host = mesh, host
        self.heard: list[Message] = []
        self.closed: list[int] = []
        mesh._links += 1
        self.link = mesh._links
        self.session = open_session(
            outbound=True,
            commons=mesh.charter.commons,
            seed=seed,
            static=mesh.rng.randbytes(32),
            ephemeral=mesh.rng.randbytes(32),
            now_ms=mesh.now_ms,
        )
        self.tell(events.LinkOpened(self.link, False, "visitor"))
        first = self.session.begin()
        assert first is not None
        self.tell(events.FrameReceived(self.link, first))

    def say(self, message: Message) -> None:
        """Send a frame."""
        self.tell(events.FrameReceived(self.link, self.session.send(message)))

    def say_bytes(self, frame: bytes) -> None:
        """Send bytes as a frame, whatever they are."""
        ciphers = self.session._handshake.ciphers
        assert ciphers is not None
        data = ciphers[0].encrypt(frame)
        self.tell(events.FrameReceived(self.link, data))

    def tell(self, event: events.Event) -> None:
        """Give the host an event and take in what it sends back."""
        for output in self.host.engine.handle(event, self.mesh.now_ms):
            match output:
                case events.SendFrame(link, data) if link == self.link:
                    answers, message = self.session.receive(data, self.mesh.now_ms)
                    for answer in answers:
                        self.tell(events.FrameReceived(self.link, answer))
                    self.heard += [message] if message else []
                case events.CloseLink(link, code) if link == self.link:
                    self.closed.append(code)
                case _:
                    self.mesh.perform(self.host, output)
        self.settle()

    def settle(self) -> None:
        """Let the host's store work."""
        while self.mesh.queue:
            node, event = self.mesh.queue.popleft()
            if node is self.host:
                self.tell(event)
            else:
                node.give(event)


def a_member(mesh: Mesh) -> Visitor:
    """Return a visitor who is on the roster and has greeted."""
    visitor = Visitor(mesh, mesh.nodes[0], mesh.nodes[1].seed)
    visitor.say(Introduce(()))
    return visitor


def forged(mesh: Mesh) -> Record:
    """Return a record in the name of the founder that the founder did not sign."""
    founder, liar = mesh.nodes[0], mesh.nodes[1]
    log = founder.engine.publisher.log
    assert log is not None
    head = founder.engine.logs.stored((founder.key, log))
    record = build_record(
        commons=mesh.charter.commons,
        seed=liar.seed,
        author=founder.key,
        log=log,
        seq=head.next_seq,
        prev=head.id,
        kind="offer",
        time_ms=1,
        content=WATER,
        salt=bytes(16),
    )
    return record


def join(
    mesh: Mesh, seed: bytes, secret: bytes = SECRET, inviter: bytes | None = None
) -> JoinOutput:
    """Run a newcomer's machine against the founder's engine; return how it ended."""
    host = mesh.nodes[0]
    key = inviter or host.key
    invite = Invite(mesh.charter.commons, key, secret, mesh.now_ms + 1_000, ("h:1",))
    mesh._links += 1
    link = mesh._links
    machine = JoinMachine(invite, seed, mesh.rng, link, mesh.now_ms)
    host_inbox: list[events.Event] = [events.LinkOpened(link, False, "newcomer")]
    outputs: list[JoinOutput] = list(machine.opened())
    while outputs or host_inbox or mesh.queue:
        while outputs:
            output = outputs.pop(0)
            if isinstance(output, Joined | JoinFailed):
                return output
            if isinstance(output, events.SendFrame):
                host_inbox.append(events.FrameReceived(link, output.data))
        if not host_inbox:
            host_inbox.append(mesh.queue.popleft()[1])
        for made in host.engine.handle(host_inbox.pop(0), mesh.now_ms):
            if isinstance(made, events.SendFrame):
                outputs += machine.received(made.data, mesh.now_ms)
            elif isinstance(made, events.CloseLink):
                outputs += machine.closed(made.reason)
            else:
                mesh.perform(host, made)
    raise AssertionError("the join came to no end")


def invite(mesh: Mesh, expires_in_ms: int = 1_000) -> None:
    """Let the founder give out an invite."""
    mesh.nodes[0].give(events.InviteRequested(77, SECRET, mesh.now_ms + expires_in_ms))


def test_an_invite_lets_one_newcomer_in_and_no_second() -> None:
    """JOIN-2: the vouch is on disk before the welcome, and the secret works once."""
    mesh = Mesh(count=1)
    invite(mesh)
    joined = join(mesh, mesh.rng.randbytes(32))
    assert isinstance(joined, Joined)
    assert [record.kind for record in mesh.nodes[0].disk.records()][-1] == "vouch"
    assert not mesh.nodes[0].disk.invites
    second = join(mesh, mesh.rng.randbytes(32))
    assert isinstance(second, JoinFailed)
    assert second.code == "invite-used"


def test_a_newcomer_who_lost_the_welcome_asks_again() -> None:
    """A member that joins once more with the same secret is welcomed, without a second vouch."""
    mesh = Mesh(count=1)
    invite(mesh)
    seed = mesh.rng.randbytes(32)
    assert isinstance(join(mesh, seed), Joined)
    before = len(mesh.nodes[0].disk.records())
    assert isinstance(join(mesh, seed), Joined)
    assert len(mesh.nodes[0].disk.records()) == before


@pytest.mark.parametrize(
    ("opened", "age_ms", "secret", "code"),
    [
        (True, 2_000, SECRET, "invite-expired"),
        (True, 0, bytes(16), "invite-unknown"),
        (False, 0, SECRET, "invite-unknown"),
    ],
)
def test_a_bad_invite_is_refused_with_its_reason(
    opened: bool, age_ms: int, secret: bytes, code: str
) -> None:
    """JOIN-2: unknown and expired secrets are told apart, and nobody is vouched for."""
    mesh = Mesh(count=1)
    if opened:
        invite(mesh)
    mesh.now_ms += age_ms
    ended = join(mesh, mesh.rng.randbytes(32), secret)
    assert isinstance(ended, JoinFailed)
    assert ended.code == code
    assert not [record for record in mesh.nodes[0].disk.records() if record.kind == "vouch"]


def test_somebody_else_cannot_play_the_inviter() -> None:
    """JOIN-1: the newcomer gives the secret only to the key that the invite names."""
    mesh = Mesh(count=2)
    invite(mesh)
    ended = join(mesh, mesh.rng.randbytes(32), inviter=mesh.nodes[1].key)
    assert isinstance(ended, JoinFailed)
    assert ended.code == "inviter"


def test_an_invite_survives_a_store_that_fails() -> None:
    """When the vouch can't be written the newcomer is told so, and the invite works later."""
    mesh = Mesh(count=1)
    invite(mesh)
    seed = mesh.rng.randbytes(32)
    mesh.nodes[0].disk.fails = True
    ended = join(mesh, seed)
    assert isinstance(ended, JoinFailed)
    assert ended.code == "store"
    mesh.nodes[0].disk.fails = False
    assert isinstance(join(mesh, seed), Joined)


def test_a_stranger_gets_no_further_than_its_greeting() -> None:
    """SESS-7: a key that nobody vouched for is closed out and is told no heads."""
    mesh = Mesh(count=2)
    stranger = Visitor(mesh, mesh.nodes[0], mesh.rng.randbytes(32))
    stranger.say(Introduce(()))
    assert stranger.closed == [CLOSE_STRANGER]
    assert not [message for message in stranger.heard if isinstance(message, Heads)]


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


def test_frames_of_this_test_are_otherwise_legal() -> None:
    """The visitor's own good frames are taken, so the refusals above have their stated reason."""
    mesh = Mesh(count=2)
    visitor = a_member(mesh)
    visitor.say_bytes(encode_message(Heads((), True)))
    assert not visitor.closed
    assert replace(forged(mesh), signature=None).signature is None


def test_a_lie_about_the_own_log_costs_one_new_log_and_no_spending() -> None:
    """INC-3: a false head is believed once for each member; the gate stays as it was."""
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
