"""Keys that one member let in, and of which nobody else ever heard: they open and fill nothing."""

from collections.abc import Iterator

import pytest

from mycelia_protocol import events, gate, reconcile
from mycelia_protocol.close_codes import CLOSE_SPARE
from mycelia_protocol.crypto import public_key
from mycelia_protocol.limits import DEGREE_MAX, LINK_AGE_MIN_MS
from mycelia_protocol.messages import Digest, HeadEntry, Heads, Introduce
from mycelia_protocol.record import Record
from support.mesh import Mesh, Node
from support.visitor import WATER, Visitor, stray


def vouch(mesh: Mesh, author: Node, key: bytes) -> Record:
    """Return a vouch that is in no store."""
    return stray(mesh.charter.commons, author.seed, "vouch", {"key": key})


def puppets(mesh: Mesh) -> Iterator[Visitor]:
    """Yield keys that the second node let in, each linked with the first, until that is full."""
    host, liar = mesh.nodes[:2]
    chain = host.engine.state.introduction(liar.key)
    assert chain is not None
    while True:
        seed = mesh.rng.randbytes(32)
        visitor = Visitor(mesh, host, seed)
        visitor.say(Introduce((*chain, vouch(mesh, liar, public_key(seed)))))
        if visitor.closed:
            return
        yield visitor


def tell_all(visitor: Visitor, *entries: HeadEntry) -> None:
    """Tell of a whole store."""
    visitor.say(Digest(bytes(16), len(entries)))
    visitor.say(Heads(entries, complete=True))


def crashed(count: int = 4) -> Mesh:
    """Return a commons whose first node may not spend before others have told what they hold."""
    mesh = Mesh(count=count, allocate=False)
    mesh.nodes[0].publish("offer", WATER)
    mesh.nodes[0].start(None)
    assert not mesh.nodes[0].engine.gate.is_open
    return mesh


def test_keys_of_which_nobody_heard_open_no_gate() -> None:
    """INC-4: only who is on the roster counts; one member could show as many as it likes."""
    mesh = crashed()
    made = puppets(mesh)
    for _ in range(5):
        tell_all(next(made))
    host = mesh.nodes[0].engine
    assert not host.gate.is_open
    for node in mesh.nodes[2:]:
        mesh.connect(mesh.nodes[0], node)
    assert host.gate.is_open


def test_who_joined_meanwhile_counts_once_its_vouch_is_here() -> None:
    """INC-4: what it told before then is kept."""
    mesh = crashed(3)
    host, other, _ = mesh.nodes
    newcomer = Node(mesh, "newcomer", mesh.rng.randbytes(32), mesh.options)
    other.publish("vouch", {"key": newcomer.key})
    mesh.nodes.append(newcomer)
    link, _ = mesh.connect(newcomer, other)
    mesh.cut(link)
    mesh.settle()
    mesh.connect(newcomer, host)
    assert host.engine.state.is_member(newcomer.key)
    mesh.connect(host, mesh.nodes[2])
    assert host.engine.gate.is_open


@pytest.mark.parametrize("is_in_doubt", [False, True])
def test_keys_that_come_and_go_leave_little_behind(*, is_in_doubt: bool) -> None:
    """INC-4, INC-5: neither in memory nor on the disk, whatever they tell, and whoever let them in.

    What they tell of logs that nobody has is of no use for a bundle either.
    """
    mesh = crashed()
    host = mesh.nodes[0]
    if is_in_doubt:
        host.start(None, is_restored=True)
    made = puppets(mesh)
    for _ in range(gate.STRANGERS_MAX + 10):
        visitor = next(made)
        names = [mesh.rng.randbytes(8) for _ in range(300)]
        tell_all(visitor, *(HeadEntry(host.key, name, 9, bytes(8)) for name in names))
        mesh.queue.clear()
        visitor.tell(events.LinkClosed(visitor.link, "gone"))
    engine = host.engine
    for kept in (engine.gate._shown, engine.gate._behind):
        assert len(kept) <= gate.STRANGERS_MAX
        assert sum(map(len, kept.values())) <= gate.OWN_ROWS_MAX + 300 * gate.STRANGERS_MAX
    assert sum(map(len, engine.gate._shown.values())) <= gate.OWN_ROWS_MAX
    assert not engine.attendance._linked_ms
    assert not host.disk.heads


