"""A shrunk failure on one page: what is left, in order of time, what fails, and how to see it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from mycelia_sim.fingerprint import Fingerprint
from mycelia_sim.plan import Plan
from mycelia_sim.reduce import faults_of
from mycelia_sim.shrink import Shrunk, size_of
from mycelia_sim.telling import Thing, seconds, tell
from mycelia_sim.verdict import Check

ROWS_MAX: Final = 40  # what fits on a page
NAMED_MAX: Final = 8


@dataclass(frozen=True, slots=True)
class Files:
    """What a shrunk plan is written to, as somebody would name it on a command line."""

    toml: str
    test: str


def tell_story(result: Shrunk, checks: Sequence[Check], files: Files, program: str) -> str:
    """Return the page, in Markdown.

    Args:
        checks: of a run of the shrunk plan.
        program: how `mycelia` is called.
    """
    plan = result.plan
    failed = [check for check in checks if check.verdict == "fail"]
    main = next((check for check in failed if check.name == result.target.check), None)
    lines = [
        f"# What is left of {plan.scenario}, seed {plan.seed}",
        "",
        _headline(main, result.target),
        "",
        f"Before: {size_of(result.before)}. Left: {size_of(plan)}. {_how(result)}",
        "",
        *_setting(plan),
        "",
        "## What happens, in order",
        "",
        "| when | what |",
        "|---:|---|",
        *(f"| {when} | {what} |" for when, what in _rows(plan, main)),
        "",
        "## What fails",
        "",
        *(f"- `{check.name}` ({check.family}): {check.detail}" for check in failed),
        *([] if failed else [f"- {result.target}"]),
        "",
        "## How to see it",
        "",
        "```sh",
        f"{program} sim run {files.toml}",
        *_peek(main, files, program),
        f"pytest {files.test}    # red until it is mended",
        "```",
    ]
    return "\n".join(lines) + "\n"


def _headline(main: Check | None, target: Fingerprint) -> str:
    if main is None:
        return f"The run breaks off: {target.kind}."
    return f"**`{main.name}` fails**: {main.detail}."


def _how(result: Shrunk) -> str:
    if result.is_done:
        return "Without any one of these it does not fail in this way."
    why = "was interrupted" if result.is_interrupted else "ran out of time"
    return f"Shrinking {why}, so more might go."


def _setting(plan: Plan) -> list[str]:
    """Say which nodes there are and how they are linked."""
    names = [f"{node.id} ({node.name})" for node in plan.nodes]
    links = [f"{link.dialer}-{link.listener} {link.latency_ms} ms" for link in plan.links]
    return [f"Nodes: {_some(names)}.", f"Links: {_some(links) or 'none'}."]


def _some(names: list[str]) -> str:
    more = f" and {len(names) - NAMED_MAX} more" if len(names) > NAMED_MAX else ""
    return ", ".join(names[:NAMED_MAX]) + more


def _rows(plan: Plan, main: Check | None) -> list[tuple[str, str]]:
    """Return (when, what) of everything in the plan, or of as much as fits on a page.

    Faults come before attempts, and those before posts; of posts the last before the breach.
    """
    first = None if main is None else main.first
    breach_ms = plan.duration_ms if first is None or first.at_ms is None else first.at_ms
    faults: list[Thing] = [fault for _, fault in faults_of(plan)]
    posts = sorted(
        plan.posts, key=lambda post: (post.at_ms > breach_ms, abs(breach_ms - post.at_ms))
    )
    things = [*faults, *plan.attempts, *posts]
    kept = sorted(things[:ROWS_MAX], key=lambda thing: thing.at_ms)
    rows = [(thing.at_ms, tell(plan, thing)) for thing in kept]
    ending = "the workload ends and everything is healed; then the nodes have "
    ending += f"{seconds(plan.converge_within_ms)} to agree"
    rows.append((plan.duration_ms, ending))
    if first is not None and first.at_ms is not None and main is not None:
        place = f" on {first.node}" if first.node else ""
        record = f", record {first.record[:16]}" if first.record else ""
        rows.append((first.at_ms, f"**`{main.name}` is broken{place}{record}**"))
    rows.sort(key=lambda row: row[0])
    told = [(seconds(at_ms), what.replace("|", "/")) for at_ms, what in rows]
    if len(things) > ROWS_MAX:
        told.append(("", f"and {len(things) - ROWS_MAX} more, which the plan lists"))
    return told


def _peek(main: Check | None, files: Files, program: str) -> list[str]:
    """Return the command that shows what the trace says around the breach."""
    first = None if main is None else main.first
    if first is None or first.at_ms is None:
        return []
    node = f" --node {first.node}" if first.node else ""
    return [
        f"{program} sim replay {files.toml} --until {seconds(first.at_ms).replace(' ', '')}{node}"
    ]
