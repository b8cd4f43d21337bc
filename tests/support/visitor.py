"""Somebody who speaks the session protocol by hand, and a newcomer's whole way in."""

from mycelia_protocol import events
from mycelia_protocol.crypto import public_key
from mycelia_protocol.encoding import Value
from mycelia_protocol.invite import Invite
from mycelia_protocol.join import Joined, JoinFailed, JoinMachine, JoinOutput
from mycelia_protocol.messages import (
    Introduce,
    Message,
)
from mycelia_protocol.record import Record, build_record
from mycelia_protocol.session import open_session
from support.mesh import Mesh, Node

WATER: dict[str, Value] = {"category": "food.water", "title": "W", "quantity": 9, "unit": "mL"}
SECRET = bytes(range(16))


class Visitor:
    """Somebody with a key who speaks the session protocol by hand."""

    def __init__(self, mesh: Mesh, host: Node, seed: bytes) -> None:
        self.mesh, self.host, self.seed = mesh, host, seed
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


def stray(
    commons: bytes, seed: bytes, kind: str, content: dict[str, Value], seq: int = 1
) -> Record:
    """Return a well-signed record that is in no store, of a log of which nothing else is known."""
    return build_record(
        commons=commons,
        seed=seed,
        author=public_key(seed),
        log=bytes(8),
        seq=seq,
        prev=bytes(32),
        kind=kind,
        time_ms=1,
        content=content,
        salt=bytes(16),
    )


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
