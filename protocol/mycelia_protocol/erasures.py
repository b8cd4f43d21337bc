"""Which words are to go, and which are missing without that. Spec: section 10.3.

A record may come without its words, from a peer that let go of them. If its author asked for that,
the erasure is on its way too. Until it comes the words are *missing*: somebody may have held them
back, so others are asked for the record once more.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

from mycelia_protocol.events import Range
from mycelia_protocol.limits import RUN_RECORDS_MAX
from mycelia_protocol.logs import LogKey
from mycelia_protocol.record import Record
from mycelia_protocol.snapshot import Snapshot
from mycelia_protocol.spans import Spans
from mycelia_protocol.statements import read_statement
from mycelia_protocol.types.erase import Erase


class Erasures:
    """What the records in the store say of words, log by log."""

    def __init__(self) -> None:
        self._erased: dict[LogKey, Spans] = {}
        self._missing: dict[LogKey, Spans] = {}

    @property
    def spans(self) -> tuple[Mapping[LogKey, Spans], Mapping[LogKey, Spans]]:
        """Places whose words are to go, and places whose words are missing, log by log."""
        return self._erased, self._missing

    def rest_on(self, snapshot: Snapshot) -> None:
        """Begin with all that a snapshot covers.

        What came since is to be admitted afterwards. Words that were missing then may be here now:
        they are asked for once more, and then it shows.
        """
        for name, known in (("erased", self._erased), ("missing_words", self._missing)):
            for key, first, last in snapshot.spans(name):
                known.setdefault(key, Spans()).add(first, last)

    def admit(self, records: Sequence[Record]) -> tuple[tuple[Record, ...], tuple[Range, ...]]:
        """Take in what comes into the store.

        Returns:
            The records as they are to be kept, and the places of earlier ones whose words go.
        """
        ranges = tuple(self._asked(record for record in records if record.kind == "erase"))
        return tuple(self._kept(record) for record in records), ranges

    def strip(self, records: list[Record]) -> list[Record]:
        """Return records without the words that are to go."""
        if not self._erased:
            return records
        return [
            each.without_words() if self.is_erased((each.author, each.log), each.seq) else each
            for each in records
        ]

    def not_written(self, records: Iterable[Record]) -> None:
        """Note that words which had been missing were not stored."""
        for record in records:
            key = (record.author, record.log)
            self._missing.setdefault(key, Spans()).add(record.seq, record.seq)

    def is_erased(self, key: LogKey, seq: int) -> bool:
        """Return whether the author of a record asked to let go of its words."""
        return key in self._erased and seq in self._erased[key]

    def brings_words(self, record: Record) -> bool:
        """Return whether a record has words that are missing here."""
        if not self._missing or not record.is_whole:
            return False
        key = (record.author, record.log)
        return key in self._missing and record.seq in self._missing[key]

    @property
    def is_complete(self) -> bool:
        """Whether no words are missing."""
        return not self._missing

    def count_erased(self, length: Callable[[LogKey], int]) -> int:
        """Return how many records are without words by their authors' wish.

        Args:
            length: says how many records of a log are here; places beyond may be named.
        """
        return sum(
            max(0, min(last + 1, length(key)) - first)
            for key, spans in self._erased.items()
            for first, last in spans
        )

    def count_missing(self) -> int:
        """Return of how many records words are missing."""
        runs = (run for spans in self._missing.values() for run in spans)
        return sum(last - first + 1 for first, last in runs)

    def next_missing(self) -> Range:
        """Return some records whose words are missing, each time of another log if there are more.

        Raises:
            StopIteration: none are missing.
        """
        key = next(iter(self._missing))
        spans = self._missing[key] = self._missing.pop(key)
        first, last = next(iter(spans))
        return Range(*key, first, min(last, first + RUN_RECORDS_MAX - 1))

    def _asked(self, erasures: Iterable[Record]) -> Iterable[Range]:
        for record in erasures:
            statement = read_statement(record)
            if statement is None or not isinstance(statement.body, Erase):
                continue
            key = (record.author, statement.body.log)
            for first, last in statement.body.ranges:
                self._erased.setdefault(key, Spans()).add(first, last)
                self._is_here(key, first, last)
                yield Range(*key, first, last)

    def _kept(self, record: Record) -> Record:
        key = (record.author, record.log)
        if key in self._erased and record.seq in self._erased[key]:
            return record.without_words()
        if record.is_whole:
            if key in self._missing:
                self._is_here(key, record.seq, record.seq)
        elif record.body is not None and not record.is_compact:
            self._missing.setdefault(key, Spans()).add(record.seq, record.seq)
        return record

    def _is_here(self, key: LogKey, first: int, last: int) -> None:
        """Note that words of these places are missing no more."""
        spans = self._missing.get(key)
        if spans is None:
            return
        spans.remove(first, last)
        if not spans:
            del self._missing[key]
