"""Two nodes that meet again: what it costs to tell what changed since they held the same."""

import random
import sys

import pytest

from mycelia_protocol.compare import Compare, Vector
from mycelia_protocol.errors import SessionError
from mycelia_protocol.limits import BASES_MAX
from mycelia_protocol.logs import Logs
from mycelia_protocol.messages import Buckets, Changes, Digest, HeadEntry, Heads, Message, Want
from mycelia_protocol.record import Record
from protocol.test_compare import Listening, grown, is_level, put
from support.mesh import Mesh, Node

TELLING = (Digest, Buckets, Heads, Changes)


def met(logs: int) -> tuple[Listening, list[list[Record]]]:
    """Return two nodes that hold the same logs of two records, have met, and lost each other.

    A third record of each log is kept aside.
    """
    mesh = Listening()
    one, other = mesh.nodes
    made = grown(mesh, one, logs, 3)
    for node in (one, other):
        put(node, [log[:2] for log in made])
    link, _ = mesh.connect(one, other)
    mesh.cut(link)
    mesh.settle()
    mesh.listen()
    return mesh, made


def carry(mesh: Mesh, node: Node, records: list[Record]) -> None:
    """Let records come to a node by hand."""
    from mycelia_protocol.events import RecordsCarried

    node.give(RecordsCarried(mesh.token(), tuple(records)))
    mesh.settle()


def test_who_meets_again_unchanged_tells_nothing() -> None:
    """REP-13: a short break costs what an equal comparison costs: a hundred bytes at most."""
    mesh, _ = met(300)
    mesh.connect(*mesh.nodes)
    assert [type(message) for message, _ in mesh.said if isinstance(message, TELLING)] == [
        Digest
    ] * 2
    assert mesh.size(*TELLING) <= 100


@pytest.mark.parametrize(
    ("logs", "changed"), [(20, 1), (300, 1), (300, 10), (300, 100), (1_000, 50)]
)
def test_who_meets_again_tells_what_changed_in_few_bytes(logs: int, changed: int) -> None:
    """REP-18: at most fifteen bytes for each log that changed, and two round trips."""
    mesh, made = met(logs)
    one, other = mesh.nodes
    fresh = random.Random(1).sample([log[2] for log in made], changed)
    half = changed // 2
    carry(mesh, one, fresh[:half])
    carry(mesh, other, fresh[half:])
    mesh.said.clear()
    mesh.connect(one, other)
    assert is_level(mesh)
    kinds = [type(message) for message, _ in mesh.said if isinstance(message, (*TELLING, Want))]
    assert kinds[:4] == [Digest, Digest, Changes, Changes]
    assert set(kinds[4:]) == {Want}
    told = mesh.size(*TELLING)
    sys.stdout.write(f"{logs} logs, {changed} changed: {told} B told, {mesh.size(Want)} B asked\n")
    assert told <= 160 + 15 * changed
    assert mesh.size(Want) <= 40 + 15 * changed


def test_logs_that_began_since_are_named_in_full() -> None:
    """REP-18: HEADS tell of them before CHANGES; and both sides learn all that the other holds."""
    mesh, made = met(70)
    one, other = mesh.nodes
    fresh = grown(mesh, one, 2, 2)
    carry(mesh, one, [*fresh[0], *fresh[1], made[0][2]])
    carry(mesh, other, [made[1][2]])
    mesh.said.clear()
    link, _ = mesh.connect(one, other)
    assert is_level(mesh)
    heads = mesh.heads()
    assert [(len(said.entries), said.complete) for said in heads] == [(2, False)]
    told = one.engine.replicate.reconcile.told_by(link)
    moved = (made[0][0].author, made[0][0].log)
    assert told == {key: len(log) for key, log in other.disk.logs.items() if key in told}
    assert {*other.disk.logs} - {*told} == {moved, *((log[0].author, log[0].log) for log in fresh)}


def test_who_forgot_is_told_as_a_stranger_is() -> None:
    """REP-18: after a restart of one side buckets come before heads, as at the first time."""
    mesh, made = met(300)
    one, other = mesh.nodes
    other.start(None)
    carry(mesh, one, [made[0][2]])
    mesh.listen()
    mesh.connect(one, other)
    assert is_level(mesh)
    assert not [message for message, _ in mesh.said if isinstance(message, Changes)]


def entries(count: int) -> list[HeadEntry]:
    """Return heads."""
    rng = random.Random(count)
    return [
        HeadEntry(rng.randbytes(32), rng.randbytes(8), 1, rng.randbytes(8)) for _ in range(count)
    ]


def paired(heads: list[HeadEntry]) -> tuple[Compare, Compare]:
    """Return two sides that found out that they hold the same heads."""
    sides = tuple(Compare(lambda: Vector(heads), lambda _: {}) for _ in range(2))
    first, second = (side.opened(1, bytes(32), b"session") for side in sides)
    sides[0].digest_came(1, second)
    sides[1].digest_came(1, first)
    return sides[0], sides[1]


@pytest.mark.parametrize(
    "wrong", [Changes((), complete=True), Changes(((0, 1, bytes(8)),), complete=False)]
)
def test_changes_that_are_not_due_end_the_session(wrong: Changes) -> None:
    """REP-18: nobody can name logs by places in a table that was not agreed."""
    one, _ = paired(entries(3))
    with pytest.raises(SessionError):
        one.changes_came(1, wrong)


def test_it_is_remembered_of_so_many_members() -> None:
    """REP-18: what a node remembers of members does not grow without bound."""
    side = Compare(lambda: Vector([]), lambda _: {})
    for number in range(BASES_MAX + 10):
        digest = side.opened(number, number.to_bytes(32), b"session")
        side.digest_came(number, Digest(digest.digest, 0))
    assert len(side._bases) == BASES_MAX


def test_a_log_that_parts_at_its_beginning_shifts_no_place() -> None:
    """REP-18: of a log that counts for nothing there was no head; both sides leave it out."""
    mesh, made = met(70)
    one, other = mesh.nodes
    keys = sorted((log[0].author, log[0].log) for log in made)
    hidden = keys[0]
    for node in (one, other):
        node.start(None)
        node.engine.replicate.reconcile._telling._parts_at = {hidden: 0}.get
    link, _ = mesh.connect(one, other)
    mesh.cut(link)
    mesh.settle()
    carry(mesh, one, [log[2] for log in made if (log[0].author, log[0].log) in keys[1:4]])
    mesh.listen()
    mesh.connect(one, other)
    changes = [message for message, _ in mesh.said if isinstance(message, Changes)]
    assert sorted(len(said.rows) for said in changes) == [0, 3]
    assert is_level(mesh)


def test_logs_know_which_moved_since() -> None:
    """`stored_at` names what was on disk then, and whether it moved since."""
    mesh = Mesh(count=2)
    made = grown(mesh, mesh.nodes[0], 3, 2)
    logs = Logs()
    for log in made[:2]:
        logs.load(log[0])
    begun = logs.moves
    for record in (made[0][1], made[2][0]):
        logs.take([record])
        logs.confirm([record])
    keys = [(log[0].author, log[0].log) for log in made]
    assert logs.stored_at(begun) == dict(sorted({keys[0]: True, keys[1]: False}.items()))
    assert logs.stored_at(logs.moves) == dict.fromkeys(sorted(keys), False)


def test_messages_of_a_session_are_of_that_session() -> None:
    """REP-18: a base is named by what only its two ends know."""
    one, other = paired(entries(2))
    says: list[Message] = [side.again(1)[0] for side in (one, other)]
    bases = {said.base for said in says if isinstance(said, Digest)}
    assert len(bases) == 1
    assert all(bases)
