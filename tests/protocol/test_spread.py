"""Trees of live spread: what they spare, and that they mend."""

import random
from collections import Counter
from collections.abc import Callable

from mycelia_protocol.events import LinkDrained, LinkFilled, Output, PublishRequested, Range
from mycelia_protocol.limits import (
    AUTHORS_PER_FRAME_MAX,
    GRAFT_DELAY_MS,
    RATE_TREE_MAX,
    RATE_WINDOW_MS,
)
from mycelia_protocol.logs import Logs
from mycelia_protocol.messages import (
    Announce,
    Graft,
    HeadEntry,
    Message,
    Prune,
    Push,
    TaggedHead,
    Want,
)
from mycelia_protocol.replicate import Replicate, Step
from mycelia_protocol.spread import Spread
from mycelia_protocol.told import Say
from mycelia_protocol.types.heads import tag_of
from support.mesh import Mesh, Node
from support.scribe import village
from support.visitor import WATER

AUTHOR, OTHER = bytes(32), b"\1" * 32
FIRST, SECOND = 1, 2


class Counting(Mesh):
    """A mesh that counts frames."""

    def __init__(self, count: int, *, presence: bool = False) -> None:
        self.frames: Counter[type] = Counter()
        super().__init__(count=count, presence=presence)
        for node in self.nodes:
            self._watch(node)
        for at, node in enumerate(self.nodes):
            for other in self.nodes[:at]:
                self.connect(other, node)
        self.run(10_000)
        self.frames.clear()

    def _watch(self, node: Node) -> None:
        send = node.engine.peers.send

        def counted(link: int, message: Message) -> list[Output]:
            self.frames[type(message)] += 1
            return send(link, message)

        node.engine.peers.send = counted  # type: ignore[method-assign]

    def write(self, node: Node, records: int = 1) -> None:
        """Let a node write, and let all that follows happen."""
        for _ in range(records):
            node.publish("offer", WATER)
        self.run(5_000)

    def link(self, here: Node, there: Node) -> int:
        """Return the link by which a node reaches another."""
        return next(
            link
            for link, (far, far_link) in self.ends.items()
            if far is there and self.ends[far_link][0] is here
        )

    def level(self) -> bool:
        """Return whether all disks hold the same."""
        return len({frozenset(r.id for r in node.disk.records()) for node in self.nodes}) == 1


def test_a_warm_tree_brings_each_record_once() -> None:
    """REP-8: after the first records of an author nobody gets its records twice."""
    mesh = Counting(6)
    author = mesh.nodes[3]
    mesh.write(author, 3)
    mesh.frames.clear()
    mesh.write(author, 20)
    assert mesh.frames[Push] == 20 * (len(mesh.nodes) - 1)
    assert not mesh.frames[Prune]
    assert not mesh.frames[Graft]
    assert mesh.level()


def test_records_that_cross_on_a_link_spare_it_without_a_word() -> None:
    """REP-8: who pushed a record to each other spare each other that author, and say nothing."""
    mesh = Counting(6)
    author, others = mesh.nodes[3], len(mesh.nodes) - 1
    mesh.write(author)
    assert mesh.frames[Push] == others * others, "from everybody to all but the bringer"
    assert not mesh.frames[Prune]
    mesh.frames.clear()
    mesh.write(author)
    assert mesh.frames[Push] == others


def test_a_link_on_which_records_crossed_is_pushed_on_again_when_asked() -> None:
    """REP-8, REP-10: an announcement that no push follows brings GRAFT, whoever pruned whom."""
    commons, (founder, *_) = village(2)
    while len(founder.written) < 3:
        founder.offer(5)
    replicate = Replicate(commons.commons, lambda _: True, random.Random(1), Logs())
    for link in (FIRST, SECOND):
        replicate.opened(link, bytes(32), bytes(32), 0)
    first, second, third = founder.written[:3]
    replicate.heard(FIRST, Push((first,)), 0)
    assert not said(replicate.heard(SECOND, Push((first,)), 0))
    assert not said(replicate.heard(FIRST, Push((second,)), 0)), "SECOND is spared"
    replicate.heard(SECOND, Graft((founder.key,)), 0)
    assert said(replicate.heard(FIRST, Push((third,)), 0)) == [(SECOND, Push((third,)))]


