"""Links that hang: who opens many and finishes none keeps nobody out."""

from collections.abc import Callable

import pytest

from mycelia_protocol import events
from mycelia_protocol.close_codes import CLOSE_FULL, CLOSE_SPARE
from mycelia_protocol.limits import DEGREE_MAX, LINK_AGE_MIN_MS, UNPROVEN_MAX
from mycelia_protocol.messages import Introduce
from support.mesh import Mesh, Node
from support.visitor import Visitor


def hang(mesh: Mesh, host: Node, count: int) -> list[int]:
    """Open links to a node that say nothing; return which it closes."""
    closed: list[int] = []
    for number in range(count):
        for output in host.engine.handle(
            events.LinkOpened(10_000 + number, False, "nobody"), mesh.now_ms
        ):
            if isinstance(output, events.CloseLink):
                assert output.code == CLOSE_FULL
                closed.append(output.link)
    return closed


def test_the_oldest_hanging_link_makes_room() -> None:
    """However many links are opened, a node keeps few that nobody has greeted on."""
    mesh = Mesh(count=2)
    closed = hang(mesh, mesh.nodes[0], 500)
    assert closed == [10_000 + number for number in range(500 - UNPROVEN_MAX)]
    assert mesh.nodes[0].engine.peers.unproven == UNPROVEN_MAX


def test_an_honest_handshake_goes_through_while_others_hang() -> None:
    """A member gets in, and stays in when more links are opened after it."""
    mesh = Mesh(count=2)
    hang(mesh, mesh.nodes[0], 100)
    mesh.connect(mesh.nodes[1], mesh.nodes[0])
    hang(mesh, mesh.nodes[0], 100)
    assert len(mesh.nodes[0].engine.peers.ready_links()) == 1
    assert len(mesh.ends) == 2


def test_a_node_that_dials_much_closes_none_of_its_own_dials_for_room() -> None:
    """Only links that others opened make room; own dials have their time-out."""
    mesh = Mesh(count=2)
    node = mesh.nodes[0]
    for number in range(2 * UNPROVEN_MAX):
        opened = events.LinkOpened(20_000 + number, True, f"h:{number}")
        outputs = node.engine.handle(opened, mesh.now_ms)
        assert not [output for output in outputs if isinstance(output, events.CloseLink)]


def test_a_full_node_makes_room_for_who_knocks_and_not_by_its_own_dials() -> None:
    """9.7: who was away finds a way in; links that the node opened, and young ones, stay."""
    mesh = Mesh(count=DEGREE_MAX + 3)
    host, dialled, *members = mesh.nodes
    mesh.connect(host, dialled)
    for member in members[: DEGREE_MAX - 1]:
        Visitor(mesh, host, member.seed).say(Introduce(()))
    assert len(host.engine.peers.ready_links()) == DEGREE_MAX
    early = Visitor(mesh, host, members[-1].seed)
    early.say(Introduce(()))
    assert early.closed == [CLOSE_FULL]
    mesh.now_ms += LINK_AGE_MIN_MS
    late = Visitor(mesh, host, members[-1].seed)
    late.say(Introduce(()))
    assert not late.closed
    ready = host.engine.peers.ready_links()
    assert len(ready) == DEGREE_MAX
    keys = {host.engine.peers.key_of(link) for link in ready}
    assert {dialled.key, members[-1].key} <= keys
    assert [output.code for output in host.closed].count(CLOSE_SPARE) == 1


@pytest.mark.parametrize("choose", [min, max])
def test_a_second_link_of_one_member_costs_nobody_else_its_own(
    choose: Callable[..., Node],
) -> None:
    """9.7: whichever of the two links stays, they are one; so no room is needed."""
    mesh = Mesh(count=DEGREE_MAX + 1)
    host, *members = mesh.nodes
    dialled = choose(members, key=lambda node: node.key)
    assert (host.key < dialled.key) == (choose is max)
    mesh.connect(host, dialled)
    for member in members:
        if member is not dialled:
            Visitor(mesh, host, member.seed).say(Introduce(()))
    mesh.now_ms += LINK_AGE_MIN_MS
    for _ in range(3):
        Visitor(mesh, host, dialled.seed).say(Introduce(()))
    ready = host.engine.peers.ready_links()
    assert {host.engine.peers.key_of(link) for link in ready} == {node.key for node in members}


@pytest.mark.parametrize("is_closed_first", [False, True])
def test_who_dials_again_and_again_grows_as_old_as_the_others(*, is_closed_first: bool) -> None:
    """9.7: members who renew their links before these are old keep nobody out all the same."""
    mesh = Mesh(count=DEGREE_MAX + 2)
    host, *members = mesh.nodes
    links: list[Visitor] = []
    for _ in range(4):
        for at, member in enumerate(members[:DEGREE_MAX]):
            if is_closed_first and at < len(links):
                links[at].tell(events.LinkClosed(links[at].link, "away"))
            visitor = Visitor(mesh, host, member.seed)
            visitor.say(Introduce(()))
            assert not visitor.closed
            links[at : at + 1] = [visitor]
        mesh.now_ms += LINK_AGE_MIN_MS // 3
    late = Visitor(mesh, host, members[-1].seed)
    late.say(Introduce(()))
    assert not late.closed


def test_who_made_room_is_made_no_room_for() -> None:
    """9.7: else two who knock at a full node would push each other out without end."""
    mesh = Mesh(count=DEGREE_MAX + 2)
    host, *members = mesh.nodes
    visitors: list[Visitor] = []
    for member in members[:DEGREE_MAX]:
        visitors.append(Visitor(mesh, host, member.seed))
        visitors[-1].say(Introduce(()))
    mesh.now_ms += LINK_AGE_MIN_MS
    late = Visitor(mesh, host, members[-1].seed)
    late.say(Introduce(()))
    ready = host.engine.peers.ready_links()
    (gone,) = [visitor for visitor in visitors if visitor.link not in ready]
    back = Visitor(mesh, host, gone.seed)
    back.say(Introduce(()))
    assert back.closed == [CLOSE_FULL]
    mesh.now_ms += LINK_AGE_MIN_MS
    back = Visitor(mesh, host, gone.seed)
    back.say(Introduce(()))
    assert not back.closed
