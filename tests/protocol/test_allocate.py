"""The allocator `fifo`: whom it serves from which offer, and in which slot."""

from mycelia_protocol.allocate import answers, fifo
from mycelia_protocol.encoding import Value
from mycelia_protocol.purses import stocks
from mycelia_protocol.record import Record
from mycelia_protocol.state import State
from support.scribe import Scribe, village

NOW_MS = 1_700_000_001_000
DRILL: dict[str, Value] = {"category": "tool.hand", "title": "Drill", "unit": "1", "quantity": 1}
SLOTS: Value = [[NOW_MS + 10, NOW_MS + 20], [NOW_MS + 20, NOW_MS + 30]]

Promised = tuple[bytes, bytes, object, object]


def promised(giver: Scribe, others: list[Scribe]) -> list[Promised]:
    """Return (purse, request, quantity, slot) of what the giver would grant now."""
    state = State(giver.charter)
    for record in [each for who in (giver, *others) for each in who.written]:
        state.add(record)
    shelf = list(stocks(state, giver.key, giver.log, NOW_MS))
    drafts = fifo(state, giver.key, shelf, NOW_MS, None)
    return [(d.refs[0], d.refs[1], d.content["quantity"], d.content.get("slot")) for d in drafts]


def ask(who: Scribe, **fields: Value) -> Record:
    """Ask for a drill, or for something else."""
    return who.write("request", {**DRILL, "urgency": "week", **fields})


def test_slots_go_to_one_after_the_other() -> None:
    """Each slot of what is lent goes to one request, the earliest to the oldest."""
    mill, oak, elm = village(3)[1]
    loan = mill.write("offer", {**DRILL, "terms": "lend", "slots": SLOTS})
    first, second, _ = ask(oak), ask(elm), ask(oak)
    rows = promised(mill, [oak, elm])
    assert {row[1] for row in rows} == {first.id, second.id}
    assert [(row[0], *row[2:]) for row in rows] == [(loan.id, 1, 0), (loan.id, 1, 1)]
    for offer, request, quantity, slot in rows:
        content: dict[str, Value] = {"quantity": quantity, "slot": slot}  # type: ignore[dict-item]
        mill.write("grant", content, offer, request)
    assert promised(mill, [oak, elm]) == []  # the third waits for a slot


def test_a_slot_that_begins_too_late_serves_nobody() -> None:
    """What is needed before a slot begins is not served by it, and a slot that is over by none."""
    mill, oak = village(2)[1]
    mill.write("offer", {**DRILL, "terms": "lend", "slots": [[1, 2], [NOW_MS + 20, NOW_MS + 30]]})
    ask(oak, needed_by_ms=NOW_MS + 19)
    assert promised(mill, [oak]) == []
    late = ask(oak, needed_by_ms=NOW_MS + 20)
    assert [row[1:] for row in promised(mill, [oak])] == [(late.id, 1, 1)]


def test_a_substitute_or_its_group_does() -> None:
    """Who would take something else, or anything of a group, is served with that."""
    mill, oak, elm = village(3)[1]
    mill.write("offer", {**DRILL, "category": "tool.garden", "quantity": 9})
    ask(oak)
    one = ask(oak, substitutes=["food", "tool.garden"])
    two = ask(elm, substitutes=["tool"])
    assert {row[1] for row in promised(mill, [oak, elm])} == {one.id, two.id}


def test_an_audience_leaves_others_out() -> None:
    """An offer for some goes to them, and to parties that are named."""
    mill, oak, elm = village(3)[1]
    creek = oak.write("party", {"form": "ecosystem", "name": "Creek"})
    content: dict[str, Value] = {**DRILL, "quantity": 9, "audience": sorted([elm.key, creek.id])}
    mill.write("offer", content)
    ask(oak)
    mine, ours = ask(elm), ask(oak, on_behalf_of=creek.id)
    assert {row[1] for row in promised(mill, [oak, elm])} == {mine.id, ours.id}


def test_what_is_inexhaustible_serves_all() -> None:
    """Each gets what it asks for, up to the quantity, whatever others got."""
    mill, oak, elm = village(3)[1]
    mill.write("offer", {**DRILL, "quantity": 4, "inexhaustible": True})
    ask(oak, quantity=3)
    ask(elm, quantity=9)
    assert sorted(str(row[2]) for row in promised(mill, [oak, elm])) == ["3", "4"]


def test_of_what_may_be_forgotten_only_what_can_not_fit_is_answered() -> None:
    """A node that may not remember all it accepted knows what its request needs at most."""
    mill, oak, elm = village(3)[1]
    drills = [who.write("offer", {**DRILL, "quantity": 9}) for who in (mill, elm)]
    old, new = ask(oak, quantity=2), ask(oak, quantity=2)
    first, large, small, fresh = (
        who.write("grant", {"quantity": quantity}, offer.id, wanted.id)
        for who, offer, wanted, quantity in (
            (mill, drills[0], old, 1),
            (elm, drills[1], old, 2),
            (elm, drills[1], old, 1),
            (elm, drills[1], new, 1),
        )
    )
    oak.write("answer", {"accept": True}, first.id)
    state = State(mill.charter)
    for record in (each for who in (mill, elm, oak) for each in who.written):
        state.add(record)
    log, other = old.log, bytes(8)
    assert answered(state, oak, log) == {large.id: False}
    assert answered(state, oak, other) == {large.id: False, small.id: True, fresh.id: True}
    state.add(oak.write("withdraw", {}, old.id))
    assert answered(state, oak, log) == {large.id: False, small.id: False}


def answered(state: State, who: Scribe, frozen: bytes) -> dict[bytes, object]:
    """Return which grants somebody would answer now, and how, if one log of it is frozen."""
    drafts = answers(state, who.key, NOW_MS, frozen.__eq__)
    return {each.refs[0]: each.content["accept"] for each in drafts}
