"""The vectors of sharing in JavaScript, whose only numbers are doubles."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
VECTORS = HERE.parent / "vectors"
SUITES = ("distance", "scoring", "metrics")
NODE = shutil.which("node")


def in_no_order(steps: dict[str, Any]) -> dict[str, Any]:
    """Return steps in which pairs that the core sorts by key are a map."""
    names = [name for name in steps if name in ("approvers", "gains")]
    pairs = {name: dict(steps[name]) for name in names}
    return {**steps, **pairs}


def test_javascript_gets_the_same_integers() -> None:
    """A scorer in JavaScript, with Number and Math.floor, agrees on every case."""
    if NODE is None:
        pytest.skip("there is no `node` on the PATH to run tests/independent/scorer.js with")
    command = [NODE, str(HERE / "scorer.js"), str(VECTORS), str(HERE.parents[1] / "spec.md")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=50, check=False)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    expected: dict[str, Any] = {}
    for suite in SUITES:
        cases = json.loads((VECTORS / f"{suite}.json").read_text(encoding="utf-8"))["cases"]
        expected |= {case["id"]: in_no_order(case["steps"]) for case in cases}
    found = dict(answer["results"])
    assert sorted(found) == sorted(expected)
    assert [name for name in found if found[name] != expected[name]] == []
    assert 8 * 10**15 < int(answer["largest"]) < 2**53
