"""Snapshots: what lies in their tables, what came since, and what is refused."""

import pytest

from mycelia_protocol.encoding import Value
from mycelia_protocol.erasures import Erasures
from mycelia_protocol.errors import LocalError
from mycelia_protocol.logs import Logs
from mycelia_protocol.record import Record
from mycelia_protocol.snapshot import Snapshot
from mycelia_protocol.snapshot_writer import write_snapshot
from mycelia_protocol.state import State
from mycelia_protocol.types.erase import Erase
from mycelia_protocol.types.erase import content as erase
from mycelia_protocol.types.fork import content as fork
from mycelia_protocol.types.offer import Offer
from mycelia_protocol.types.profile import Profile
from support.scribe import WATER, Scribe, village
from support.snapshots import STAMP, snapshot_bytes, snapshot_of


def everything(scribes: list[Scribe]) -> list[Record]:
    """Return all that was written."""
    return [record for scribe in scribes for record in scribe.written]


def compared(scribes: list[Scribe], late: list[Record]) -> State:
    """Rest on a snapshot of all but the late records, add them, and compare with a fresh state."""
    records = everything(scribes)
    state, fresh = State(scribes[0].charter), State(scribes[0].charter)
    state.rest_on(snapshot_of(scribes[0].charter, [each for each in records if each not in late]))
    state.digest()
    for record in records:
        fresh.add(record)
    for record in late:
        state.add(record)
        assert state.rows("grant") is not None
    assert state.digest() == fresh.digest()
    return state


def test_claims_and_sightings_count_once_what_they_speak_of_is_there() -> None:
    """Rows of families without a derivation follow what comes: targets, parties, withdrawals."""
    _, scribes = village(4)
    mill, oak, elm, late = scribes
    for scribe in scribes:
        scribe.reincarnate()
    offer, party = late.offer(5), late.write("party", {"form": "ecosystem", "name": "River"})
    request = oak.request(5)
    claim = oak.write("claim", {"quantity": 5, "rank": 1}, offer.id, request.id)
    seen = elm.write("observation", {"indicator": "water", "value_pm": 500}, party.id)
    thing: dict[str, Value] = {**WATER, "quantity": 3, "urgency": "now"}
    asked = late.write("request", {**thing, "on_behalf_of": party.id})
    last = mill.withdraw(mill.write("claim", {"quantity": 1, "rank": 1}, offer.id, asked.id))
    state = compared(scribes, [*late.written, last])
    assert [row[1] for row in state.rows("claim")].count(True) == 1
    assert state.statement(claim.id) is not None
    assert [row[0] for row in state.rows("observation")] == [seen.id]


def test_a_party_that_comes_later_changes_whose_things_are() -> None:
    """Requests below speak for a party that was not here: their rows alone are others."""
    _, scribes = village(3)
    mill, oak, elm = scribes
    party = elm.write("party", {"form": "people", "name": "Street", "guardians": [mill.key]})
    thing: dict[str, Value] = {**WATER, "quantity": 3, "urgency": "now"}
    request = mill.write("request", {**thing, "on_behalf_of": party.id})
    mill.answer(True, oak.grant(3, oak.offer(3), request))
    state = compared(scribes, elm.written)
    assert [row[4] for row in state.rows("request")] == [party.id]


def test_a_fork_below_takes_back_what_rested_on_it() -> None:
    """A proof that comes since cuts a log that a snapshot covers: others' grants stand anew."""
    charter, scribes = village(3)
    mill, oak, elm = scribes
    grant = mill.grant(3, mill.offer(3), oak.request(3))
    answer = oak.answer(True, grant)
    rival = Scribe(oak.seed, charter, oak.rng)
    rival.log, rival.written = oak.log, oak.written[: answer.seq]
    rival.answer(False, grant)
    elm.write("fork", fork([oak.written[answer.seq :], rival.written[answer.seq :]]))
    state = compared(scribes, elm.written)
    assert [row[1] for row in state.rows("grant")] == ["offered"]
    assert state.set_aside(answer.id) is not None


def test_a_log_goes_on_where_a_snapshot_ends() -> None:
    """Logs, and what words are erased or missing, are as if all had been loaded."""
    charter, (mill, oak) = village(2)
    for quantity in range(1, 8):
        mill.offer(quantity)
    mill.write("erase", erase(mill.log, [(3, 4)]))
    last = [mill.offer(9), mill.write("erase", erase(mill.log, [(6, 6)]))]
    oak.write("profile", {"name": "Oak"})
    early = [each for each in everything([mill, oak]) if each not in last]
    early[2] = early[2].without_words()  # as it came from somebody who erased too much
    snapshot = snapshot_of(charter, early)
    resting, loaded = (Logs(), Erasures()), (Logs(), Erasures())
    for part in resting:
        part.rest_on(snapshot)
    for logs, erasures in (resting, loaded):
        for record in early if logs is loaded[0] else ():
            logs.load(record)
        erasures.admit(early if logs is loaded[0] else ())
        for record in last:
            logs.load(record)
        erasures.admit(last)
    keys = loaded[0].stored_logs()
    assert resting[0].stored_logs() == keys
    for key in keys:
        assert resting[0].stored(key) == loaded[0].stored(key) == loaded[0].accepted(key)
        for seq in range(loaded[0].stored(key).next_seq):
            assert resting[0].prefix(key, seq) == loaded[0].prefix(key, seq)
    assert resting[1].count_erased(lambda key: 99) == loaded[1].count_erased(lambda key: 99) == 3
    assert resting[1].count_missing() == loaded[1].count_missing() == 1
    assert snapshot.length_of((mill.key, mill.log)) == len(mill.written) - len(last)
    assert snapshot.length_of((mill.key, bytes(8))) == 0