def test_a_member_is_kept_in_mind_with_what_it_told_of_logs_that_are_here() -> None:
    """What a bundle may leave out."""
    mesh = crashed()
    host, other = mesh.nodes[:2]
    visitor = Visitor(mesh, host, other.seed)
    visitor.say(Introduce(()))
    (known, *_) = host.engine.logs.stored_logs()
    tell_all(visitor, HeadEntry(*known, 1, bytes(8)), HeadEntry(other.key, bytes(8), 1, bytes(8)))
    visitor.tell(events.LinkClosed(visitor.link, "gone"))
    assert host.disk.heads == {other.key: {known: 1}}
    assert list(host.engine.attendance._linked_ms) == [other.key]


def test_all_keys_of_which_nobody_heard_cost_one_new_log() -> None:
    """INC-3: a claim that the own log is longer may be a lie, and each is free of charge."""
    mesh = Mesh(count=2, allocate=False)
    host = mesh.nodes[0]
    made = puppets(mesh)
    for _ in range(5):
        visitor = next(made)
        log = host.engine.publisher.log
        if log is not None:
            visitor.say(Heads((HeadEntry(host.key, log, 10_000, bytes(8)),), complete=False))
        host.publish("offer", WATER)
    own = [key for key in host.engine.logs.stored_logs() if key[0] == host.key]
    assert len(own) <= 2


def test_a_key_of_which_nobody_heard_makes_a_node_remember_little(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """10.1: of what it tells; a member may tell more, and who was cut short has not told all."""
    monkeypatch.setattr(reconcile, "STRANGER_HEADS_MAX", 100)
    mesh = crashed()
    host = mesh.nodes[0].engine
    names = sorted(mesh.rng.randbytes(8) for _ in range(300))
    entries = [HeadEntry(mesh.nodes[1].key, name, 9, bytes(8)) for name in names]
    tell_all(next(puppets(mesh)), *entries)
    (stranger,) = host.replicate.reconcile._peers.values()
    assert len(stranger.told) == 100
    assert not host.gate._shown
    member = Visitor(mesh, mesh.nodes[0], mesh.nodes[2].seed)
    member.say(Introduce(()))
    tell_all(member, *entries)
    assert len(host.replicate.reconcile.told_by(member.link)) == 300
    assert list(host.gate._shown) == [mesh.nodes[2].key]


def test_keys_of_which_nobody_heard_crowd_out_nobody() -> None:
    """9.7: they make room for members, however young they are, and no member does for them."""
    mesh = Mesh(count=DEGREE_MAX + 4, allocate=False)
    host, _, *members = mesh.nodes
    for member in members[: DEGREE_MAX - 2]:
        Visitor(mesh, host, member.seed).say(Introduce(()))
    made = puppets(mesh)
    strange = [next(made), next(made)]
    mesh.now_ms += LINK_AGE_MIN_MS
    strange.append(next(made))  # it takes the place of one like it
    ready = host.engine.peers.ready_links()
    assert [visitor.link in ready for visitor in strange].count(False) == 1
    late = [Visitor(mesh, host, member.seed) for member in members[-2:]]
    for visitor in late:
        visitor.say(Introduce(()))
        assert not visitor.closed
    assert [each.code for each in host.closed] == [CLOSE_SPARE] * 3
    linked = {host.engine.peers.key_of(link) for link in host.engine.peers.ready_links()}
    assert linked == {node.key for node in (*members[: DEGREE_MAX - 2], *members[-2:])}
    assert next(made, None) is None
