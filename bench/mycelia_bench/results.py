"""Results as they are kept: every figure of every run, and the machine they belong to."""

from __future__ import annotations

import json
import os
import platform
import sqlite3
import subprocess
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from mycelia_bench.errors import BenchError
from mycelia_bench.figures import Measured
from mycelia_bench.install import BENCH
from mycelia_bench.job import Job
from mycelia_bench.limits import Rates
from mycelia_bench.system import About

SCHEMA: Final = 2


@dataclass(slots=True)
class Outcome:
    """What one system gave.

    Attributes:
        about: the system, in words.
        runs: the figures of each run that ended well, empty for one that failed.
        skipped: why it was not measured at all, "" if it was.
        failures: what went wrong in which run.
    """

    about: dict[str, str]
    runs: list[Measured] = field(default_factory=list)
    skipped: str = ""
    failures: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Results:
    """All of one bench.

    Attributes:
        job: the sizes that all systems were given.
        machine: facts of the machine and of the code.
        systems: name -> what it gave.
        limits: the machine's rates, run by run.
    """

    job: Job
    machine: dict[str, str | int]
    systems: dict[str, Outcome] = field(default_factory=dict)
    limits: list[Rates] = field(default_factory=list)

    def add(self, about: About) -> Outcome:
        """Add a system that has not given anything yet."""
        outcome = self.systems[about.name] = Outcome(asdict(about))
        return outcome

    @property
    def runs(self) -> int:
        """Return how many runs there are of the system with the most."""
        return max((len(each.runs) for each in self.systems.values()), default=len(self.limits))

    def save(self, path: Path) -> None:
        """Write all to a file."""
        document = {"schema": SCHEMA, **asdict(self)}
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(rounded(document), indent=1) + "\n", "utf-8")


def load(path: Path) -> Results:
    """Read what `save` wrote.

    Raises:
        BenchError: it is not such a file.
    """
    try:
        document: dict[str, Any] = json.loads(path.read_text("utf-8"))
        if document.pop("schema") != SCHEMA:
            raise BenchError(f"{path} has another schema; run the bench anew")
        systems = {name: Outcome(**each) for name, each in document.pop("systems").items()}
        return Results(Job(**document.pop("job")), systems=systems, **document)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BenchError(f"{path} can't be read ({error!r}); run the bench first") from error


def rounded(value: Any) -> Any:
    """Return the same with four significant digits in each fraction: more would be noise."""
    if isinstance(value, float):
        return float(f"{value:.4g}")
    if isinstance(value, dict):
        return {key: rounded(each) for key, each in value.items()}
    if isinstance(value, list):
        return [rounded(each) for each in value]
    return value


def machine_facts() -> dict[str, str | int]:
    """Return what figures depend on, as far as a program can know it."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count() or 0,
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "commit": _commit(),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _commit() -> str:
    """Return the short hash of the code, with a + if it was changed since; "" outside of git."""

    def git(*words: str) -> str:
        command = ["git", "-C", str(BENCH), *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.stdout.strip()

    commit = git("rev-parse", "--short", "HEAD")
    return commit + "+" if git("status", "--porcelain", "--", ".", ":!results") else commit