def test_a_lost_branch_is_replaced() -> None:
    """REP-11: when the link goes over which records came, others are asked to push them."""
    mesh = Counting(4)
    author, reader = mesh.nodes[0], mesh.nodes[3]
    mesh.write(author, 3)
    link = mesh.link(author, reader)
    mesh.cut(link)
    mesh.settle()
    assert mesh.frames[Graft] == 2
    author.publish("offer", WATER)
    assert mesh.level(), "it came by pushes alone, before any time passed"


def test_what_is_announced_and_not_pushed_is_asked_for() -> None:
    """REP-10: whoever all rely on, and who holds back, delays by one wait; then others push."""
    commons, (founder, *_) = village(2)
    while len(founder.written) < 6:
        founder.offer(5)
    replicate = Replicate(commons.commons, lambda _: True, random.Random(1), Logs())
    for link in (FIRST, SECOND):
        replicate.opened(link, bytes(32), bytes(32), 0)
    known = Push(tuple(founder.written[:5]))
    replicate.filled(SECOND, is_full=True)
    replicate.heard(FIRST, known, 0)
    replicate.filled(SECOND, is_full=False)
    again = replicate.heard(SECOND, known, 0)
    assert said(again) == [(SECOND, Prune((founder.key,)))]
    record = founder.written[5]
    head = HeadEntry(record.author, record.log, 6, record.id[:8])
    assert replicate.heard(SECOND, Announce((head,)), 100) == []
    assert replicate.due_ms == 100 + GRAFT_DELAY_MS
    asked = said(replicate.timer(100 + GRAFT_DELAY_MS))
    want = Want((Range(record.author, record.log, 5, 5),))
    assert asked[-2:] == [(SECOND, want), (SECOND, Graft((founder.key,)))]


def test_logs_that_the_peer_told_of_are_announced_by_their_tags() -> None:
    """REP-9: that takes less than half of the bytes."""
    mesh = Counting(4)
    author, others = mesh.nodes[0], mesh.nodes[1:]
    announced: list[HeadEntry | TaggedHead] = []
    for node in others:
        take = node.engine.replicate.heard

        def heard(
            link: int, message: Message, now_ms: int, take: Callable[..., list[Step]] = take
        ) -> list[Step]:
            if isinstance(message, Announce):
                announced.extend(message.entries)
            return take(link, message, now_ms)

        node.engine.replicate.heard = heard  # type: ignore[method-assign]
    mesh.write(author)
    mesh.write(author)
    log = author.engine.publisher.log
    assert log is not None
    assert announced
    tag = tag_of(author.key, log)
    assert all(isinstance(entry, TaggedHead) and entry.tag == tag for entry in announced)


def test_an_unknown_tag_is_left_aside() -> None:
    """REP-9: whoever uses one that was never told of is asked for nothing; the rest counts."""
    commons, (founder, *_) = village(2)
    replicate = Replicate(commons.commons, lambda _: True, random.Random(1), Logs())
    replicate.opened(FIRST, bytes(32), bytes(32), 0)
    known = founder.written[0]
    replicate.heard(FIRST, Push((known,)), 0)
    tag = tag_of(known.author, known.log)
    further = (TaggedHead(bytes(8), 9, bytes(8)), TaggedHead(tag, 2, bytes(8)))
    replicate.heard(FIRST, Announce(further), 0)
    asked = said(replicate.timer(GRAFT_DELAY_MS))
    wants = [message for _, message in asked if isinstance(message, Want)]
    assert wants == [Want((Range(known.author, known.log, 1, 1),))]
    grafts = [message for _, message in asked if isinstance(message, Graft)]
    assert grafts == [Graft((known.author,))], "who announces spares this node, pruned or not"


def test_what_was_pushed_meanwhile_is_not_asked_for() -> None:
    """REP-10: the wait is for just that."""
    commons, (founder, *_) = village(2)
    replicate = Replicate(commons.commons, lambda _: True, random.Random(1), Logs())
    for link in (FIRST, SECOND):
        replicate.opened(link, bytes(32), bytes(32), 0)
    last = founder.written[-1]
    head = HeadEntry(last.author, last.log, last.seq + 1, last.id[:8])
    replicate.heard(SECOND, Announce((head,)), 0)
    replicate.heard(FIRST, Push(tuple(founder.written)), 1)
    assert not said(replicate.timer(GRAFT_DELAY_MS))


