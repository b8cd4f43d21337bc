"""Words of members about themselves: who hears them, what they cost, how they are misused."""

import random
from collections import Counter
from dataclasses import replace

import pytest

from mycelia_protocol import events
from mycelia_protocol.attendance import Attendance, Reach
from mycelia_protocol.close_codes import CLOSE_FORGED
from mycelia_protocol.crypto import public_key
from mycelia_protocol.errors import SignatureError
from mycelia_protocol.limits import (
    PRESENCE_INTERVAL_MS,
    PRESENCE_SKEW_MAX_MS,
    PRESENCE_SOON_MS,
)
from mycelia_protocol.messages import Digest, Prune
from mycelia_protocol.presence import Presence, speak
from protocol.test_spread import Counting
from support.mesh import Mesh, Node
from support.visitor import Visitor, a_member

MARK = bytes(8)


def reach(node: Node, other: Node) -> Reach:
    """Return how one node sees another."""
    linked = {node.engine.peers.key_of(link) for link in node.engine.peers.ready_links()}
    is_linked = other.key in linked
    return node.engine.attendance.reach(other.key, node.mesh.now_ms, is_linked=is_linked)[0]


def line(count: int) -> Mesh:
    """Return nodes in a row, so that words have to be passed on."""
    mesh = Mesh(count=count, presence=True)
    for first, second in zip(mesh.nodes, mesh.nodes[1:], strict=False):
        mesh.connect(first, second)
    return mesh


def test_everybody_hears_of_everybody_and_each_word_comes_about_once() -> None:
    """PRES-1, PRES-4: words go along trees; once these are warm nobody gets one twice."""
    mesh = Counting(8, presence=True)
    mesh.run(4 * PRESENCE_INTERVAL_MS)
    assert {
        reach(one, other) for one in mesh.nodes for other in mesh.nodes if one is not other
    } == {Reach.CONNECTED}
    mesh.frames.clear()
    mesh.run(20 * PRESENCE_INTERVAL_MS)
    speakers = len(mesh.nodes)
    words = mesh.frames[Presence] / (speakers * 20)
    assert speakers - 1 <= words * 1.15
    assert words <= (speakers - 1) * 1.2
    assert mesh.frames[Prune] <= speakers


def test_who_rests_says_so_and_who_falls_silent_is_first_quiet_then_unreachable() -> None:
    """PRES-2: three members away, it shows how a member went, and that it is back."""
    mesh = line(4)
    first, *_, neighbour, last = mesh.nodes
    mesh.run(2 * PRESENCE_INTERVAL_MS)
    assert reach(first, last) == Reach.CONNECTED
    last.give(events.ShutdownRequested())
    mesh.settle()
    assert [reach(one, last) for one in mesh.nodes[:-1]] == [Reach.RESTING] * 3
    last.start(None)
    mesh.run(PRESENCE_SOON_MS)
    mesh.connect(neighbour, last)
    mesh.run(2 * PRESENCE_SOON_MS + 1)
    assert reach(first, last) == Reach.CONNECTED
    for link in list(mesh.ends):
        if link in mesh.ends and mesh.ends[link][0] is last:
            mesh.cut(link)
    mesh.run(4 * PRESENCE_INTERVAL_MS)
    assert reach(first, last) == Reach.QUIET
    mesh.run(10 * PRESENCE_INTERVAL_MS)
    assert reach(first, last) == Reach.UNREACHABLE
    assert reach(first, neighbour) == Reach.CONNECTED


def test_a_word_that_shows_another_store_leads_to_one_more_comparison() -> None:
    """PRES-5: who missed something asks the neighbour that told of it, once in a while."""
    mesh = Mesh(count=2)
    node = mesh.nodes[0]
    visitor = a_member(mesh)
    node.engine.replicate.reconcile.mark()
    visitor.say(Digest(bytes(16), 0))
    for number in range(5):
        mesh.now_ms += PRESENCE_INTERVAL_MS // 8
        said = word(visitor.seed, mesh, mesh.now_ms, heads=bytes([number]) * 8)
        before = Counter(type(message) for message in visitor.heard)[Digest]
        visitor.say(said)
        after = Counter(type(message) for message in visitor.heard)[Digest]
        assert after - before == (number in (0, 4)), number
        visitor.say(Digest(bytes(16), 0))


def word(
    seed: bytes, mesh: Mesh, time_ms: int, heads: bytes = MARK, rest: bool = False
) -> Presence:
    """Return a member's word."""
    commons = mesh.charter.commons
    return speak(commons, seed, public_key(seed), time_ms, heads, is_resting=rest)


def relayed(mesh: Mesh, visitor: Visitor, said: list[Presence]) -> int:
    """Return how many of some words a node passed on to its other neighbour."""
    passed: list[Presence] = []
    engine = mesh.nodes[0].engine
    send = engine.peers.send

    def kept(link: int, message: object) -> list[events.Output]:
        if isinstance(message, Presence):
            passed.append(message)
        return send(link, message)  # type: ignore[arg-type]

    engine.peers.send = kept  # type: ignore[method-assign]
    for each in said:
        visitor.say(each)
    engine.peers.send = send  # type: ignore[method-assign]
    return len(passed)


def crowd() -> tuple[Mesh, Visitor]:
    """Return a node with a neighbour, and a member at it whose frames are made by hand."""
    mesh = Mesh(count=3)
    mesh.connect(mesh.nodes[0], mesh.nodes[2])
    return mesh, a_member(mesh)


