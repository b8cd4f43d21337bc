"""Who is heard before a checkpoint is believed: all, as far as they come to an end."""

from dataclasses import replace
from types import UnionType
from typing import Any

import pytest

from mycelia_protocol import forms
from mycelia_protocol.events import Output
from mycelia_protocol.form_events import ReadForms
from mycelia_protocol.form_frames import Query, Seek
from mycelia_protocol.messages import Want
from mycelia_protocol.record import Record
from mycelia_protocol.told import Say
from protocol.test_forms import compact_records, join, shortened
from protocol.test_forms_hostile import accomplices
from support.mesh import Mesh, Node


def deafen(node: Node, frames: type | UnionType, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a node leave some frames without an answer."""
    exchange = node.engine._exchange
    heard = exchange.heard

    def deaf(link: int, message: Any, now_ms: int) -> Any:
        return [] if isinstance(message, frames) else heard(link, message, now_ms)

    monkeypatch.setattr(exchange, "heard", deaf)


def betrayed() -> tuple[Mesh, Node, tuple[bytes, bytes]]:
    """Return a commons of three liars and of two on an island, a newcomer, and the false log.

    What those two said the liars do not show; nor have those two the false log. The last but the
    newcomer is one of them.
    """
    mesh, victim = accomplices("facts", is_island=True)
    liar = mesh.nodes[1]
    return mesh, victim, (liar.key, liar.engine.publisher.log or b"")


def test_whoever_is_linked_with_one_honest_member_is_shown_what_liars_hide(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """CHECK-8: all are heard, and not only who offers, before their records are here."""
    mesh, victim, false = betrayed()
    deafen(mesh.nodes[-2], Want, monkeypatch)
    mesh.begin(victim, mesh.nodes[1])
    mesh.connect(victim, mesh.nodes[-2])
    mesh.run(10_000)
    exchange = victim.engine._exchange._forms
    assert any(false in peer.offers for peer in exchange._peers.values())
    assert not victim.engine.logs.accepted(false).next_seq


def test_where_all_links_lead_to_liars_they_are_believed() -> None:
    """What is given up, and the other half of the test before: it tests something."""
    mesh, victim, false = betrayed()
    mesh.connect(victim, mesh.nodes[1])
    mesh.run(10_000)
    assert victim.engine.logs.accepted(false).next_seq


def test_who_never_comes_to_an_end_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """CHECK-8: a link on which no evidence comes holds up nothing for long."""
    mesh = shortened()
    newcomer, silent = join(mesh, mesh.nodes[0]), mesh.nodes[2]
    deafen(silent, Query, monkeypatch)
    mesh.begin(newcomer, silent)
    mesh.connect(newcomer, mesh.nodes[1])
    mesh.run(15_000)
    assert not compact_records(newcomer)
    mesh.run(75_000)
    assert newcomer.engine.state.digest() == mesh.nodes[0].engine.state.digest()


def test_who_gives_long_logs_is_heard_before_more_of_them_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """CHECK-8: else nobody would wait for it longer than a minute, nor ask it ever after."""
    mesh = shortened()
    newcomer, giver = join(mesh, mesh.nodes[0]), mesh.nodes[1]
    exchange = newcomer.engine._exchange._forms
    [link, *_] = mesh.connect(newcomer, giver)
    mesh.run(60_000)
    sums = [each for each in giver.disk.records() if each.kind == "checkpoint"]
    exchange._peers[link].offers = {(bytes(32), bytes(8)): (sums[0], sums[0].seq + 1)}
    monkeypatch.setattr(exchange._hearing, "believes", lambda _: True)
    exchange._hearing.opened(link, giver.key)
    exchange._hearing._awaited.add(link)
    asked = [exchange._ask(link, mesh.now_ms)[0]]
    exchange._peers[link].question = None
    asked += exchange._ask(link, mesh.now_ms)
    assert [type(each.message) for each in asked if isinstance(each, Say)] == [Query, Seek]


def test_pages_of_evidence_are_weighed_once_all_are_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """CHECK-8: in whatever order they come; and each costs what is in it, not all there is."""
    monkeypatch.setattr(forms, "EVIDENCE_RECORDS_MAX", 1)
    mesh = shortened()
    newcomer = join(mesh, mesh.nodes[0])
    hearing = newcomer.engine._exchange._forms._hearing
    made: list[tuple[int, int]] = []  # pages, and what was made of them
    confirms = hearing.testimony.confirms

    def noted(checkpoint: Record) -> bool:
        found = confirms(checkpoint)
        pages = sum(each.pages for each in hearing._tellings.values())
        made.append((pages, id(hearing.testimony._witnesses)))
        return found

    monkeypatch.setattr(hearing.testimony, "confirms", noted)
    mesh.connect(newcomer, mesh.nodes[1])
    assert len({witnesses for pages, witnesses in made if pages < 6}) == 1
    assert max(made)[0] == 6
    mesh.run(60_000)
    assert newcomer.engine.state.digest() == mesh.nodes[0].engine.state.digest()


def test_a_peer_that_gives_drop_by_drop_holds_back_no_log(monkeypatch: pytest.MonkeyPatch) -> None:
    """REP-5: whoever is quicker is asked for the next part, as with whole records."""
    mesh = shortened()
    newcomer, slow = join(mesh, mesh.nodes[0]), mesh.nodes[1]
    perform = mesh.perform
    held: list[tuple[int, ReadForms]] = []

    def dripping(node: Node, output: Output) -> None:
        if node is slow and isinstance(output, ReadForms) and output.is_proved:
            held.append((mesh.now_ms, replace(output, size_max=1)))
        else:
            perform(node, output)

    monkeypatch.setattr(mesh, "perform", dripping)
    mesh.connect(newcomer, slow)
    assert held
    mesh.connect(newcomer, mesh.nodes[2])
    for _ in range(6):
        mesh.run(15_000)
        for _, output in held:
            perform(slow, output)
        held.clear()
    mesh.settle()
    assert newcomer.engine.state.digest() == mesh.nodes[0].engine.state.digest()
