"""Whom a node asks for what it lacks, and what peers that hold back can do about it."""

import random
from dataclasses import dataclass

from mycelia_protocol.limits import (
    HEADS_PER_FRAME_MAX,
    PEER_HEADS_MAX,
    RATE_PUSH_MAX,
    RATE_WANT_MAX,
    RATE_WINDOW_MS,
    WANT_TIMEOUT_MS,
)
from mycelia_protocol.logs import LogKey, Logs
from mycelia_protocol.messages import HeadEntry, Heads, Push, Want
from mycelia_protocol.reconcile import Reconcile
from mycelia_protocol.record import Record, build_record
from mycelia_protocol.replicate import Replicate
from mycelia_protocol.told import Peer, Say
from support.mesh import Mesh
from support.scribe import village

HONEST, LIAR = 1, 2


@dataclass
class Bench:
    """A node that holds nothing, with two peers; and one log of which both tell."""

    logs: Logs
    reconcile: Reconcile
    log: list[Record]
    now_ms: int = 1_000_000

    @property
    def key(self) -> LogKey:
        """Author and log."""
        return (self.log[0].author, self.log[0].log)

    def tell(self, link: int, next_seq: int) -> list[Say]:
        """Let a peer tell how much of the log it holds."""
        entry = HeadEntry(*self.key, next_seq, self.log[-1].id[:8])
        return self.reconcile.heads_told(link, Heads((entry,), complete=True), self.now_ms)

    def answer(self, link: int, records: list[Record], after_ms: int) -> list[Say]:
        """Let a peer answer the oldest WANT."""
        self.now_ms += after_ms
        self.logs.take(records)
        return self.reconcile.answered(link, records, self.now_ms)


def bench(length: int = 40) -> Bench:
    """Return a bench with a log of some length."""
    _, (founder, *_) = village(2)
    while len(founder.written) < length:
        founder.offer(5)
    logs = Logs()
    made = Bench(logs, Reconcile(logs, lambda _: True, random.Random(1)), founder.written)
    for link in (HONEST, LIAR):
        made.reconcile.opened(link, bytes(32), bytes(32), made.now_ms)
    return made


def links(said: list[Say]) -> list[int]:
    """Return whom WANTs go to."""
    return [one.link for one in said if isinstance(one.message, Want)]


def test_an_empty_answer_sends_the_question_to_the_next_peer_at_once() -> None:
    """REP-5: who claims a head and gives nothing delays by one round trip, not by a telling."""
    made = bench()
    assert links(made.tell(LIAR, 40)) == [LIAR]
    assert links(made.tell(HONEST, 40)) == []
    assert links(made.answer(LIAR, [], 10)) == [HONEST]


def test_a_peer_that_gives_drop_by_drop_is_not_asked_while_a_quick_one_can_be() -> None:
    """REP-5: one record an answer, as late as it may, costs one time-out and no more."""
    made = bench()
    made.tell(LIAR, 40)
    made.tell(HONEST, 40)
    assert links(made.answer(LIAR, made.log[:1], WANT_TIMEOUT_MS - 1)) == [HONEST]
    assert links(made.answer(HONEST, made.log[1:20], 50)) == [HONEST]
    assert links(made.answer(HONEST, made.log[20:30], 50)) == [HONEST]


def test_a_peer_that_gives_quickly_but_little_is_not_preferred() -> None:
    """REP-5: what counts is the time for each record."""
    made = bench(length=400)
    made.tell(LIAR, 400)
    made.tell(HONEST, 400)
    assert links(made.answer(LIAR, made.log[:1], 1)) == [HONEST]
    assert links(made.answer(HONEST, made.log[1:301], 50)) == [HONEST]


def test_what_found_no_room_in_an_answer_is_asked_again() -> None:
    """An answer is cut by size; the logs behind the cut are asked for without a new telling."""
    mesh = Mesh(count=2, allocate=False)
    holder, asker = mesh.nodes
    rng = random.Random(5)
    for _ in range(300):
        for record in a_log(mesh, holder.seed, holder.key, rng, 4):
            holder.disk.logs.setdefault((record.author, record.log), []).append(record)
    holder.start(None)
    mesh.connect(holder, asker)
    assert len(asker.disk.records()) == len(holder.disk.records()) > 1_200


