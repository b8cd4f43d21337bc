"""Logs: authenticity by signature and by reach, gaps, forgeries, forks."""

import random
from dataclasses import replace

from mycelia_protocol.limits import GAP_RECORDS_MAX
from mycelia_protocol.logs import Logs
from mycelia_protocol.record import Record, build_record
from support.scribe import Scribe, village


def a_log(length: int) -> tuple[Scribe, list[Record]]:
    """Return a founder and the first records of its log."""
    _, (founder, *_) = village(3)
    while len(founder.written) < length:
        founder.offer(5)
    return founder, founder.written[:length]


def long_and_short(length: int) -> tuple[Scribe, Scribe]:
    """Return two members: one has written so many records, the other four."""
    _, (founder, other, _) = village(3)
    for one, count in ((founder, length), (other, 4)):
        while len(one.written) < count:
            one.offer(5)
    return founder, other


def branch(founder: Scribe, prev: Record) -> Record:
    """Return another signed record at the place after `prev`."""
    return build_record(
        commons=founder.commons,
        seed=founder.seed,
        author=founder.key,
        log=prev.log,
        seq=prev.seq + 1,
        prev=prev.id,
        kind="withdraw",
        time_ms=1,
        content={},
        salt=random.Random(9).randbytes(16),
        refs=(prev.id,),
    )


def test_one_signature_authenticates_a_run() -> None:
    """A run of fifty records costs one signature check, at its end."""
    _, log = a_log(50)
    logs = Logs()
    stripped = [record.without_signature() for record in log[:-1]]
    intake = logs.take([*stripped, log[-1]])
    assert [record.id for record in intake.accepted] == [record.id for record in log]
    assert logs.verifications == 1


def test_unverified_signatures_are_not_kept() -> None:
    """LOG-4: inner signatures of a run are dropped, except those of vouches, which are checked."""
    _, log = a_log(6)
    logs = Logs()
    spoilt = [replace(record, signature=bytes(64)) for record in log[:-1]]
    intake = logs.take([*spoilt, log[-1]])
    assert [record.signature for record in intake.accepted[:-1]] == [None] * 5
    fresh = Logs().take(log)
    kept = [record.kind for record in fresh.accepted if record.signature is not None]
    assert kept == ["vouch", "vouch", "offer"]


def test_a_forged_tail_is_named_and_the_rest_kept() -> None:
    """LOG-2: what no good signature reaches is forged; what one reaches is accepted."""
    _, log = a_log(6)
    forged = replace(log[5], signature=bytes(64))
    intake = Logs().take([*log[:5], forged])
    assert len(intake.accepted) == 5
    assert intake.forged == [forged]


def test_a_rejection_is_not_remembered() -> None:
    """LOG-3: a record that came with a bad signature is accepted when it comes with a good one."""
    _, log = a_log(1)
    logs = Logs()
    assert logs.take([replace(log[0], signature=bytes(64))]).forged
    assert logs.take(log).accepted == log


def test_a_gap_is_held_and_filled() -> None:
    """Records beyond a gap wait, and follow as soon as it closes."""
    _, log = a_log(5)
    logs = Logs()
    key = (log[0].author, log[0].log)
    assert logs.take([log[0], log[3], log[4]]).missing == {key: 3}
    assert len(logs.take([log[1], log[2]]).accepted) == 4
    assert logs.accepted(key).next_seq == 5


def test_a_forged_record_cannot_take_a_place_in_the_gap_buffer() -> None:
    """Only a record whose own signature verifies is held beyond a gap."""
    _, log = a_log(5)
    logs = Logs()
    assert logs.take([replace(log[3], signature=bytes(64))]).forged
    logs.take(log[:3])
    assert logs.take([log[3]]).accepted == [log[3]]


def test_who_fills_the_room_for_gaps_makes_room_for_others() -> None:
    """LOG-1: the author of whom most is held loses its place, not whoever comes later."""
    founder, other = long_and_short(GAP_RECORDS_MAX + 3)
    logs = Logs(lambda record: record.signature is not None)
    loud, quiet = ((one.written[0].author, one.written[0].log) for one in (founder, other))
    logs.take(founder.written[2:])
    assert logs.gap_load[0] == GAP_RECORDS_MAX
    assert logs.take(other.written[2:]).missing == {quiet: 2}
    logs.take(other.written[:2])
    assert logs.accepted(quiet).next_seq == len(other.written)
    logs.take(founder.written[:2])
    assert logs.accepted(loud).next_seq == GAP_RECORDS_MAX  # two made room, and come again
    logs.take(founder.written[2:])
    assert logs.accepted(loud).next_seq == len(founder.written)
    assert logs.gap_load == (0, 0)


def test_nobody_makes_room_for_who_holds_more() -> None:
    """LOG-1: who has the larger part of a full room gets no more of it."""
    founder, other = long_and_short(GAP_RECORDS_MAX + 2)
    logs = Logs(lambda record: record.signature is not None)
    quiet = (other.written[0].author, other.written[0].log)
    logs.take(other.written[2:])
    logs.take(founder.written[2:])
    assert logs.gap_load[0] == GAP_RECORDS_MAX
    logs.take(other.written[:2])
    assert logs.accepted(quiet).next_seq == len(other.written)


def test_a_second_branch_is_a_fork_and_changes_nothing() -> None:
    """An authentic contradiction is told, whether it comes late or next; a forged one is not."""
    founder, log = a_log(4)
    other = branch(founder, log[2])
    logs = Logs()
    logs.take(log)
    intake = logs.take([other])
    assert intake.forks == [other]
    assert not intake.accepted
    assert not logs.take([replace(other, signature=bytes(64))]).forks
    assert not logs.take(log).forks


def test_a_store_that_fails_takes_accepted_records_back() -> None:
    """After a failed write the logs stand where the disk stands, and accept the same again."""
    _, log = a_log(4)
    logs = Logs()
    logs.confirm(logs.take(log[:2]).accepted)
    logs.take(log[2:])
    logs.forget_unstored()
    key = (log[0].author, log[0].log)
    assert logs.accepted(key).next_seq == logs.stored(key).next_seq == 2
    assert len(logs.take(log[2:]).accepted) == 2


def test_a_forked_log_that_was_not_stored_is_taken_again() -> None:
    """A fork seen while the store fails must not keep out for good what the disk never held."""
    founder, log = a_log(4)
    logs = Logs()
    logs.confirm(logs.take(log[:1]).accepted)
    logs.take(log[1:])
    assert logs.take([branch(founder, log[2])]).forks
    logs.forget_unstored()
    assert len(logs.take(log[1:]).accepted) == 3
    assert logs.take([branch(founder, log[2])]).forks, "the fork is seen again"


def test_a_badly_signed_record_at_a_taken_place_is_forged() -> None:
    """The sender of a contradiction whose signature fails broke the rules."""
    charter, (founder, *_) = village(2)
    _, (other, *_) = village(2, seed=2)
    logs = Logs()
    logs.take(founder.written)
    stolen = replace(other.written[1], author=founder.key, log=founder.log)
    intake = logs.take([stolen])
    assert intake.forged == [stolen]
    assert not intake.accepted
    assert charter.founder == founder.key


def test_an_unsigned_record_at_a_taken_place_says_nothing() -> None:
    """Without a signature it may be the inner part of a fork; it is left aside."""
    _, (founder, *_) = village(2)
    _, (other, *_) = village(2, seed=2)
    logs = Logs()
    logs.take(founder.written)
    stolen = replace(other.written[1], author=founder.key, log=founder.log, signature=None)
    intake = logs.take([stolen])
    assert not intake.forged
    assert not intake.forks
