"""Two stores that meet: what it costs to find that they hold the same, or where they differ."""

import random

import pytest

from mycelia_protocol.close_codes import CLOSE_FRAME, CLOSE_RATE
from mycelia_protocol.events import Output, SendFrame
from mycelia_protocol.limits import LOGS_BUCKETED_MIN, RATE_DIGEST_MAX
from mycelia_protocol.messages import Buckets, Digest, Heads, Message, Records, Want
from mycelia_protocol.notices import CatchingUp
from mycelia_protocol.record import Record, build_record
from support.mesh import Mesh, Node
from support.visitor import WATER, a_member

COMPARING = (Digest, Buckets, Heads, Want)


class Listening(Mesh):
    """A mesh of two that keeps what is said: (frame, bytes on the wire)."""

    def __init__(self) -> None:
        self.said: list[tuple[Message, int]] = []
        super().__init__(count=2, allocate=False)

    def listen(self) -> None:
        """Keep what the present engines say from now on."""
        self.said.clear()
        for node in self.nodes:
            self._watch(node)

    def _watch(self, node: Node) -> None:
        send = node.engine.peers.send

        def kept(link: int, message: Message) -> list[Output]:
            outputs = send(link, message)
            sizes = [len(output.data) for output in outputs if isinstance(output, SendFrame)]
            self.said += [(message, size) for size in sizes]
            return outputs

        node.engine.peers.send = kept  # type: ignore[method-assign]

    def size(self, *kinds: type) -> int:
        """Return the bytes of all frames of some kinds."""
        return sum(size for message, size in self.said if isinstance(message, kinds))

    def heads(self) -> list[Heads]:
        """Return the HEADS that were said."""
        return [message for message, _ in self.said if isinstance(message, Heads)]


def grown(mesh: Mesh, node: Node, logs: int, length: int, note: str = "") -> list[list[Record]]:
    """Return logs of a node's key."""
    rng = random.Random(logs)
    made: list[list[Record]] = []
    for _ in range(logs):
        log, records = rng.randbytes(8), list[Record]()
        for seq in range(length):
            records.append(
                build_record(
                    commons=mesh.charter.commons,
                    seed=node.seed,
                    author=node.key,
                    log=log,
                    seq=seq,
                    prev=records[-1].id if records else None,
                    kind="x-note" if seq else "incarnation",
                    time_ms=1,
                    content={"text": note},
                    salt=bytes(16),
                )
            )
        made.append(records)
    return made


def put(node: Node, logs: list[list[Record]]) -> None:
    """Put logs onto a disk and start the node from there."""
    for records in logs:
        node.disk.logs[records[0].author, records[0].log] = list(records)
    node.start(None)


def is_level(mesh: Mesh) -> bool:
    """Return whether both disks hold the same."""
    one, other = ({record.id for record in node.disk.records()} for node in mesh.nodes)
    return one == other


@pytest.mark.parametrize("logs", [3, LOGS_BUCKETED_MIN + 44])
def test_equal_stores_find_it_out_in_a_hundred_bytes(logs: int) -> None:
    """REP-13: one DIGEST each way, whatever there is; and each knows what the other holds."""
    mesh = Listening()
    one, other = mesh.nodes
    made = grown(mesh, one, logs, 1)
    for node in mesh.nodes:
        put(node, made)
    mesh.listen()
    link, _ = mesh.connect(one, other)
    mesh.run(90_000)
    compared = [message for message, _ in mesh.said if isinstance(message, COMPARING)]
    assert all(isinstance(message, Digest) for message in compared)
    assert len(compared) >= 6, "they compare again now and then"
    assert mesh.size(*COMPARING) * 2 // len(compared) <= 100
    told = one.engine.replicate.reconcile.told_by(link)
    assert told == {key: len(records) for key, records in other.disk.logs.items()}


def test_equal_stores_open_the_gate() -> None:
    """REP-15: a digest that is equal shows what a member holds of the own logs, as HEADS would."""
    mesh = Listening()
    first, second = mesh.nodes
    mesh.connect(first, second)
    first.publish("offer", WATER)
    first.start(None)
    assert not first.engine.gate.is_open
    mesh.listen()
    mesh.connect(first, second)
    assert not mesh.heads()
    assert first.engine.gate.is_open


def test_few_logs_are_told_at_once() -> None:
    """REP-14: unequal digests of few logs are followed by all heads."""
    mesh = Listening()
    one, other = mesh.nodes
    put(one, grown(mesh, one, 5, 4))
    mesh.listen()
    mesh.connect(one, other)
    assert is_level(mesh)
    assert not [message for message, _ in mesh.said if isinstance(message, Buckets)]
    assert [heads.complete for heads in mesh.heads()] == [True, True]


def test_of_many_logs_only_those_in_unequal_buckets_are_told() -> None:
    """REP-14: ten of 600 logs changed; a fifth or less is told, in two round trips, for 7 KiB."""
    mesh = Listening()
    one, other = mesh.nodes
    made = grown(mesh, one, 600, 2)
    put(one, made)
    put(other, [*(log[:1] for log in made[:10]), *made[10:]])
    mesh.listen()
    mesh.connect(one, other)
    assert is_level(mesh)
    told = sum(len(heads.entries) for heads in mesh.heads())
    assert 10 <= told <= 2 * 600 // 5
    kinds = [type(message) for message, _ in mesh.said if isinstance(message, COMPARING)]
    assert kinds.index(Want) == 6, "two DIGEST, two BUCKETS, two HEADS"
    everything = len(made) * 58
    assert mesh.size(*COMPARING) < everything // 2


