"""What a store gives in answer to a WANT: one law for all stores. Spec: section 10, REP-4.

Each range ends with a signed record, and the answer fits in a frame whatever runs the logs hold.
What found no room is left out together with all that follows, so that the asker can tell it from
what is not held.
"""

from collections.abc import Callable, Iterable

from mycelia_protocol.events import Range
from mycelia_protocol.limits import RUN_RECORDS_MAX
from mycelia_protocol.record import Record


def read_ranges(
    ranges: Iterable[Range], size_max: int, read: Callable[[Range], Iterable[Record]]
) -> tuple[Record, ...]:
    """Return the records of the ranges, as `events.ReadRecords` says.

    Args:
        read: gives the records of a log from `first` on, in order and without a gap, beyond `last`
            too; it is read no further than needed, and ends where a record is compact.
    """
    found: list[Record] = []
    size = 0
    is_full = False
    for wanted in ranges:
        run: list[Record] = []
        good = 0  # records of the run up to its last signed one
        for record in read(wanted):
            if record.is_compact or (record.seq > wanted.last and good == len(run)):
                break
            is_full = size + record.size > size_max or len(found) + len(run) >= RUN_RECORDS_MAX
            if is_full and (found or good):
                break
            run.append(record)
            size += record.size
            if record.signature is not None:
                good = len(run)
                if is_full:
                    break
        found.extend(run[:good])
        if is_full:
            break
    return tuple(found)