def said(steps: list[Step]) -> list[tuple[int, Message]]:
    """Return the frames among steps."""
    return [(step.link, step.message) for step in steps if isinstance(step, Say)]


def test_lies_about_trees_cost_no_record() -> None:
    """REP-12: who is asked by everybody to spare them, and is told of no more, still gets all."""
    mesh = Counting(3)
    author, reader = mesh.nodes[1], mesh.nodes[2]
    mesh.write(author)
    for node in mesh.nodes[:2]:
        for output in reader.engine.peers.send(mesh.link(reader, node), Prune((author.key,))):
            mesh.perform(reader, output)
    mesh.settle()
    mesh.write(author, 2)
    assert mesh.level()


def test_a_slow_peer_is_told_of_what_it_was_not_given() -> None:
    """9.5: while its link is full nothing is pushed there; it asks when it has the room."""
    mesh = Counting(2)
    author, reader = mesh.nodes
    author.give(LinkFilled(mesh.link(author, reader)))
    author.publish("offer", WATER)
    assert not mesh.frames[Push]
    mesh.run(5_000)
    assert (mesh.frames[Announce], mesh.frames[Want]) == (1, 1)
    assert mesh.level()
    author.give(LinkDrained(mesh.link(author, reader)))
    author.publish("offer", WATER)
    assert mesh.frames[Push] == 1


def test_a_node_sends_no_more_prunes_than_may_be() -> None:
    """9.5: it stops at half of what the peer allows, and goes on in the next window."""
    spread = Spread()
    for link in (1, 2):
        spread.opened(link)
    authors = [number.to_bytes(32) for number in range(RATE_TREE_MAX)]
    for author in authors:
        spread.came(1, author)
    asked = [say for author in authors for say in spread.came_again(2, [author], 0)]
    assert len(asked) == RATE_TREE_MAX // 2
    last = spread.came_again(2, authors, RATE_WINDOW_MS)
    messages = [say.message for say in last]
    assert all(isinstance(m, Prune) and len(m.authors) <= AUTHORS_PER_FRAME_MAX for m in messages)
    assert sum(len(m.authors) for m in messages if isinstance(m, Prune)) == RATE_TREE_MAX // 2


def test_the_bringer_of_the_last_record_is_never_pruned() -> None:
    """REP-8: else an author's records could come from nobody at all."""
    spread = Spread()
    for link in (1, 2):
        spread.opened(link)
    spread.came(1, AUTHOR)
    assert spread.came_again(1, [AUTHOR], 0) == []
    assert [say.message for say in spread.came_again(2, [AUTHOR, OTHER], 0)] == [Prune((AUTHOR,))]


def test_own_records_that_come_back_are_pruned() -> None:
    """A node needs nobody to bring it what it wrote."""
    spread = Spread()
    spread.opened(1)
    spread.came(None, AUTHOR)
    assert [say.message for say in spread.came_again(1, [AUTHOR], 0)] == [Prune((AUTHOR,))]


def test_announcements_wait() -> None:
    """REP-10: `GRAFT_DELAY_MS` from the first announcement of a log, whatever follows."""
    spread = Spread()
    spread.opened(1)
    key = (AUTHOR, bytes(8))
    spread.announced(1, [key], 100)
    spread.announced(1, [key], 300)
    assert spread.due_ms == 100 + GRAFT_DELAY_MS
    assert spread.overdue(99 + GRAFT_DELAY_MS) == []
    assert spread.overdue(100 + GRAFT_DELAY_MS) == [(1, [key])]
    assert spread.due_ms is None


def test_under_load_pushes_merge_into_runs() -> None:
    """What waited for the disk goes out together, and one signature check covers it all."""
    mesh = Counting(2)
    author, other = mesh.nodes
    author.publish("offer", WATER)
    mesh.frames.clear()
    checked = other.engine.logs.verifications
    for _ in range(100):
        author.give(PublishRequested(mesh.token(), "offer", WATER, ()))
    mesh.settle()
    assert mesh.level()
    assert mesh.frames[Push] <= 2
    assert other.engine.logs.verifications - checked <= 2
