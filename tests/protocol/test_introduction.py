"""The vouches by which a member shows that it is one, and members who would spoil them."""

from mycelia_protocol import events
from mycelia_protocol.crypto import public_key
from mycelia_protocol.join import Joined, decode_introduction, is_introduced
from mycelia_protocol.limits import CHAIN_RECORDS_MAX
from mycelia_protocol.options import Options
from mycelia_protocol.state import State
from support.mesh import Mesh, Node
from support.scribe import Scribe, village
from support.visitor import WATER, invite, join


def puppets(first: Scribe, count: int) -> list[Scribe]:
    """Return keys of one member's own, each vouched for by the one before."""
    made = [first]
    for _ in range(count):
        made.append(Scribe(first.rng.randbytes(32), first.charter, first.rng))
        made[-2].write("vouch", {"key": made[-1].key})
    return made[1:]


def test_the_shorter_of_two_chains_is_shown_whichever_came_first() -> None:
    """SESS-7: a long way round to a member is forgotten when a shorter one is known."""
    charter, (founder, liar, oak) = village(3)
    chain = puppets(liar, 70)
    chain[-1].write("vouch", {"key": oak.key})
    state = State(charter)
    late = founder.written[-1]
    assert late.kind == "vouch"
    for record in [
        *founder.written[:-1],
        *liar.written,
        *(r for one in chain for r in one.written),
    ]:
        state.add(record)
    assert state.is_member(oak.key)
    assert state.introduction(oak.key) is None
    state.add(late)
    assert state.introduction(oak.key) == [late]


def test_a_chain_beyond_the_limit_is_not_shown() -> None:
    """A greeting that no peer could read would keep a member from all it meets."""
    charter, (founder, liar) = village(2)
    chain = puppets(liar, CHAIN_RECORDS_MAX)
    state = State(charter)
    for record in [*founder.written, *liar.written, *(r for one in chain for r in one.written)]:
        state.add(record)
    shown = state.introduction(chain[-2].key)
    assert shown is not None
    assert len(shown) == CHAIN_RECORDS_MAX
    assert state.introduction(chain[-1].key) is None


def test_members_keep_meeting_though_one_vouches_for_them_by_a_long_way() -> None:
    """After a restart that loads the long chain first, two members still connect."""
    mesh = Mesh(count=3, allocate=False)
    mill, liar_node, oak = mesh.nodes
    liar = Scribe(liar_node.seed, mesh.charter, mesh.rng)
    chain = puppets(liar, 70)
    chain[-1].write("vouch", {"key": oak.key})
    written = [record for one in (liar, *chain) for record in one.written]
    for node in (mill, oak):
        for record in written:
            node.disk.logs.setdefault((record.author, record.log), []).append(record)
        node.start(None)
        node.give(events.TimerFired())
    mesh.connect(mill, oak)
    assert len(mesh.ends) == 2


def stripped(mesh: Mesh) -> Node:
    """Return a newcomer to whom a founder's log came without the signatures of its vouches."""
    founder = mesh.nodes[0]
    seed = mesh.rng.randbytes(32)
    invite(mesh)
    joined = join(mesh, seed)
    assert isinstance(joined, Joined)
    founder.publish("offer", WATER)
    node = Node(mesh, "newcomer", seed, Options(introduction=joined.introduction))
    for key, log in founder.disk.logs.items():
        node.disk.logs[key] = [*(each.without_signature() for each in log[:-1]), log[-1]]
    node.start(None)
    assert node.engine.state.is_member(node.key)
    return node


def test_who_was_given_vouches_without_signatures_shows_the_chain_that_it_joined_with() -> None:
    """SESS-7, LOG-4: whoever hands on a log may leave out what stands inside of a run."""
    mesh = Mesh(count=1, allocate=False)
    node = stripped(mesh)
    chain = node.engine._own_introduction()
    assert is_introduced(mesh.charter, chain, node.key)


def test_who_was_given_vouches_without_signatures_can_let_others_in() -> None:
    """JOIN-3: the way to a guest goes by its own chain, and the vouch that it wrote."""
    mesh = Mesh(count=1, allocate=False)
    mesh.nodes.insert(0, stripped(mesh))
    secret, seed = bytes(16), mesh.rng.randbytes(32)
    mesh.nodes[0].give(events.InviteRequested(78, secret, mesh.now_ms + 1_000))
    joined = join(mesh, seed, secret, mesh.nodes[0].key)
    assert isinstance(joined, Joined)
    chain, _ = decode_introduction(joined.introduction)
    assert len(chain) == 2
    assert is_introduced(mesh.charter, chain, public_key(seed))
