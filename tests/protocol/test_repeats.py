"""Known records that come again: cheap to know, and not without end."""

import pytest

from mycelia_protocol import events, recent
from mycelia_protocol.allowances import MEMBERS_KEPT, Repeats
from mycelia_protocol.close_codes import CLOSE_RATE
from mycelia_protocol.errors import RecordError, SessionError
from mycelia_protocol.limits import REPEATED_RATE_PER_S, REPEATED_RECORDS_MAX
from mycelia_protocol.messages import Push, encode_message
from mycelia_protocol.recent import Recent
from mycelia_protocol.record import Record
from protocol.test_compare import grown
from support.mesh import Mesh
from support.visitor import WATER, a_member

KEY = bytes(32)


def pushed(mesh: Mesh, count: int) -> list[Record]:
    """Return good records of the second node."""
    (records,) = grown(mesh, mesh.nodes[1], 1, count)
    return records


def test_who_repeats_without_end_is_turned_away_and_stays_so() -> None:
    """REP-19: a new link is no new beginning; a second later a little is taken again."""
    mesh = Mesh(count=2)
    frame = Push(tuple(pushed(mesh, 64)))
    visitor = a_member(mesh)
    visitor.say(frame)
    assert mesh.nodes[0].engine.logs.record_count() > 64
    frames = 0
    while not visitor.closed:
        visitor.say(frame)
        frames += 1
    assert visitor.closed == [CLOSE_RATE]
    assert frames == REPEATED_RECORDS_MAX // 64 + 1
    again = a_member(mesh)
    again.say(frame)
    assert again.closed == [CLOSE_RATE]
    mesh.now_ms += 64 * 1_000 // REPEATED_RATE_PER_S + 10
    later = a_member(mesh)
    later.say(frame)
    assert not later.closed


def test_what_was_news_from_others_may_be_repeated_however_much_it_is() -> None:
    """REP-19: so links that cross in a burst are not taken for an attack."""
    repeats, total = Repeats(), 0
    for _ in range(50):
        repeats.note_news(REPEATED_RECORDS_MAX // 2)
        repeats.take(KEY, REPEATED_RECORDS_MAX // 2, 1_000)
        total += REPEATED_RECORDS_MAX // 2
    assert total > 20 * REPEATED_RECORDS_MAX
    repeats.take(KEY, REPEATED_RECORDS_MAX // 2, 1_000)
    with pytest.raises(SessionError):
        repeats.take(KEY, 1, 1_000)
    repeats.take(b"another" * 4, REPEATED_RECORDS_MAX, 1_000)


def test_what_is_kept_of_who_repeats_is_bounded() -> None:
    """Whoever comes with ever new keys fills no memory."""
    repeats = Repeats()
    for number in range(2 * MEMBERS_KEPT):
        repeats.take(number.to_bytes(32), 1, 0)
    assert len(repeats._seen) == len(repeats._budget._left) == MEMBERS_KEPT


def test_a_burst_through_a_full_mesh_closes_no_link(monkeypatch: pytest.MonkeyPatch) -> None:
    """REP-19: members who push what all push, before any PRUNE comes, break no rule."""
    monkeypatch.setattr("mycelia_protocol.allowances.REPEATED_RECORDS_MAX", 2)
    mesh = Mesh(count=6, allocate=False)
    for at, one in enumerate(mesh.nodes):
        for other in mesh.nodes[:at]:
            mesh.connect(one, other)
    for _ in range(60):
        for node in mesh.nodes:  # nothing is delivered before all have written
            node.give(events.PublishRequested(mesh.token(), "offer", WATER))
    mesh.settle()
    assert len({node.engine.state.digest() for node in mesh.nodes}) == 1
    assert not [each for node in mesh.nodes for each in node.closed]


def test_the_same_bytes_are_the_same_record() -> None:
    """A record that came lately is not taken apart again, and another with its header is."""
    mesh = Mesh(count=2)
    records = pushed(mesh, 3)
    reader = Recent()
    first = reader.decode(encode_message(Push(tuple(records))))
    second = reader.decode(encode_message(Push(tuple(records))))
    assert isinstance(first, Push)
    assert isinstance(second, Push)
    assert first == second == Push(tuple(records))
    assert all(one is other for one, other in zip(first.records, second.records, strict=True))
    bare = records[2].without_signature()
    assert reader.decode(encode_message(Push((bare,)))) == Push((bare,))
    false = [records[1].header, records[1].signature, bytes(40)]
    with pytest.raises(RecordError):
        reader.parse(tuple(false))
    with pytest.raises(RecordError):
        reader.parse((records[1].header, records[1].signature))


def test_what_is_kept_in_mind_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest goes, and the same header again takes no more room."""
    mesh = Mesh(count=2)
    records = pushed(mesh, 40)
    monkeypatch.setattr(recent, "RECENT_SIZE_MAX", 10 * records[1].size)
    reader = Recent()
    for record in records:
        for each in (record, record.without_signature()):
            reader.parse(tuple(each.envelope()))
    assert len(reader._records) in (9, 10)
    assert reader.size == sum(each.size for each in reader._records.values())