def test_words_below_follow_the_store() -> None:
    """What was read before an erasure is read anew; the profile in use loses its words too."""
    charter, (mill, oak) = village(2)
    offer = mill.offer(5)
    profile = mill.write("profile", {"name": "Mill", "about": "Ring twice"})
    records = {(one.author, one.log, one.seq): one for one in everything([mill, oak])}
    snapshot = Snapshot(
        memoryview(snapshot_bytes(charter, records.values())), STAMP, lambda *at: records[at]
    )
    state = State(charter)
    state.rest_on(snapshot)
    found, known = state.find(offer.id, Offer), state.profile(mill.key)
    assert found is not None
    assert known is not None
    assert (found.body.title, known.about) == ("Water", "Ring twice")
    gone = mill.write("erase", erase(mill.log, [(offer.seq, profile.seq)]))
    for each in (offer, profile):
        records[each.author, each.log, each.seq] = each.without_words()
    state.add(gone)
    erasure = state.find(gone.id, Erase)
    assert erasure is not None
    state.forget_words(erasure)
    found, known = state.find(offer.id, Offer), state.profile(mill.key)
    assert found is not None
    assert known is not None
    assert (found.body.title, known.about) == ("", "")
    records[offer.author, offer.log, offer.seq] = offer
    state.learn_words(offer)
    found = state.find(offer.id, Offer)
    assert found is not None
    assert found.body.title == "Water"
    assert state.count(Profile) == 1
    assert state.is_current(next(iter(state.every(Profile))))


def test_no_words_are_in_a_snapshot() -> None:
    """What is erased from the store needs to be erased nowhere else."""
    charter, (mill, oak) = village(2)
    mill.write("profile", {"name": "Mill by the river", "about": "Ring twice"})
    mill.write("offer", {**WATER, "title": "A blue barrel", "note": "Behind it", "quantity": 5})
    data = snapshot_bytes(charter, everything([mill, oak]))
    for words in (b"river", b"Ring", b"barrel", b"Behind"):
        assert words not in data


def test_what_is_no_snapshot_is_refused() -> None:
    """Of other code, of none, of other records, and where something was added before."""
    charter, (mill, oak) = village(2)
    mill.offer(5)
    data = snapshot_bytes(charter, everything([mill, oak]))
    store = {(one.author, one.log, one.seq): one for one in everything([mill, oak])}
    with pytest.raises(LocalError, match="another version"):
        Snapshot(memoryview(data), b"later", lambda *at: store[at])
    for broken in (b"", bytes(40), data[:60]):
        with pytest.raises(LocalError, match="no snapshot"):
            Snapshot(memoryview(broken), STAMP, lambda *at: store[at])
    other = Snapshot(memoryview(data), STAMP, lambda *_: mill.written[-1])
    with pytest.raises(LocalError, match="not the one"):
        State(charter).rest_on(other)
    state = State(charter)
    state.add(mill.written[0])
    with pytest.raises(LocalError, match="before anything"):
        state.rest_on(snapshot_of(charter, mill.written))


def test_a_snapshot_is_not_written_of_logs_that_take_no_part() -> None:
    """A stranger's log has to be left out, and a state made without it."""
    charter, (mill, oak) = village(2)
    stranger = Scribe(bytes(32), charter, oak.rng)
    records = [*mill.written, stranger.offer(5), *stranger.written]
    state = State(charter)
    ids: dict[tuple[bytes, bytes], bytes] = {}
    for record in records:
        state.add(record)
        ids[record.author, record.log] = record.id
    with pytest.raises(LocalError, match="not all"):
        list(write_snapshot(state, Erasures(), ids, STAMP))
    assert snapshot_of(charter, records).count == len(mill.written)


def test_an_empty_store_has_a_snapshot_too() -> None:
    """Nothing is found in it, and everything can be added."""
    charter, (mill, _) = village(2)
    state, fresh = State(charter), State(charter)
    state.rest_on(snapshot_of(charter, []))
    for record in mill.written:
        state.add(record)
        fresh.add(record)
    assert state.digest() == fresh.digest()
    assert state.matching_ids(bytes(32), b"\xff" * 32) == sorted(one.id for one in mill.written)
