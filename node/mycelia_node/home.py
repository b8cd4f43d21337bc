"""One folder is one node: where its files are, who may read them, and who is using them.

    config.toml    settings, written by people (0600)
    identity.key   the Ed25519 seed, one line of hex (0600)
    seal.key       the X25519 key that opens messages, likewise
    charter.bin    the founding document of the commons; absent until found or join
    introduction.bin  the vouches that let this node in; the founder has none
    node.db        all records (SQLite)
    node.snapshot  what they come to, so that a start is short; made anew when it is missing
    clean          present only while the node is stopped after a clean end
    anchor.0, .1   show after a crash that node.db is the same file; see `anchor.py`
    lock           held (flock) by the process that runs on this home
    s              the Unix socket of the local API, while the daemon runs

The `clean` marker proves that node.db is exactly what this node last wrote: it names the file's
inode, change time and size. A restored backup, a copied folder or a crash breaks the proof, and
the node opens a new log instead of writing on. Spec: section 6.6.
"""

import contextlib
import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mycelia_node.errors import HomeError

SOCKET_PATH_MAX = 100  # bytes; Linux allows 107, macOS 103
FILE_MODE = 0o600
DIR_MODE = 0o700


def default_home() -> Path:
    """Return the home to use when none is named: MYCELIA_HOME, XDG, or ~/.local/share/mycelia."""
    named = os.environ.get("MYCELIA_HOME")
    if named:
        return Path(named)
    data = os.environ.get("XDG_DATA_HOME")
    return (Path(data) if data else Path.home() / ".local" / "share") / "mycelia"


