"""The command line of the bench."""

from __future__ import annotations

import argparse
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import Final

from mycelia_bench.errors import BenchError
from mycelia_bench.install import BENCH
from mycelia_bench.job import QUICK, Job
from mycelia_bench.plot import draw
from mycelia_bench.report import text
from mycelia_bench.results import Results, load, machine_facts
from mycelia_bench.rounds import measure_all
from mycelia_bench.systems import SYSTEMS

LATEST: Final = BENCH / "results" / "latest.json"
TRIAL: Final = BENCH / "results" / "trial.json"
RUNS: Final = 5
LIMITS: Final = "limits"


def parse(words: list[str] | None = None) -> argparse.Namespace:
    """Read the arguments; wrong ones end the program with a hint."""
    parser = argparse.ArgumentParser(
        prog="bench/run.py",
        description="Measure Mycelia beside what people would pick instead, each in turn.",
        epilog=f"What can be named with --only: {', '.join((LIMITS, *SYSTEMS))}.",
    )
    parser.add_argument("--only", metavar="NAMES", help="some of all, separated by commas")
    parser.add_argument("--runs", type=positive, help=f"rounds; else {RUNS}, or 1 with --quick")
    parser.add_argument("--quick", action="store_true", help="a small job, to see that all works")
    parser.add_argument("--nodes", type=positive, help="participants of the live spread")
    parser.add_argument("--records", type=positive, help="records that the author publishes")
    parser.add_argument("--missing", type=int, help="records that a newcomer lacks; 0: none")
    parser.add_argument(
        "--out",
        type=Path,
        help="result file; else results/latest.json, or trial.json if it is not the whole job",
    )
    parser.add_argument(
        "--resume", action="store_true", help="go on with the rounds of a bench that was broken off"
    )
    parser.add_argument("--show", action="store_true", help="print the last results again, no run")
    arguments = parser.parse_args(words)
    unknown = set(chosen(arguments)) - {LIMITS, *SYSTEMS}
    if unknown:
        parser.error(f"--only: there is no {min(unknown)!r}; see --help")
    if arguments.nodes is not None and arguments.nodes < 2:
        parser.error("--nodes: an author and a reader are the least")
    return arguments


def positive(word: str) -> int:
    """Read a whole number from 1."""
    number = int(word)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{word} is not 1 or more")
    return number


def chosen(arguments: argparse.Namespace) -> list[str]:
    """Return the names of what is to be measured."""
    if arguments.only is None:
        return [LIMITS, *SYSTEMS]
    return [name.strip() for name in arguments.only.split(",")]


def job_of(arguments: argparse.Namespace) -> Job:
    """Return the job that was asked for."""
    names = ("nodes", "records", "missing")
    given = {
        name: getattr(arguments, name) for name in names if getattr(arguments, name) is not None
    }
    return replace(QUICK if arguments.quick else Job(), **given)


def main(words: list[str] | None = None) -> int:
    """Measure, print the table, write results and plot; return the exit code."""
    arguments = parse(words)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        if arguments.show:
            print(text(load(arguments.out or LATEST)), end="")
            return 0
        return bench(arguments)
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1


def write(results: Results, path: Path) -> None:
    """Write the figures of all runs, and beside them the table and the plot."""
    results.save(path)
    path.with_suffix(".md").write_text(f"# Results of the bench\n\n{text(results)}", "utf-8")
    path.with_suffix(".svg").write_text(draw(results), "utf-8")


def broken_off(job: Job) -> Results:
    """Return the complete rounds of a bench that was broken off.

    Raises:
        BenchError: there are none, or of another job or machine.
    """
    results = load(TRIAL)
    changes = [name for name, fact in machine_facts().items() if results.machine[name] != fact]
    if results.job != job or set(changes) - {"commit"}:
        raise BenchError(f"{TRIAL} is of another job or machine; leave out --resume")
    return results


def bench(arguments: argparse.Namespace) -> int:
    """Run all rounds; what is complete is kept also when they are broken off."""
    names, job = chosen(arguments), job_of(arguments)
    runs = arguments.runs or (1 if arguments.quick else RUNS)
    is_whole = job == Job() and arguments.only is None and runs >= RUNS
    path: Path = arguments.out or (LATEST if is_whole else TRIAL)
    results = broken_off(job) if arguments.resume else Results(job, machine_facts())
    systems = [system for name, system in SYSTEMS.items() if name in names]

    def keep() -> None:
        write(results, path if results.runs == runs else TRIAL)

    try:
        measure_all(results, systems, runs, with_limits=LIMITS in names, after_round=keep)
    except KeyboardInterrupt:
        print("\nbench: broken off; all processes are ended", file=sys.stderr)
        return 130
    print(text(results), end="")
    print(
        f"\nbench: {path}, and beside it the same as a table (.md) and a plot (.svg)",
        file=sys.stderr,
    )
    return 0 if not any(each.failures for each in results.systems.values()) else 1
