"""Whether node.db is the file that this node last wrote to, after an end that was not clean.

After a crash it is, and all that ever left the node is in it. A backup that came back, or a copied
folder, lacks what was written since. To tell them apart, a small file, the *anchor*, lies beside
node.db, and node.db notes its inode and the time of its last change, which nobody can set: a copy
of the anchor has others. It notes its own inode, too, since an anchor may outlive a database.

    anchor.0, anchor.1   written in turn, at each start; the one that node.db names counts, and the
                         other is removed once node.db does

A whole disk or machine that is set back brings all of it back: that can't be told apart.
Spec: section 6.6.
"""

import json
import os
import sqlite3
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

from mycelia_node.database import open_database, read_note
from mycelia_node.errors import HomeError
from mycelia_node.home import FILE_MODE, Home

NOTE: Final = "anchor"  # the name under which the store keeps it
NAMES: Final = ("anchor.0", "anchor.1")


@dataclass(frozen=True, slots=True)
class Mark:
    """What node.db says of its anchor and of itself; see `SaveDoubt` for `known_since`."""

    name: str = ""
    inode: int = 0
    ctime_ns: int = 0
    database: int = 0
    known_since: int = 0


class Anchor:
    """The anchor of one home.

    Args:
        home: whose.
        save: keeps a value under a name in node.db, in order with all else that is written there.
    """

    def __init__(self, home: Home, save: Callable[[str, bytes], None]) -> None:
        self._home = home
        self._save = save
        self._mark = _read_mark(home)
        self._is_dropped = False
        self.holds = self._mark == self._observed(self._mark)  # whether node.db is what it was

    @property
    def known_since(self) -> int:
        """What `SaveDoubt` last said."""
        return self._mark.known_since

    def doubt(self, known_since: int) -> None:
        """Keep that the store lost records, or that all of them are known again.

        What is said before the anchor is dropped is kept with it: until then the old one does not
        hold, and a crash would let the same be said again.
        """
        self._mark = replace(self._mark, known_since=known_since)
        if self._is_dropped:
            self._save(NOTE, _encode(self._mark))

    def drop(self) -> None:
        """Anchor node.db anew, once the engine has heard whether the old anchor held.

        Raises:
            HomeError: the disk is full or read-only.
        """
        old = self._mark.name
        new = NAMES[old == NAMES[0]]
        try:
            self._write(self._home.path / new)
            self._mark = self._observed(replace(self._mark, name=new))
            _write_note(self._home, _encode(self._mark))
            if old in NAMES:
                (self._home.path / old).unlink(missing_ok=True)
        except (OSError, sqlite3.Error) as error:
            raise HomeError(
                f"{self._home.path / new} can't be written: {error}.",
                "Make room on the disk or name another --home.",
            ) from error
        self._is_dropped = True

    def _write(self, path: Path) -> None:
        """Make an empty file that is on the disk."""
        path.unlink(missing_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
        os.fsync(descriptor)
        os.close(descriptor)
        self._home.sync()

    def _observed(self, mark: Mark) -> Mark:
        """Return a mark as the files are now; another one if they are not there."""
        try:
            anchor = (self._home.path / mark.name).stat()
            database = self._home.database.stat().st_ino
        except OSError:
            return Mark(known_since=-1)
        return replace(mark, inode=anchor.st_ino, ctime_ns=anchor.st_ctime_ns, database=database)


def _encode(mark: Mark) -> bytes:
    return json.dumps(asdict(mark)).encode()


def _write_note(home: Home, note: bytes) -> None:
    """Write the note in a transaction of its own, which is synced."""
    connection = open_database(home.database)
    try:
        connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (NOTE, note))
    finally:
        connection.close()


def _read_mark(home: Home) -> Mark:
    """Return what node.db says; a mark that nothing fits if it says nothing, or is not there."""
    if not home.database.exists():
        return Mark()
    connection = open_database(home.database)
    try:
        note = read_note(connection, NOTE)
        fields = json.loads(note) if note is not None else {}
        return Mark(**fields) if isinstance(fields, dict) else Mark()
    except (sqlite3.Error, ValueError, TypeError):
        return Mark()
    finally:
        connection.close()
