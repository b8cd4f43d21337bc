"""The vouches by which a member shows that it is one, and members who would spoil them."""

from mycelia_protocol import events
from mycelia_protocol.limits import CHAIN_RECORDS_MAX
from mycelia_protocol.state import State
from support.mesh import Mesh
from support.scribe import Scribe, village


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
