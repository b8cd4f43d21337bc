"""The folder of a sweep: what was swept, and a line for each seed that was played.

The same scenario, changes and code lead to the same folder, so that a second call goes on where the
first one ended. Anything else leads to another folder: verdicts of two codes are not one sweep.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from hashlib import blake2b
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from mycelia_sim.errors import HarnessError, ScenarioError
from mycelia_sim.sweep.build import Build
from mycelia_sim.sweep.line import SeedLine, read_line

SWEEP_SCHEMA: Final = 1
LINES_NAME: Final = "seeds.ndjson"
HEAD_NAME: Final = "sweep.json"
LATEST_NAME: Final = "latest-sweep"
_KEY_SIZE: Final = 6


@dataclass(frozen=True, slots=True)
class Subject:
    """What is swept.

    Attributes:
        source: how the user named the scenario.
        changes: settings of the command line.
        document: the scenario with what it extends and the changes.
    """

    name: str
    title: str
    source: str
    changes: tuple[str, ...]
    document: dict[str, Any]
    build: Build

    @property
    def key(self) -> str:
        """Return what tells it from any other, as hex; the seed in the file does not count."""
        run = {key: value for key, value in self.document["run"].items() if key != "seed"}
        named = {"scenario": {**self.document, "run": run}, "build": asdict(self.build)}
        text = json.dumps(named, sort_keys=True)
        return blake2b(text.encode(), digest_size=_KEY_SIZE).hexdigest()


class Folder:
    """An open folder; nobody else can open it as long as it is.

    Attributes:
        lines: seed -> its line, of this and of all earlier calls.
    """

    def __init__(self, out: Path, subject: Subject) -> None:
        """Make the folder, or open it again and read its lines.

        Raises: ScenarioError when another sweep writes to it, or it holds something else;
            HarnessError when it can't be made.
        """
        self.path: Final = out / subject.name / f"sweep-{subject.key}"
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._descriptor = os.open(
                self.path / LINES_NAME, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644
            )
        except OSError as error:
            raise HarnessError.of_folder(out, error) from error
        try:
            self._lock()
            self.lines: Final = self._read()
        except BaseException:
            os.close(self._descriptor)
            raise
        head = {"schema": SWEEP_SCHEMA, "key": subject.key, **asdict(subject)}
        (self.path / HEAD_NAME).write_text(json.dumps(head, indent=1) + "\n", "utf-8")
        self._link(out)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._descriptor)

    def append(self, lines: Iterable[SeedLine]) -> None:
        """Write lines; each is in the file as a whole before this returns."""
        for line in lines:
            self._write(line.to_json().encode() + b"\n")
            self.lines[line.seed] = line

    def _write(self, data: bytes) -> None:
        while data:
            data = data[os.write(self._descriptor, data) :]

    def _lock(self) -> None:
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ScenarioError(
                f"another sweep writes to {self.path}; wait for it, or choose another --out"
            ) from None

    def _read(self) -> dict[int, SeedLine]:
        """Read the lines; a last one that was cut off is taken away, and its seed played again."""
        path = self.path / LINES_NAME
        data = path.read_bytes()
        whole = data.rfind(b"\n") + 1
        if whole < len(data):
            os.ftruncate(self._descriptor, whole)
        lines: dict[int, SeedLine] = {}
        for number, text in enumerate(data[:whole].splitlines(), start=1):
            try:
                line = read_line(text)
            except ScenarioError as error:
                hint = "take the line out, and its seed is played again"
                raise ScenarioError(f"{path}, line {number}: {error}; {hint}") from None
            lines[line.seed] = line
        return lines

    def _link(self, out: Path) -> None:
        """Let `latest-sweep` point to the folder."""
        link = out / f".{LATEST_NAME}-{os.getpid()}"
        link.symlink_to(self.path.relative_to(out))
        link.replace(out / LATEST_NAME)
