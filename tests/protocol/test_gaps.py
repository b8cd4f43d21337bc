"""The room for records beyond gaps: bounded, and shared by all authors, whatever they send."""

import random
from itertools import count

from mycelia_protocol.gaps import Gaps
from mycelia_protocol.limits import GAP_RECORDS_MAX, GAP_SIZE_MAX
from mycelia_protocol.logs import Logs
from mycelia_protocol.record import Record, build_record
from mycelia_protocol.types.heads import tag_of

LARGE_SIZE = 15_000  # bytes of a text that makes a record large


def a_record(author: int, seq: int, text_size: int = 0, log: int = 0) -> Record:
    """Return a signed record somewhere in a log."""
    return build_record(
        commons=bytes(32),
        seed=bytes(32),
        author=author.to_bytes(32),
        log=log.to_bytes(8),
        seq=seq,
        prev=bytes(32) if seq else None,
        kind="note",
        time_ms=1,
        content={"text": "x" * text_size},
        salt=bytes(16),
        refs=(),
    )


def take(gaps: Gaps, record: Record) -> bool:
    """Hold a record if it is taken; return whether it was."""
    is_taken = gaps.takes(record)
    if is_taken:
        gaps.hold(record)
    return is_taken


def held(gaps: Gaps, author: int, log: int = 0) -> list[Record]:
    """Return what is held of a log, and let go of it."""
    return list(gaps.follow((author.to_bytes(32), log.to_bytes(8)), 1 << 30))


def test_many_tiny_records_do_not_push_out_fewer_large_ones() -> None:
    """LOG-1: places are what is scarce then, and who has nearly all of them makes room."""
    gaps = Gaps()
    loud = [a_record(1, seq) for seq in range(1, GAP_RECORDS_MAX)]
    large = [a_record(2, seq, LARGE_SIZE) for seq in range(1, 120)]
    assert sum(each.size for each in loud) < sum(each.size for each in large), (
        "in bytes it has less"
    )
    assert all(take(gaps, record) for record in loud)
    assert all(take(gaps, record) for record in large)
    assert not any(take(gaps, a_record(1, seq)) for seq in range(9_000, 9_100))
    assert held(gaps, 2) == large


def test_who_makes_room_loses_no_more_than_is_needed() -> None:
    """LOG-1: one record of somebody does not cost another all that it waits with."""
    gaps = Gaps()
    loud = [a_record(1, seq) for seq in range(1, GAP_RECORDS_MAX + 1)]
    assert all(take(gaps, record) for record in loud)
    assert take(gaps, a_record(2, 1))
    assert held(gaps, 1) == loud[:-1], "what came last is let go first"


def test_who_makes_room_makes_enough() -> None:
    """Once a part of what somebody has is let go, it is no longer the one of whom most is held."""
    gaps = Gaps()
    assert all(take(gaps, a_record(0, 1, 2_000, log)) for log in range(8))
    authors = count(1)
    for text_size in (LARGE_SIZE, 2_000):
        size = a_record(0, 1, text_size).size
        while gaps.size + size <= GAP_SIZE_MAX:
            assert take(gaps, a_record(next(authors), 1, text_size))
    newcomer = a_record(next(authors), 1, LARGE_SIZE + 1_000)
    assert take(gaps, newcomer)
    assert gaps.size <= GAP_SIZE_MAX


def test_the_room_is_never_exceeded() -> None:
    """Whoever sends what in whatever order; and what is counted is what is held."""
    rng = random.Random(1)
    gaps = Gaps()
    sent: list[tuple[int, int]] = []
    for number in range(3 * GAP_RECORDS_MAX):
        author, log = int(rng.paretovariate(0.3)) % 40, rng.randrange(3)
        text_size = rng.choice((0, 0, 0, 1_700, 1_700, 9_000, LARGE_SIZE))
        take(gaps, a_record(author, number + 1, text_size, log))
        sent.append((author, log))
        assert gaps.records <= GAP_RECORDS_MAX
        assert gaps.size <= GAP_SIZE_MAX
    assert gaps.size > GAP_SIZE_MAX // 2
    counted = (gaps.records, gaps.size)
    left = [record for author, log in sorted(set(sent)) for record in held(gaps, author, log)]
    assert (len(left), sum(record.size for record in left)) == counted
    assert (gaps.records, gaps.size) == (0, 0)


def test_a_log_of_which_all_was_let_go_leaves_nothing_behind() -> None:
    """Else who makes room again and again would be remembered for ever, by each log it began."""
    logs = Logs(lambda record: record.signature is not None)
    logs.take([a_record(1, 1, log=log) for log in range(GAP_RECORDS_MAX)])
    assert logs.gap_load[0] == GAP_RECORDS_MAX
    logs.take([a_record(2, seq) for seq in range(1, 101)])
    known = [
        logs.tagged(tag_of((1).to_bytes(32), log.to_bytes(8))) for log in range(GAP_RECORDS_MAX)
    ]
    assert sum(key is not None for key in known) == GAP_RECORDS_MAX - 100
