"""Files of bundles on sticks: written whole or not at all, with words for what fails."""

import contextlib
import errno
import os
import re
import time
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from mycelia_node.errors import CarryError

SUFFIX: Final = ".mycelia"
PIECE_SIZE: Final = 256 * 1024  # bytes read at once
SYNC_SIZE: Final = 16 * 2**20  # bytes after which they are pushed to the stick, so progress is true
NAME_PART_MAX: Final = 40  # characters of a name in a file's name
NUMBERS_MAX: Final = 10_000  # files of one name on one day

FULL: Final = (errno.ENOSPC, errno.EDQUOT)
NO_LINKS: Final = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)
GONE: Final = (errno.EIO, errno.ENODEV, errno.ENXIO, errno.ESTALE)


class NewFile:
    """A file that gets its name only when it is whole and on the disk.

    Until then it lies beside it under a hidden name, and leaving the context early removes it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        self._temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
        self._unsynced = 0
        self._file: Any = None

    def __enter__(self) -> Self:
        """Begin the file.

        Raises:
            CarryError: it can't be made there.
        """
        with _explained(self.path):
            self._file = self._temporary.open("xb")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Take the file away unless it was kept; a stick that is gone has taken it itself."""
        with contextlib.suppress(OSError):
            self._file.close()
        with contextlib.suppress(OSError):
            self._temporary.unlink()

    def write(self, data: bytes) -> None:
        """Write the next bytes.

        Raises:
            CarryError: the disk is full, read-only or gone.
        """
        with _explained(self.path):
            self._file.write(data)
            self.size += len(data)
            self._unsynced += len(data)
            if self._unsynced >= SYNC_SIZE:
                self._sync()

    def keep(self) -> None:
        """Give the file its name, once it is on the disk.

        Raises:
            CarryError: as `write`; or a file of that name has come up meanwhile.
        """
        with _explained(self.path):
            self._sync()
            self._file.close()
            self._name()
            _sync_folder(self.path.parent)

    def _name(self) -> None:
        """Give the file its name without taking anybody's; FAT knows no links, but can rename."""
        try:
            os.link(self._temporary, self.path)
        except OSError as error:
            if error.errno not in NO_LINKS:
                raise
            if self.path.exists():
                raise FileExistsError(errno.EEXIST, "exists", str(self.path)) from None
            self._temporary.rename(self.path)

    def _sync(self) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())
        self._unsynced = 0


def _sync_folder(folder: Path) -> None:
    """Make a folder's entries durable, where its file system can do that."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)


def read_pieces(path: Path, told: Callable[[int], None]) -> Iterator[bytes]:
    """Yield a file's bytes in pieces.

    Args:
        told: called with the size of each piece once it was taken.

    Raises:
        CarryError: it can't be read, or not any more.
    """
    with _explained(path), path.open("rb") as file:
        while data := file.read(PIECE_SIZE):
            yield data
            told(len(data))


def bundles_at(path: Path) -> list[Path]:
    """Return the bundles that a path means: a file, or all that lie in a folder, by name.

    Raises:
        CarryError: there is nothing.
    """
    with _explained(path):
        if not path.is_dir():
            path.stat()
            return [path]
        found = sorted(one for one in path.iterdir() if is_bundle_name(one.name) and one.is_file())
    if not found:
        raise CarryError(
            f"There is no bundle in {path}.",
            "Bundles are files that end in .mycelia; `mycelia carry out` makes them.",
        )
    return found


def is_bundle_name(name: str) -> bool:
    """Return whether a file's name is that of a whole bundle."""
    return name.endswith(SUFFIX) and not name.startswith(".")


def check_target(path: Path) -> None:
    """Check that a bundle may be written to a path: a folder, or a file that is not there yet.

    Raises:
        CarryError: there is no such folder, or the file exists.
    """
    with _explained(path):
        if path.is_dir():
            return
        if path.exists():
            raise CarryError(f"{path} exists already.", "Name another file, or a folder.")
        if path.suffix != SUFFIX:
            raise CarryError(
                f"There is no folder {path}.",
                f"Is the stick mounted? To name a file, let it end in {SUFFIX}.",
            )
        if not path.parent.is_dir():
            raise CarryError(f"There is no folder {path.parent}.", "Is the stick mounted?")


def target_of(path: Path, about: dict[str, Any]) -> Path:
    """Return the file that a bundle is to be written to: the one named, or a new one in a folder.

    Args:
        about: what is known of the bundle: `name` of the commons, `maker`, `audience`.

    Raises:
        CarryError: the folder can't be used.
    """
    with _explained(path):
        return _free_name(path, about) if path.is_dir() else path


def _free_name(folder: Path, about: dict[str, Any]) -> Path:
    """Return a path in a folder that says what a bundle is, and that no file has yet."""
    parts = [about["name"], about["maker"]["name"], time.strftime("%Y-%m-%d")]
    if about["audience"] is not None:
        parts.append(f"for {about['audience']['name']}")
    stem = "_".join(plain(part) for part in parts)
    for number in range(1, NUMBERS_MAX):
        path = folder / f"{stem}{f'_{number}' if number > 1 else ''}{SUFFIX}"
        if not path.exists():
            return path
    raise CarryError(f"{folder} is full of bundles of today.", "Name a file.")


def plain(text: str) -> str:
    """Return a text as part of a file's name that every file system takes."""
    letters = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9]+", "-", letters).strip("-").lower()[:NAME_PART_MAX] or "x"


@contextlib.contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn an error of the system into words about a path."""
    try:
        yield
    except OSError as error:
        raise explain(path, error) from error


def explain(path: Path, error: OSError) -> CarryError:
    """Return what an error of the system means for a bundle's file."""
    folder = path.parent
    reason = error.strerror or str(error)
    if error.errno in FULL:
        return CarryError(
            f"There is no room left on {folder}.", "Make room, or use another stick.", code="full"
        )
    if error.errno == errno.EFBIG:
        return CarryError(
            f"The file system of {folder} takes no file as large as this.",
            "FAT32 ends at 4 GiB: use another file system, or --for a member.",
            code="full",
        )
    if error.errno == errno.EROFS:
        return CarryError(f"{folder} can only be read.", "Is there a switch on the stick?")
    if error.errno in (errno.EACCES, errno.EPERM):
        return CarryError(f"You may not use {path}.", "Change its permissions, or use another.")
    if error.errno in GONE:
        return CarryError(
            f"{folder} does not answer any more ({reason}).",
            "Was the stick pulled out? Put it back and try again.",
            code="gone",
        )
    if error.errno == errno.EEXIST:
        return CarryError(f"{path} exists by now.", "Try again, or name another file.")
    if error.errno == errno.ENOENT:
        return CarryError(f"There is no {path}.", "Is the stick mounted?", code="gone")
    return CarryError(f"{path} can't be used: {reason}.")
