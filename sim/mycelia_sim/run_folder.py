"""A run's folder, for those who look at the run afterwards: plan, summary, chain and lines."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from mycelia_sim.errors import ScenarioError
from mycelia_sim.plan import Plan
from mycelia_sim.plan_file import read_plan
from mycelia_sim.summary_file import FILE_NAME as SUMMARY_NAME
from mycelia_sim.summary_file import read_summary
from mycelia_sim.verdict import Check, First
from mycelia_sim.virtual.trace import Line

LATEST: Final = "latest"
PLAN_NAME: Final = "plan.json"
TRACE_NAME: Final = "trace.jsonl.gz"
CHAIN_NAME: Final = "trace.digest"

Link = tuple[int, int, str]  # lines so far, virtual us, hash over them


@dataclass(frozen=True, slots=True)
class Chain:
    """The hashes of a trace: one at the end of each full block, and one over all lines."""

    links: tuple[Link, ...]
    lines: int
    digest: str


@dataclass(frozen=True, slots=True)
class RunFolder:
    """What a run left.

    Attributes:
        name: as somebody named it, for messages.
        folder: where the plan lies; beside a plan there need not be anything else.
        summary: {} where no run has ended.
    """

    name: str
    folder: Path
    plan: Plan
    summary: dict[str, Any]

    @property
    def verdict(self) -> str | None:
        """The verdict, None if there is none."""
        found = self.summary.get("verdict")
        return found if isinstance(found, str) else None

    @property
    def exit_code(self) -> int | None:
        """What the run ended with, None if it never ended."""
        found = self.summary.get("exit_code")
        return found if isinstance(found, int) else None

    @property
    def digest(self) -> str | None:
        """The hash over all that happened, None where time was real."""
        found = self.summary.get("trace_digest")
        return found if isinstance(found, str) else None

    @property
    def is_interrupted(self) -> bool:
        """Whether somebody ended the run."""
        return bool(self.summary.get("interrupted"))

    def checks(self) -> list[Check]:
        """Return what the checkers found.

        Raises: ScenarioError when the summary is damaged.
        """
        try:
            return [_check(one) for one in self.summary.get("checks", [])]
        except (KeyError, TypeError) as error:
            path = self.folder / SUMMARY_NAME
            raise ScenarioError(f"{path}: is damaged: {error!r}") from error

    def chain(self) -> Chain | None:
        """Return the hashes of the trace, None if there are none.

        Raises: ScenarioError when they can't be read.
        """
        path = self.folder / CHAIN_NAME
        if not path.is_file():
            return None
        try:
            *links, last = (line.split() for line in path.read_text("utf-8").splitlines())
            chain = tuple((int(lines), int(at_us), digest) for lines, at_us, digest in links)
            lines, _, digest = last
            return Chain(chain, int(lines), digest)
        except (OSError, ValueError) as error:
            raise ScenarioError(f"{path}: cannot be read as a chain: {error}") from error

    def lines(self) -> Iterator[tuple[int, Line]]:
        """Yield the numbered lines of the trace that were written down: all, some or none.

        Raises: ScenarioError when they can't be read.
        """
        path = self.folder / TRACE_NAME
        if not path.is_file():
            return
        try:
            with gzip.open(path, "rt", encoding="utf-8") as file:
                for text in file:
                    one = json.loads(text)
                    names = ("t", "node", "kind", "id", "peer", "why")
                    t_us, node, kind, id_, peer, why = (one[name] for name in names)
                    yield one["seq"], (t_us, node, kind, id_, peer, why)
        except (OSError, EOFError, zlib.error, ValueError, TypeError, KeyError) as error:
            raise ScenarioError(f"{path}: cannot be read as a trace: {error!r}") from error


def locate(name: str | Path, runs: Path) -> Path:
    """Return the path that somebody means; `latest` is the newest run in `runs`."""
    path = Path(name)
    if str(name) == LATEST and not path.exists():
        path = runs / LATEST
    if path.is_symlink():  # the newest run is soon another one
        path = path.parent / path.readlink()
    return path


def open_run(name: str | Path, runs: Path = Path("runs")) -> RunFolder:
    """Return a run by its folder, its plan's file, or the word `latest`.

    Args:
        runs: where the folders of runs lie, for `latest`.

    Raises: ScenarioError when there is no such run, or its plan can't be read.
    """
    path = locate(name, runs)
    plan_path = path / PLAN_NAME if path.is_dir() else path
    if not plan_path.exists():
        what = "holds no plan.json" if path.is_dir() else "is not there"
        raise ScenarioError(
            f"{path} {what}: name the folder of a run, its plan.json, or '{LATEST}' "
            f"for the newest run in {runs}"
        )
    folder = plan_path.parent
    # A plan in TOML was written by hand or by shrinking: what lies beside it is another run's.
    is_run = plan_path.name == PLAN_NAME
    return RunFolder(str(name), folder, read_plan(plan_path), _summary(folder) if is_run else {})


def _summary(folder: Path) -> dict[str, Any]:
    path = folder / SUMMARY_NAME
    return read_summary(path) if path.is_file() else {}


def _check(data: dict[str, Any]) -> Check:
    first = data["first"]
    place = None if first is None else First(first["at_ms"], first["node"], first["record"])
    return Check(data["name"], data["family"], data["verdict"], data["detail"], place)
