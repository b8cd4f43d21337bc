"""Writes a shrunk plan down: as TOML that runs alone, as JSON, as a test, and as a story."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mycelia_sim.plan_file import to_toml
from mycelia_sim.shrink import Shrunk, size_of
from mycelia_sim.story import Files, tell_story
from mycelia_sim.verdict import Check

TEST: Final = '''\
"""What is left of a failure of {scenario}, seed {seed}. Keep {toml} beside this file."""

from pathlib import Path

from mycelia_sim.fingerprint import Fingerprint, fingerprints
from mycelia_sim.plan_file import read_plan
from mycelia_sim.play import judge

PLAN = Path(__file__).with_name("{toml}")
FOUND = Fingerprint(
    {check},
    {kind},
)


def test_{name}() -> None:
    """The plan does not fail in this way any more."""
    assert FOUND not in fingerprints(judge(read_plan(PLAN)).checks)
'''


@dataclass(frozen=True, slots=True)
class Written:
    """The files that were written."""

    toml: Path
    json: Path
    test: Path
    story: Path


def write_shrunk(folder: Path, result: Shrunk, checks: Sequence[Check], program: str) -> Written:
    """Write all four files into a folder, which is made if need be.

    Args:
        checks: of a run of the shrunk plan.
        program: how `mycelia` is called.

    Raises: OSError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    plan = result.plan
    base = f"{plan.scenario}-s{plan.seed}"
    name = re.sub(r"\W", "_", base)
    files = Written(
        folder / f"{base}.toml",
        folder / "plan.json",
        folder / f"test_{name}.py",
        folder / "story.md",
    )
    toml = shlex.quote(str(files.toml))
    comment = [
        f"What is left of {plan.scenario}, seed {plan.seed}: {size_of(plan)}.",
        f"It fails: {result.target}",
        "This is a plan: everything in it is drawn, so it runs as it stands.",
        f"    {program} sim run {toml}",
    ]
    files.toml.write_text(to_toml(plan, comment), "utf-8")
    files.json.write_text(plan.to_json(), "utf-8")
    files.test.write_text(
        TEST.format(
            scenario=plan.scenario,
            seed=plan.seed,
            toml=files.toml.name,
            check=_quoted(result.target.check),
            kind=_quoted(result.target.kind),
            name=name,
        ),
        "utf-8",
    )
    story = tell_story(result, checks, Files(toml, shlex.quote(str(files.test))), program)
    files.story.write_text(story, "utf-8")
    return files


def _quoted(text: str) -> str:
    """Return a text as Python source, in double quotes as formatters want it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
