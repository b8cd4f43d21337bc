"""What a node that lacks much gets first, and that the order holds nothing back."""

import random
from typing import Any

from mycelia_protocol import events
from mycelia_protocol.engine import Engine
from mycelia_protocol.events import Range
from mycelia_protocol.limits import STAGED_RECORDS_MIN
from mycelia_protocol.messages import (
    STAGE_ALL,
    STAGE_ROSTER,
    STAGE_URGENT,
    HeadEntry,
    Heads,
    Want,
)
from mycelia_protocol.notices import CatchingUp, RecordArrived
from mycelia_protocol.record import Record
from protocol.test_reconcile import HONEST, LIAR, Bench, bench
from support.mesh import Mesh
from support.scribe import WATER, Scribe

DULL = 130  # offers in a row, of which none is urgent


def history(mesh: Mesh) -> tuple[list[Record], list[Record], list[Record]]:
    """Return long logs: all of them, who is let in late and what is urgent, in their order."""
    rng = random.Random(7)
    founder = Scribe(mesh.nodes[0].seed, mesh.charter, rng)
    newcomer = Scribe(rng.randbytes(32), mesh.charter, rng)
    others = [Scribe(node.seed, mesh.charter, rng) for node in mesh.nodes[2:]]
    dull(founder)
    roster = [founder.write("vouch", {"key": newcomer.key})]
    urgent: list[Record] = []
    for each in (*others, newcomer):
        dull(each)
        urgent.append(each.request(5))
    withdrawn = founder.request(5)
    for each in (founder, *others, newcomer):
        dull(each)
    founder.withdraw(withdrawn)
    every = [record for each in (founder, *others, newcomer) for record in each.written]
    return every, roster, urgent


def dull(scribe: Scribe) -> None:
    """Write what is of no hurry."""
    for _ in range(DULL):
        scribe.write("offer", {**WATER, "quantity": 5})


def test_who_is_in_comes_first_then_what_is_urgent_then_the_rest() -> None:
    """REP-17: what counts most is there while most of a long catch-up is still to come."""
    mesh = Mesh(count=6, allocate=False)
    full, empty = mesh.nodes[:2]
    every, roster, urgent = history(mesh)
    for record in every:
        full.disk.logs.setdefault((record.author, record.log), []).append(record)
    full.start(None)
    mesh.connect(full, empty)
    came = [note.record.id for note in empty.notices if isinstance(note, RecordArrived)]
    places = {record: place for place, record in enumerate(came)}
    assert len(came) >= len(every) > STAGED_RECORDS_MIN
    last_vouch = max(places[record.id] for record in roster)
    last_urgent = max(places[record.id] for record in urgent)
    assert last_vouch < 2 * DULL, "of its log comes what stands before it, and nothing of others"
    assert last_vouch < last_urgent < (len(urgent) + 2) * DULL + 20 < len(came) * 2 // 3
    rest = [places[log[-1].id] for log in full.disk.logs.values() if log[-1].id in places]
    assert min(rest) > last_vouch
    assert len([place for place in rest if place < last_urgent]) <= 1, "only what was short anyway"
    told = [note for note in empty.notices if isinstance(note, CatchingUp)]
    assert told[-1].fetched == told[-1].total
    assert [one.fetched for one in told] == sorted(one.fetched for one in told)


def tell_much(made: Bench, link: int) -> list[Want]:
    """Let a peer tell of the log and of so much else that it is far ahead."""
    other = HeadEntry(made.key[0], b"elsewher", STAGED_RECORDS_MIN, bytes(8))
    entry = HeadEntry(*made.key, len(made.log), made.log[-1].id[:8])
    said = made.reconcile.heads_told(link, Heads((entry, other), complete=True), made.now_ms)
    return [say.message for say in said if isinstance(say.message, Want)]


def test_a_stage_in_which_nothing_comes_ends_and_the_last_one_leaves_nothing_out() -> None:
    """REP-17, REP-5: who gives nothing in two stages has nothing urgent; in the third, nothing."""
    made = bench()
    stages = [want.stage for want in tell_much(made, LIAR)]
    for _ in range(2):
        said = made.answer(LIAR, [], 10)
        stages += [say.message.stage for say in said if isinstance(say.message, Want)]
    assert stages == [STAGE_ROSTER, STAGE_URGENT, STAGE_ALL]
    made.tell(HONEST, 40)
    said = made.answer(LIAR, [], 10)
    assert [(say.link, say.message.stage) for say in said if isinstance(say.message, Want)] == [
        (HONEST, STAGE_ALL)
    ]


def test_a_node_that_is_little_behind_asks_for_all_at_once() -> None:
    """REP-17: a round trip more is worth it only for those who wait long anyway."""
    made = bench()
    said = made.tell(HONEST, 40)
    assert [say.message for say in said] == [Want((Range(*made.key, 0, 39),), STAGE_ALL)]


def test_many_questions_cost_one_look_at_the_state() -> None:
    """10.1.3: who asks in stages again and again makes no node look through all it holds."""
    mesh = Mesh(count=2)
    engine: Engine = mesh.nodes[0].engine
    looks: list[type] = []
    every = engine.state.every

    def counted(family: Any, keep: Any = None) -> Any:
        looks.append(family)
        return every(family, keep)

    engine.state.every = counted  # type: ignore[assignment, method-assign]
    want = Want((Range(mesh.nodes[0].key, bytes(8), 0, 9),), STAGE_URGENT)
    for _ in range(50):
        steps = engine.replicate._answer(1, want, mesh.now_ms)
        engine.replicate._reads.clear()
        assert [step.ranges for step in steps if isinstance(step, events.ReadRecords)] == [()]
    assert len(looks) <= 6
