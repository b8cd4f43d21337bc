"""Records cut and trimmed for the wire. Spec: sections 6.4 and 10."""

from collections.abc import Iterable, Iterator

from mycelia_protocol.events import Range
from mycelia_protocol.frame_rows import TaggedRange
from mycelia_protocol.limits import PUSH_RECORDS_MAX, RUN_SIZE_MAX
from mycelia_protocol.logs import STANDING, LogKey, Logs
from mycelia_protocol.record import Record


def heights(records: Iterable[Record]) -> dict[LogKey, int]:
    """Return for each log the seq after the last of these records."""
    found: dict[LogKey, int] = {}
    for record in records:
        key = (record.author, record.log)
        found[key] = max(found.get(key, 0), record.seq + 1)
    return found


def named_ranges(logs: Logs, wanted: Iterable[Range | TaggedRange]) -> Iterator[Range]:
    """Yield ranges by the whole names of logs; none of logs that are not here."""
    for each in wanted:
        if isinstance(each, Range):
            yield each
        elif (key := logs.tagged(each.tag)) is not None:
            yield Range(*key, each.first, each.last)


def runs(records: tuple[Record, ...]) -> tuple[Record, ...]:
    """Return records for the wire: inner ones of a run go without signature, save standing ones."""
    kept: list[Record] = []
    for position, record in enumerate(records):
        following = records[position + 1] if position + 1 < len(records) else None
        is_inner = following is not None and following.prev == record.id
        keeps = not is_inner or record.kind in STANDING
        kept.append(record if keeps else record.without_signature())
    return tuple(kept)


def chunks(records: list[Record]) -> list[tuple[Record, ...]]:
    """Cut records into pushes, each small enough and each log's last record in it signed.

    What no cut can make small enough is left out: its heads are told anyway.
    """
    cut: list[tuple[Record, ...]] = []
    start = 0
    while start < len(records):
        end, size, good = start, 0, start
        while end < len(records) and end - start < PUSH_RECORDS_MAX:
            size += records[end].size
            if size > RUN_SIZE_MAX and end > start:
                break
            end += 1
            if records[end - 1].signature is not None:
                good = end
        if good == start:
            break
        cut.append(tuple(records[start:good]))
        start = good
    return cut