def a_log(mesh: Mesh, seed: bytes, key: bytes, rng: random.Random, length: int) -> list[Record]:
    """Return a log of records with bodies of a kilobyte."""
    log, made = rng.randbytes(8), list[Record]()
    for seq in range(length):
        made.append(
            build_record(
                commons=mesh.charter.commons,
                seed=seed,
                author=key,
                log=log,
                seq=seq,
                prev=made[-1].id if made else None,
                kind="x-note" if seq else "incarnation",
                time_ms=1,
                content={"heads": [], "text": "x" * 1_000},
                salt=rng.randbytes(16),
            )
        )
    return made


def test_a_head_with_another_id_is_looked_at_and_blocks_nothing() -> None:
    """REP-7: the place is asked of who told it, while others are asked for what is missing."""
    made = bench()
    made.logs.take(made.log[:30])
    lie = HeadEntry(*made.key, 20, bytes(8))
    said = made.reconcile.heads_told(LIAR, Heads((lie,), complete=True), made.now_ms)
    assert [(one.link, one.message) for one in said if isinstance(one.message, Want)]
    assert links(made.tell(HONEST, 40)) == [HONEST]


def test_a_node_keeps_below_the_rate_that_its_peers_allow() -> None:
    """Spec 9.5: answers may come as fast as they like; the next window brings the rest."""
    made = bench(length=RATE_WANT_MAX + 2)
    made.tell(HONEST, len(made.log))
    asked = 1
    for record in made.log:
        more = links(made.answer(HONEST, [record], 0))
        if not more:
            break
        asked += len(more)
    assert asked == RATE_WANT_MAX // 2
    due_ms = made.reconcile.due_ms
    assert due_ms is not None
    assert due_ms <= made.now_ms + RATE_WINDOW_MS
    made.now_ms += RATE_WINDOW_MS
    assert links(made.reconcile.timer(made.now_ms)) == [HONEST]


def test_lies_about_many_logs_make_no_later_frame_dear() -> None:
    """What a peer told of strangers is looked at when the roster grows, not at every frame."""
    made = bench()
    looked_at: list[bytes] = []

    def is_member(key: bytes) -> bool:
        looked_at.append(key)
        return key == made.key[0]

    made.reconcile = Reconcile(made.logs, is_member, random.Random(1))
    made.reconcile.opened(LIAR, bytes(32), bytes(32), made.now_ms)
    rng = random.Random(2)
    entries = [
        HeadEntry(rng.randbytes(32), rng.randbytes(8), 5, bytes(8))
        for _ in range(HEADS_PER_FRAME_MAX)
    ]
    made.reconcile.heads_told(LIAR, Heads(tuple(entries), complete=False), made.now_ms)
    looked_at.clear()
    assert links(made.tell(LIAR, 40)) == [LIAR]
    assert len(looked_at) == 1


def test_a_relay_pushes_no_more_than_its_neighbour_takes() -> None:
    """Spec 9.5: what several members push together makes no honest relay look like a flooder."""
    commons, (founder, *_) = village(2)
    while len(founder.written) < RATE_PUSH_MAX // 2 + 50:
        founder.offer(5)
    replicate = Replicate(commons.commons, lambda _: True, random.Random(1), Logs())
    for link in (HONEST, LIAR):
        replicate.opened(link, bytes(32), bytes(32), 1_000_000)
    pushed = 0
    for record in founder.written[:-1]:
        for step in replicate.heard(LIAR, Push((record,)), 1_000_000):
            pushed += isinstance(step, Say) and isinstance(step.message, Push)
    assert pushed == RATE_PUSH_MAX // 2
    later = replicate.heard(LIAR, Push((founder.written[-1],)), 1_000_000 + RATE_WINDOW_MS)
    assert [step.link for step in later if isinstance(step, Say)] == [HONEST]


def test_what_a_peer_pushed_is_kept_in_no_more_room_than_what_it_told() -> None:
    """9.5: a member who pushes records of ever new logs fills what is kept of it, and no more."""
    peer = Peer()
    for number in range(PEER_HEADS_MAX + 10):
        peer.note_pushed((number.to_bytes(32), bytes(8)), 1)
    assert len(peer.told) == len(peer.unsure) == PEER_HEADS_MAX
    peer.forget((bytes(32), bytes(8)))
    assert len(peer.told) == len(peer.unsure) == PEER_HEADS_MAX - 1