def test_a_newcomer_with_nothing_gets_everything() -> None:
    """REP-14: the larger store decides how they compare."""
    mesh = Listening()
    one, other = mesh.nodes
    put(one, grown(mesh, one, LOGS_BUCKETED_MIN + 10, 1))
    mesh.listen()
    mesh.connect(other, one)
    assert is_level(mesh)


def test_what_arrived_before_a_link_broke_is_not_sent_again() -> None:
    """A broken catch-up goes on where it was: no record that is on disk comes a second time."""
    mesh = Listening()
    one, other = mesh.nodes
    put(one, grown(mesh, one, 300, 5, note="x" * 1_000))
    before = {record.id for record in other.disk.records()}
    mesh.listen()
    link = mesh._links + 1
    perform = mesh.perform

    def until(node: Node, output: Output) -> None:
        perform(node, output)
        answers = [message for message, _ in mesh.said if isinstance(message, Records)]
        if len([answer for answer in answers if answer.records]) == 2:
            mesh.cut(link)

    mesh.perform = until  # type: ignore[method-assign]
    mesh.connect(one, other)
    mesh.perform = perform  # type: ignore[method-assign]
    arrived = {record.id for record in other.disk.records()} - before
    assert 100 < len(arrived) <= 500
    mesh.said.clear()
    mesh.connect(one, other)
    sent = [
        r.id for message, _ in mesh.said if isinstance(message, Records) for r in message.records
    ]
    assert is_level(mesh)
    assert not arrived.intersection(sent)
    told = [notice for notice in other.notices if isinstance(notice, CatchingUp)]
    assert (told[0].key, told[0].total) == (one.key, 1_500)
    assert told[-1].fetched == told[-1].total == 1_500 - len(arrived)
    assert len(sent) == len(set(sent)) > 0


def test_frames_that_are_not_due_end_the_session() -> None:
    """REP-14: nobody can make a node hash and tell what the order of frames does not ask for."""
    visitor = a_member(Mesh(count=2))
    visitor.say(Buckets((bytes(8),) * 64))
    assert visitor.closed == [CLOSE_FRAME]
    visitor = a_member(Mesh(count=2))
    for _ in range(RATE_DIGEST_MAX + 1):
        visitor.say(Digest(bytes(16), 0))
    assert visitor.closed == [CLOSE_RATE]
    said = [message for message in visitor.heard if isinstance(message, Digest)]
    assert len(said) == RATE_DIGEST_MAX


def test_an_empty_store_is_not_the_same() -> None:
    """REP-14: who has no head to tell says so, and learns what the other holds; both have told."""
    mesh = Listening()
    full, empty = mesh.nodes
    empty.disk.logs.clear()
    for node in mesh.nodes:
        node.start(None)
    mesh.listen()
    mesh.connect(full, empty)
    assert Heads((), complete=True) in mesh.heads()
    assert full.engine.gate.is_open


@pytest.mark.parametrize("kept", [0, 1, 20])
def test_who_lacks_whole_logs_of_many_is_not_the_same(kept: int) -> None:
    """REP-14, REP-15: in buckets of which it holds nothing it tells no head, and yet has told all.

    So both know when they may count on what the other told.
    """
    mesh = Listening()
    full, other = mesh.nodes
    made = grown(mesh, full, LOGS_BUCKETED_MIN + 40, 2)
    put(full, made)
    other.disk.logs.clear()
    put(other, made[:kept])
    mesh.listen()
    mesh.connect(full, other)
    assert [type(message) for message, _ in mesh.said].count(Buckets) == 2
    last = [heads for heads in mesh.heads() if heads.complete]
    assert len(last) == 2
    assert kept or Heads((), complete=True) in last
    assert is_level(mesh)
    assert full.engine.gate.is_open


@pytest.mark.parametrize("lost", [1, LOGS_BUCKETED_MIN + 40])
def test_a_gate_stays_shut_until_whole_logs_are_here_again(lost: int) -> None:
    """INC-4: who lost logs of its own of many hears what it held before, and opens after that."""
    mesh = Listening()
    keeper, loser = mesh.nodes
    made = grown(mesh, loser, LOGS_BUCKETED_MIN + 40, 2)
    put(keeper, made)
    put(loser, made[lost:])
    loser.publish("profile", {"name": "Loser"})
    opened: list[bool] = []  # whether the stores were level when the gate opened
    perform = mesh.perform

    def noted(node: Node, output: Output) -> None:
        if not opened and loser.engine.gate.is_open:
            opened.append({log[0].id for log in made} <= {e.id for e in loser.disk.records()})
        perform(node, output)

    mesh.perform = noted  # type: ignore[method-assign]
    mesh.connect(keeper, loser)
    mesh.run(60_000)
    assert is_level(mesh)
    assert opened == [True]
