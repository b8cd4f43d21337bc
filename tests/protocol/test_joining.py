"""Newcomers: invites that work once, refusals that say why, and introductions."""

import pytest

from mycelia_protocol.join import Joined, JoinFailed
from mycelia_protocol.options import Options
from support.mesh import Mesh, Node
from support.visitor import SECRET, invite, join


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


def test_a_crash_after_the_vouch_does_not_open_the_invite_again() -> None:
    """JOIN-2: the vouch in the log shows the use, though the invite is still in the store."""
    mesh = Mesh(count=1)
    host = mesh.nodes[0]
    invite(mesh)
    kept = dict(host.disk.invites)
    assert isinstance(join(mesh, mesh.rng.randbytes(32)), Joined)
    host.disk.invites = kept
    host.start(None)
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


def test_a_member_whose_store_is_empty_does_not_think_that_it_is_alone() -> None:
    """INC-4: a newcomer, or a member who lost its store, grants nothing before it met somebody."""
    mesh = Mesh(count=1)
    invite(mesh)
    seed = mesh.rng.randbytes(32)
    joined = join(mesh, seed)
    assert isinstance(joined, Joined)
    options = Options(discover=False, introduction=joined.introduction)
    member = Node(mesh, "member", seed, options)
    assert not member.engine.gate.is_open
    mesh.connect(member, mesh.nodes[0])
    spends = member.engine.gate.is_open
    assert spends