@dataclass(frozen=True, slots=True)
class Home:
    """The paths of one node's folder."""

    path: Path

    @classmethod
    def at(cls, path: str | os.PathLike[str] | None) -> "Home":
        """Return the home at `path`, or the default one; nothing is created."""
        chosen = Path(path) if path is not None else default_home()
        return cls(Path(os.path.abspath(chosen.expanduser())))

    @property
    def config(self) -> Path:
        """Settings, written by people."""
        return self.path / "config.toml"

    @property
    def key(self) -> Path:
        """The Ed25519 seed."""
        return self.path / "identity.key"

    @property
    def seal_key(self) -> Path:
        """The X25519 key that opens messages."""
        return self.path / "seal.key"

    @property
    def charter(self) -> Path:
        """The founding document; absent until found or join."""
        return self.path / "charter.bin"

    @property
    def introduction(self) -> Path:
        """The vouches that let this node in, and its inviter's addresses; absent for a founder."""
        return self.path / "introduction.bin"

    @property
    def database(self) -> Path:
        """All records."""
        return self.path / "node.db"

    @property
    def snapshot(self) -> Path:
        """What the records of the store come to, as of some time; absent in a small store."""
        return self.path / "node.snapshot"

    @property
    def clean(self) -> Path:
        """The marker of a clean end."""
        return self.path / "clean"

    @property
    def lock(self) -> Path:
        """The file that the running process holds."""
        return self.path / "lock"

    @property
    def socket(self) -> Path:
        """Where the daemon's API socket is; outside the home when the path would be too long."""
        inside = self.path / "s"
        if len(os.fsencode(inside)) <= SOCKET_PATH_MAX:
            return inside
        name = hashlib.sha256(os.fsencode(self.path)).hexdigest()[:8]
        runtime = os.environ.get("XDG_RUNTIME_DIR")
        if runtime:
            path = Path(runtime) / f"mycelia-{name}.sock"
            if len(os.fsencode(path)) <= SOCKET_PATH_MAX:
                return path
        return Path(f"/tmp/mycelia-{os.getuid()}") / f"{name}.sock"  # noqa: S108

    def create(self) -> None:
        """Make the folder if it is missing, and make it private.

        Raises:
            HomeError: it can't be made, is no folder, or belongs to somebody else.
        """
        try:
            self.path.mkdir(mode=DIR_MODE, parents=True, exist_ok=True)
        except FileExistsError:
            raise HomeError(
                f"{self.path} is a file, not a folder.", "Name another --home."
            ) from None
        except OSError as error:
            raise HomeError(
                f"The folder {self.path} can't be made: {error.strerror}.",
                "Name another one with --home or MYCELIA_HOME.",
            ) from error
        self._make_private(self.path, DIR_MODE)
        if self.socket.parent != self.path:
            self._create_socket_folder(self.socket.parent)

    def exists(self) -> bool:
        """Return whether a node was ever set up here."""
        return self.key.exists() or self.config.exists()

    def _create_socket_folder(self, folder: Path) -> None:
        """Make the folder of a socket that does not fit into the home; it must be ours alone."""
        try:
            folder.mkdir(mode=DIR_MODE, exist_ok=True)
            status = folder.lstat()
        except OSError as error:
            raise HomeError(
                f"The folder {folder} for the API socket can't be made: {error.strerror}.",
                "Use a shorter --home, or set XDG_RUNTIME_DIR.",
            ) from error
        if status.st_uid != os.getuid() or status.st_mode & 0o022 or not folder.is_dir():
            raise HomeError(
                f"The folder {folder} for the API socket is not private to you.",
                "Use a shorter --home, or set XDG_RUNTIME_DIR.",
            )

    def _make_private(self, path: Path, mode: int) -> None:
        """Take away what others may do with a path of ours."""
        status = path.stat()
        if status.st_uid != os.getuid():
            raise HomeError(
                f"{path} belongs to another user.",
                "Run the node as its owner, or name another --home.",
            )
        if status.st_mode & 0o077:
            try:
                path.chmod(mode)
            except OSError as error:
                raise HomeError(
                    f"{path} can be read by others and that can't be changed: {error.strerror}.",
                    "Put the home on a file system with Unix permissions.",
                ) from error

    def write_private(self, path: Path, data: bytes) -> None:
        """Write a file of mode 0600 durably and all at once; a crash leaves the old or the new.

        Raises:
            HomeError: the disk is full or read-only.
        """
        temporary = path.with_name(path.name + ".new")
        try:
            with contextlib.suppress(FileNotFoundError):
                temporary.unlink()
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
            self.sync()
        except OSError as error:
            raise HomeError(
                f"{path} can't be written: {error.strerror}.",
                "Make room on the disk or name another --home.",
            ) from error

    def sync(self) -> None:
        """Make the folder's entries durable."""
        descriptor = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the home for this process.

        Raises:
            HomeError: another process holds it; the message names its pid.
        """
        try:
            descriptor = os.open(self.lock, os.O_RDWR | os.O_CREAT, FILE_MODE)
        except OSError as error:
            raise HomeError(
                f"{self.lock} can't be opened: {error.strerror}.",
                "Make the folder writable for yourself, or name another --home.",
            ) from error
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                holder = os.pread(descriptor, 32, 0).decode(errors="replace").strip() or "unknown"
                raise HomeError(
                    f"A node is already running on {self.path} (pid {holder}).",
                    f"Stop it with `mycelia --home {self.path} down`, or name another --home.",
                    code="in-use",
                ) from None
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
            yield
        finally:
            os.close(descriptor)

    # --- the clean marker ---

    def mark_clean(self, log: bytes) -> None:
        """Write that node.db was closed properly and that `log` may be written on."""
        status = self.database.stat()
        marker = {
            "log": log.hex(),
            "inode": status.st_ino,
            "ctime_ns": status.st_ctime_ns,
            "mtime_ns": status.st_mtime_ns,
            "size": status.st_size,
        }
        self.write_private(self.clean, json.dumps(marker).encode() + b"\n")

    def was_swapped(self) -> bool:
        """Return whether another node.db lies here than was closed properly.

        Not if only its mode or links changed, which a marker takes for a change, too.
        """
        try:
            marker = json.loads(self.clean.read_bytes())
            status = self.database.stat()
        except (OSError, ValueError):
            return False
        found = {
            "inode": status.st_ino,
            "mtime_ns": status.st_mtime_ns,
            "size": status.st_size,
        }
        return isinstance(marker, dict) and any(marker.get(name) != found[name] for name in found)

    def take_clean(self) -> bytes | None:
        """Return the log that may be written on, or None; the marker is gone afterwards.

        Call it before node.db is opened, since opening may already change the file.
        """
        try:
            marker = json.loads(self.clean.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValueError):
            marker = None
        log = self._proven_log(marker)
        try:
            self.clean.unlink()
            self.sync()
        except OSError as error:
            raise HomeError(
                f"{self.clean} can't be removed: {error.strerror}.",
                "Make the folder writable for yourself.",
            ) from error
        return log

    def _proven_log(self, marker: object) -> bytes | None:
        """Return the marker's log if node.db is exactly the file it speaks of."""
        try:
            status = self.database.stat()
        except OSError:
            return None
        if not isinstance(marker, dict) or not isinstance(marker.get("log"), str):
            return None
        found = (status.st_ino, status.st_ctime_ns, status.st_size)
        if found != (marker.get("inode"), marker.get("ctime_ns"), marker.get("size")):
            return None
        try:
            return bytes.fromhex(marker["log"])
        except ValueError:
            return None
