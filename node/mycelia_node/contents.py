"""What is in a bundle, told without taking it in: by whom, of what kinds, and what is damaged."""

import sqlite3
from collections import Counter
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from typing import Final

from mycelia_node.carrying import Json, explain, label_view, tally_view
from mycelia_node.database import read_profiles
from mycelia_node.home import Home
from mycelia_node.names import id_text
from mycelia_protocol.bundle_reader import (
    BundleReader,
    ChunkDamaged,
    FormsFound,
    Found,
    RecordsFound,
)
from mycelia_protocol.errors import BundleError, RemoteError
from mycelia_protocol.proven import is_proven
from mycelia_protocol.record import Record

TOLD_MAX: Final = 10_000  # different authors and kinds; a hostile bundle may name any number
PLACES_MAX: Final = 100
OTHERS: Final = "others"


class Contents:
    """Reads one bundle and counts.

    Args:
        names: what members are called, by their keys as text; profiles in the bundle add to them.
    """

    def __init__(self, names: dict[str, str]) -> None:
        self._names = dict(names)
        self._known = frozenset(names)
        self._reader = BundleReader()
        self._kinds: Counter[str] = Counter()
        self._authors: Counter[str] = Counter()
        self._unauthentic = 0
        self._old_logs: set[tuple[bytes, bytes]] = set()
        self._times: tuple[int, int] | None = None
        self._damage: list[tuple[int, int]] = []

    def take(self, data: bytes) -> None:
        """Take the next bytes.

        Raises:
            RequestError: of a later version.
        """
        try:
            self._use(self._reader.feed(data))
        except BundleError as error:
            raise explain(error, self._reader.label) from error

    def finish(self) -> Json:
        """Return what is in the bundle.

        Raises:
            RequestError: it is none.
        """
        try:
            self._use(self._reader.finish())
        except BundleError as error:
            raise explain(error, self._reader.label) from error
        first_ms, last_ms = self._times or (None, None)
        return {
            **self._label(),
            **tally_view(self._reader, self._damage),
            "refused": self._reader.tally.refused,
            "unauthentic": self._unauthentic,
            "old_logs": len(self._old_logs),
            "first_ms": first_ms,
            "last_ms": last_ms,
            "kinds": dict(sorted(self._kinds.items())),
            "authors": [
                {"key": key, "name": self._names.get(key), "records": count}
                for key, count in self._authors.most_common()
            ],
        }

    def _label(self) -> Json:
        view = label_view(None, self._reader.label)
        for role in ("maker", "audience"):
            who = view[role]
            if isinstance(who, dict):
                view[role] = {**who, "name": self._names.get(who["key"])}
        return view

    def _use(self, found: Iterable[Found]) -> None:
        for one in found:
            match one:
                case RecordsFound(records):
                    self._count(records, authentic_ids(records))
                case FormsFound(checkpoint, first, records):
                    if len(self._old_logs) < TOLD_MAX:
                        self._old_logs.add((checkpoint.author, checkpoint.log))
                    good = {each.id for each in records} if is_shown(one) else set[bytes]()
                    self._count(records[1:] if first else records, good)
                case ChunkDamaged(start, end):
                    if len(self._damage) < PLACES_MAX:
                        self._damage.append((start, end))
                case _:
                    pass  # the reader keeps the label

    def _count(self, records: Sequence[Record], good: AbstractSet[bytes]) -> None:
        self._unauthentic += sum(record.id not in good for record in records)
        for record in records:
            author = id_text("key", record.author)
            _add(self._kinds, record.kind)
            _add(self._authors, author)
            first_ms, last_ms = self._times or (record.time_ms, record.time_ms)
            self._times = (min(first_ms, record.time_ms), max(last_ms, record.time_ms))
            is_news = author not in self._known and len(self._names) < 2 * TOLD_MAX
            if record.kind == "profile" and record.id in good and is_news:
                name = name_in(record)
                if name is not None:
                    self._names[author] = name


def _add(counter: Counter[str], name: str) -> None:
    counter[name if name in counter or len(counter) < TOLD_MAX else OTHERS] += 1


def authentic_ids(records: Iterable[Record]) -> set[bytes]:
    """Return the ids of records that are authentic by what one chunk holds (LOG-2)."""
    good: set[bytes] = set()
    reached: set[tuple[bytes, bytes, bytes | None]] = set()
    for record in sorted(records, key=lambda record: -record.seq):
        if (record.author, record.log, record.id) in reached or record.is_signed():
            good.add(record.id)
            reached.add((record.author, record.log, record.prev))
    return good


def is_shown(part: FormsFound) -> bool:
    """Return whether a signed checkpoint proves what stands for records (CHECK-7).

    Whether that is confirmed can only be seen by whoever takes it in.
    """
    return part.checkpoint.is_signed() and is_proven(part.checkpoint, part.records, part.proof)


def name_in(profile: Record) -> str | None:
    """Return the name that a profile tells, or None if it tells none."""
    try:
        content = profile.content
    except RemoteError:
        return None
    name = content.get("name") if isinstance(content, dict) else None
    return name if isinstance(name, str) else None


def names_at(home: Home) -> dict[str, str]:
    """Return the names by key that a home's store knows; no daemon may run. {} if it can't say."""
    latest: dict[str, tuple[int, str]] = {}
    try:
        for record in read_profiles(home.database):
            name = name_in(record)
            if name is not None:
                key = id_text("key", record.author)
                latest[key] = max(latest.get(key, (-1, "")), (record.time_ms, name))
    except (sqlite3.Error, RemoteError):
        pass  # it is only about names
    return {key: name for key, (_, name) in latest.items()}
