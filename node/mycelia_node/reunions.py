"""When links came back: the marks from which on people may ask what a neighbour brought.

For each member the last time is kept at which a link to it came up after none had led there for a
while, and how long that while was. It decides nothing.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mycelia_node.database import open_database
from mycelia_protocol.encoding import decode, encode
from mycelia_protocol.errors import EncodingError

APART_MS: Final = 60_000  # a link that is back sooner was hardly gone
TOGETHER_MS: Final = 600_000  # links that come back within this of each other are of one mending
NOTE: Final = "met "  # before the hex of a key, in the store's notes
NOTE_SIZE_MAX: Final = 64

Save = Callable[[str, bytes], None]


@dataclass(frozen=True, slots=True)
class Reunion:
    """A link that came back.

    Attributes:
        at_ms: when.
        apart_ms: how long no link had led there; None if that is not known, or it never had.
    """

    at_ms: int
    apart_ms: int | None


class Reunions:
    """Keeps the last reunion with each member.

    Args:
        path: of the database, whose notes are read once.
        save: keeps a note.
    """

    def __init__(self, path: Path, save: Save) -> None:
        self._save = save
        self._links = Counter[bytes]()
        self._lost_ms: dict[bytes, int | None] = {}  # None while a link is up, or after a crash
        self._last: dict[bytes, Reunion] = {}
        connection = open_database(path)
        try:
            rows = connection.execute("SELECT key, value FROM meta WHERE key GLOB ?", (f"{NOTE}*",))
            for name, value in rows:
                self._recall(bytes.fromhex(name.removeprefix(NOTE)), value)
        finally:
            connection.close()

    def met(self, key: bytes, now_ms: int) -> None:
        """Note that a link to a member is up."""
        self._links[key] += 1
        if self._links[key] > 1:
            return
        lost_ms = self._lost_ms.get(key)
        apart_ms = None if lost_ms is None else max(now_ms - lost_ms, 0)
        if apart_ms is None or apart_ms >= APART_MS:
            self._last[key] = Reunion(now_ms, apart_ms)
        self._lost_ms[key] = None
        self._note(key)

    def lost(self, key: bytes, now_ms: int) -> None:
        """Note that a link to a member has ended."""
        self._links[key] -= 1
        if not self._links[key]:
            self._lost_ms[key] = now_ms
            self._note(key)

    def latest(self) -> dict[bytes, Reunion]:
        """Return by member the reunions of the latest mending, {} if there was none."""
        found = dict[bytes, Reunion]()
        begin_ms: int | None = None
        for key, each in sorted(self._last.items(), key=lambda one: (-one[1].at_ms, one[0])):
            if begin_ms is not None and begin_ms - each.at_ms > TOGETHER_MS:
                break
            found[key], begin_ms = each, each.at_ms
        return found

    def since(self, since_ms: int) -> dict[bytes, Reunion]:
        """Return by member the reunions since a time."""
        return {key: each for key, each in sorted(self._last.items()) if each.at_ms >= since_ms}

    def _note(self, key: bytes) -> None:
        last = self._last.get(key)
        told = (None, None) if last is None else (last.at_ms, last.apart_ms)
        self._save(f"{NOTE}{key.hex()}", encode([self._lost_ms[key], *told]))

    def _recall(self, key: bytes, value: bytes) -> None:
        """Read a note; one that says something else is left alone."""
        try:
            told = decode(value, size_max=NOTE_SIZE_MAX)
        except EncodingError:
            return
        match told:
            case [int() | None as lost_ms, int() | None as at_ms, int() | None as apart_ms]:
                self._lost_ms[key] = lost_ms
                if at_ms is not None:
                    self._last[key] = Reunion(at_ms, apart_ms)
            case _:
                pass
