"""What people are told when links have come back, from records that came by two neighbours."""

from mycelia_protocol.merging import Came, merge_report
from mycelia_protocol.record import Record
from mycelia_protocol.state import State
from mycelia_protocol.types.fork import content as fork_content
from support.scribe import Scribe, village

NOW_MS = 1_700_000_000_000


def by(source: Scribe, *records: Record) -> list[Came]:
    """Say that a neighbour told these, one by one."""
    return [Came(source.key, each.author, each.log, each.seq, each.seq) for each in records]


def test_each_neighbour_is_named_with_what_came_by_it() -> None:
    """All kinds count as records; offers, requests and grants that mean something are named."""
    _, (mill, oak, elm, ash) = village(4)
    before = mill.offer(10)
    wanted, water = oak.request(4), oak.offer(7)
    other = elm.request(2)
    promise = ash.grant(2, ash.offer(2), other)
    nonsense = oak.request(0)
    state = State(mill.charter)
    for scribe in (mill, oak, elm, ash):
        for record in scribe.written:
            state.add(record)
    last = nonsense.seq
    came = [Came(oak.key, oak.key, oak.log, 0, last), *by(oak, *elm.written), *by(ash, promise)]
    report = merge_report(state, came, NOW_MS)
    first, second = report.neighbours
    assert (first.source, first.records) == (oak.key, last + 1 + len(elm.written))
    assert first.authors == tuple(sorted((oak.key, elm.key)))
    assert (first.offers, first.requests, first.grants) == ((water.id,), (other.id, wanted.id), ())
    assert (second.source, second.records, second.grants) == (ash.key, 1, (promise.id,))
    assert before.id not in first.offers + second.offers
    assert [each.id for each in report.unmet] == [wanted.id]
    assert (report.contested, report.returned, report.overdue, report.forks) == ((), (), (), ())


def test_what_the_other_side_did_is_told() -> None:
    """A request that both sides met, rights that came back or should have, a log with two ends."""
    _, (mill, oak, elm, ash) = village(4)
    water, wanted = mill.offer(20), oak.request(5)
    elm.offer(1)
    ash.offer(1)
    to_elm = mill.write(
        "rights",
        {"to": elm.key, "log": elm.log, "quantity": 6, "until_ms": NOW_MS - 2},
        water.id,
    )
    mill.rights(3, water, ash)
    mine = mill.grant(5, water, wanted)
    theirs = ash.grant(5, ash.offer(5), wanted)
    back = elm.give_back(2, to_elm)
    rival = Scribe(ash.seed, ash.charter, ash.rng)
    rival.log, rival.written = ash.log, ash.written[:]
    answers = [oak.answer(True, theirs), oak.answer(False, mine)]
    proof_of = [[ash.offer(8)], [rival.offer(9)]]
    lost = ash.grant(8, ash.written[-1], wanted)
    proof = oak.write("fork", fork_content(proof_of))
    state = State(mill.charter)
    for scribe in (mill, oak, elm, ash):
        for record in scribe.written:
            state.add(record)
    report = merge_report(state, by(oak, theirs, *answers, back, proof), NOW_MS)
    assert [each.id for each in report.contested] == [mine.id], "its answer came now"
    assert [each.id for each in report.returned] == [back.id]
    assert [each.id for each in report.overdue] == [to_elm.id]
    assert report.forks == ((ash.key, ash.log),)
    assert [each.id for each in report.forked] == [lost.id]
    assert merge_report(state, [], NOW_MS, (oak.key, proof.time_ms)).forks == report.forks
    assert merge_report(state, [], NOW_MS, (oak.key, proof.time_ms + 1)).forks == ()
    assert report.unmet == ()
    again = merge_report(state, by(oak, proof), NOW_MS)
    assert again.contested == (), "what was known before is no news"
    assert merge_report(state, [], NOW_MS).neighbours == ()