def test_a_member_that_speaks_without_pause_is_heard_once() -> None:
    """PRES-3: what comes too soon is neither checked nor passed on, whatever it is signed with."""
    mesh, visitor = crowd()
    checks = mesh.nodes[0].engine.attendance
    attested: list[Presence] = []
    attest = checks._attest

    def counted(said: Presence, commons: bytes) -> bool:
        attested.append(said)
        return attest(said, commons)

    checks._attest = counted
    many = [word(visitor.seed, mesh, mesh.now_ms + number) for number in range(90)]
    assert relayed(mesh, visitor, many) == 1
    assert len(attested) == 1
    turns = [word(visitor.seed, mesh, mesh.now_ms + 100 + n, rest=n % 2 == 0) for n in range(90)]
    assert relayed(mesh, visitor, turns) == 1, "that it rests is said at once, and the rest is not"
    assert not visitor.closed


def test_a_forged_word_ends_the_session_of_who_brings_it() -> None:
    """PRES-3: nobody can say in another's name that it rests."""
    mesh, visitor = crowd()
    victim = mesh.nodes[2]
    forged = replace(word(visitor.seed, mesh, mesh.now_ms, rest=True), author=victim.key)
    assert relayed(mesh, visitor, [forged]) == 0
    assert visitor.closed == [CLOSE_FORGED]
    assert reach(mesh.nodes[0], victim) == Reach.CONNECTED


def test_old_and_strange_words_go_no_further() -> None:
    """PRES-3: words said before, of long ago or of far ahead, and of who is no member."""
    mesh, visitor = crowd()
    first = word(visitor.seed, mesh, mesh.now_ms)
    assert relayed(mesh, visitor, [first]) == 1
    mesh.now_ms += PRESENCE_INTERVAL_MS
    later = word(visitor.seed, mesh, mesh.now_ms)
    assert relayed(mesh, visitor, [later]) == 1
    mesh.now_ms += PRESENCE_INTERVAL_MS
    stranger = word(mesh.rng.randbytes(32), mesh, mesh.now_ms)
    past = word(visitor.seed, mesh, mesh.now_ms - PRESENCE_SKEW_MAX_MS - 1)
    ahead = word(visitor.seed, mesh, mesh.now_ms + PRESENCE_SKEW_MAX_MS + 1)
    assert relayed(mesh, visitor, [first, stranger, past, ahead]) == 0
    assert not visitor.closed


def test_the_more_members_there_are_the_more_seldom_each_speaks() -> None:
    """PRES-1: a node takes about one word a second, with thirty members and with a thousand."""

    class Roster:
        member_count = 0

    roster = Roster()
    rng = Mesh(count=1).rng
    made = Attendance(bytes(32), bytes(32), roster, rng, Presence.is_signed, is_spoken=True)
    for members in (2, 30, 300, 1_000):
        roster.member_count = members
        assert members * 1_000 / made.interval_ms <= 1
        assert made.interval_ms == max(PRESENCE_INTERVAL_MS, 1_000 * members)


def test_where_all_come_back_at_once_they_do_not_all_speak_at_once() -> None:
    """PRES-1: one word a second, as at other times; who said that it rests takes it back soon."""

    class Roster:
        member_count = 60

    dues: dict[bool, list[int]] = {False: [], True: []}
    for is_awaited, found in dues.items():
        for number in range(Roster.member_count):
            rng = random.Random(number)
            made = Attendance(
                bytes(32), bytes(32), Roster(), rng, Presence.is_signed, is_spoken=True
            )
            made.is_awaited = is_awaited
            made.opened(0)
            assert made.due_ms is not None
            found.append(made.due_ms)
    assert min(dues[False]) >= PRESENCE_SOON_MS
    for begin_ms in range(0, 60_000, 5_000):
        assert sum(begin_ms <= due_ms < begin_ms + 10_000 for due_ms in dues[False]) <= 20
    assert max(dues[True]) <= 2 * PRESENCE_SOON_MS


def test_who_stopped_on_purpose_is_awaited_and_who_crashed_is_not() -> None:
    """PRES-1: a clean end is one after which all think that it rests."""
    mesh = line(2)
    last = mesh.nodes[-1]
    mesh.run(2 * PRESENCE_INTERVAL_MS)
    last.start(None)
    assert not last.engine.attendance.is_awaited
    last.start(bytes(32))
    assert last.engine.attendance.is_awaited


def test_a_word_of_another_commons_is_forged_here() -> None:
    """PRES-3: the commons is signed, too."""
    mesh = Mesh(count=1)
    node = mesh.nodes[0]
    other = speak(bytes(32), node.seed, node.key, mesh.now_ms, MARK, is_resting=False)
    assert other.is_signed(bytes(32))
    assert not other.is_signed(mesh.charter.commons)
    made = mesh.nodes[0].engine.attendance
    stray = replace(other, author=public_key(mesh.rng.randbytes(32)))
    with pytest.raises(SignatureError):
        made.came(stray, mesh.now_ms)


def test_words_change_no_state_and_are_not_stored() -> None:
    """PRES-2: with and without them the same records give the same state, on the same disk."""
    digests = set()
    for presence in (False, True):
        mesh = Mesh(count=3, presence=presence)
        mesh.connect(mesh.nodes[0], mesh.nodes[1])
        mesh.connect(mesh.nodes[1], mesh.nodes[2])
        before = len(mesh.nodes[2].disk.records())
        mesh.run(3 * PRESENCE_INTERVAL_MS)
        assert len(mesh.nodes[2].disk.records()) == before
        digests.add(mesh.nodes[2].engine.state.digest())
    assert len(digests) == 1
