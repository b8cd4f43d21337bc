"""Evidence from somebody who shows what is none, or without end."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from mycelia_protocol import confirming, hearing
from mycelia_protocol.close_codes import CLOSE_FRAME
from mycelia_protocol.form_frames import Evidence, Query
from mycelia_protocol.messages import Digest, HeadEntry, Heads, Records
from mycelia_protocol.record import Record
from protocol.test_forms_hostile import made_up
from support.mesh import Mesh
from support.visitor import Visitor, a_member, stray


def offered(mesh: Mesh) -> Visitor:
    """Return somebody who offers a checkpoint that nobody confirmed, and is asked for evidence."""
    visitor, node = a_member(mesh), mesh.nodes[1]
    sum_ = stray(mesh.charter.commons, node.seed, "checkpoint", {"root": bytes(32)}, seq=5)
    visitor.say(Digest(bytes(16), 1))
    visitor.say(Heads((HeadEntry(node.key, bytes(8), 6, sum_.id[:8]),), complete=True))
    visitor.say(Records((sum_,)))
    return visitor


def queries(visitor: Visitor) -> list[Query]:
    """Return what evidence was asked for."""
    return [message for message in visitor.heard if isinstance(message, Query)]


def some(mesh: Mesh, count: int) -> list[Record]:
    """Return acknowledgements with good signatures, by id."""
    made = [made_up(mesh, number.to_bytes(32), 1) for number in range(1, count + 1)]
    return sorted(made, key=lambda record: record.id)


def another(mesh: Mesh) -> Record:
    """Return a good vouch that its author wrote in another commons."""
    return stray(bytes(32), mesh.nodes[0].seed, "vouch", {"key": mesh.nodes[1].key})


BAD: dict[str, Callable[[Mesh], tuple[list[Record], bytes | None]]] = {
    "another commons": lambda mesh: ([another(mesh)], None),
    "another kind": lambda mesh: (
        [each for each in mesh.nodes[0].disk.records() if each.kind == "incarnation"],
        None,
    ),
    "not by id": lambda mesh: (some(mesh, 3)[::-1], None),
    "twice": lambda mesh: (some(mesh, 1) * 2, None),
    "backwards": lambda mesh: (some(mesh, 3), some(mesh, 3)[0].id),
}


@pytest.mark.parametrize("name", BAD)
def test_what_nobody_asked_for_is_no_evidence(name: str) -> None:
    """CHECK-8: vouches and acknowledgements of this commons, by id, each once."""
    mesh = Mesh(count=2, allocate=False)
    visitor = offered(mesh)
    assert queries(visitor) == [Query(None)]
    records, after = BAD[name](mesh)
    visitor.say(Evidence(tuple(records), after))
    assert visitor.closed == [CLOSE_FRAME]


def test_good_evidence_goes_on_where_it_ended() -> None:
    """CHECK-8: page by page."""
    mesh = Mesh(count=2, allocate=False)
    visitor = offered(mesh)
    first, second, third = some(mesh, 3)
    visitor.say(Evidence((first, second), second.id))
    visitor.say(Evidence((third,), None))
    assert not visitor.closed
    assert queries(visitor) == [Query(None), Query(second.id)]


def test_new_links_let_nobody_show_evidence_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """CHECK-8: each page may cost as many checks of signatures as there are records in it."""
    monkeypatch.setattr(hearing, "PAGES_AT_ONCE", 10)
    mesh = Mesh(count=2, allocate=False)
    mesh.nodes[0].start(None)
    asked = 0
    for _ in range(5):
        visitor = offered(mesh)
        asked += len(queries(visitor))
        for record in some(mesh, 3)[: 3 * len(queries(visitor))]:
            visitor.say(Evidence((record,), record.id))
        asked = asked - 1 + len(queries(visitor)) if queries(visitor) else asked
    assert asked == 10
    mesh.now_ms += 10_000
    assert queries(offered(mesh)) == [Query(None)]


def test_what_was_checked_before_is_not_checked_again() -> None:
    """Most links show the same; only what nobody showed yet costs a check."""
    mesh = Mesh(count=2, allocate=False)
    visitor = offered(mesh)
    first, second = some(mesh, 2)
    visitor.say(Evidence((first,), first.id))
    before = mesh.nodes[0].engine.logs.verifications
    exchange = mesh.nodes[0].engine._exchange._forms
    assert exchange._is_authentic(first)
    assert mesh.nodes[0].engine.logs.verifications == before
    assert exchange._is_authentic(second)
    assert mesh.nodes[0].engine.logs.verifications == before + 1
    assert not exchange._is_authentic(replace(second, signature=bytes(64)))


def test_what_was_said_in_another_commons_counts_nothing_however_it_came() -> None:
    """REC-3: a key may be in two commons; nor does a bundle show what was said elsewhere."""
    mesh = Mesh(count=2, allocate=False)
    testimony = confirming.Testimony(mesh.nodes[0].engine.state)
    testimony.note(1, [another(mesh)])
    assert testimony.note_carried(bytes(8), 0, [another(mesh)], is_last=True)
    assert not testimony.rows
