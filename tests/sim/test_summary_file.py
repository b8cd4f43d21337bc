"""summary.json as it is read afterwards: what is damaged is named, and what is old is read."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from mycelia_sim.cli import sim
from mycelia_sim.errors import ScenarioError
from mycelia_sim.summary_file import FILE_NAME, read_summary
from mycelia_sim.timeline import FILE_NAME as TIMELINE_NAME
from mycelia_sim.timeline import write_timeline
from support.outage import outage, summary
from support.planted import calm_plan

RUN = outage()


def damaged(folder: Path, key: str, value: Any) -> Path:
    """Put a run into a folder, but for one key of its summary."""
    (folder / "plan.json").write_text(calm_plan().to_json(), "utf-8")
    write_timeline(folder / TIMELINE_NAME, RUN)
    path = folder / FILE_NAME
    path.write_text(json.dumps({**summary(RUN), key: value}), "utf-8")
    return path


@pytest.mark.parametrize(
    ("key", "value", "place"),
    [
        ("lost", "wrong", "lost: must be a whole number, not 'wrong'"),
        ("forged_accepted", True, "forged_accepted: must be a whole number"),
        ("checks", {"no_loss": 1}, "checks: must be a list"),
        ("checks", ["no_loss"], r"checks\[0\]: must be an object"),
        ("checks", [{"name": "no_loss"}], r"checks\[0\]: 'family' is missing"),
        ("sides", {"west": 7}, r"sides\.west: must be an object"),
        ("metrics", [1], "metrics: must be an object"),
        ("versions", "1.0", "versions: must be an object"),
        ("attempts", None, "attempts: must be a list, not None"),
        ("timings_s", {"run": "long"}, r"timings_s\.run: must be a number"),
    ],
)
def test_what_is_damaged_is_named(tmp_path: Path, key: str, value: Any, place: str) -> None:
    """A value of another shape than is written is an error that says where it stands."""
    path = damaged(tmp_path, key, value)
    with pytest.raises(ScenarioError, match=place) as caught:
        read_summary(path)
    assert str(caught.value).startswith(str(path))


@pytest.mark.parametrize("words", [["report"], ["check"], ["diff", "."], ["replay"], ["shrink"]])
def test_no_command_stumbles_over_it(tmp_path: Path, words: list[str]) -> None:
    """Whoever is given such a run says so in a line, with exit code 64."""
    damaged(tmp_path, "checks", 7)
    others = [str(tmp_path) for _ in words[1:]]
    said = CliRunner().invoke(sim, [words[0], str(tmp_path), *others])
    assert said.exit_code == 64, said.output
    assert "checks: must be a list, not 7" in said.output
    assert "Traceback" not in said.output


def test_an_old_summary_may_lack_keys(tmp_path: Path) -> None:
    """Keys are only ever added, so whatever is missing as a whole is no damage."""
    path = damaged(tmp_path, "lost", 0)
    path.write_text('{"verdict": "pass", "unheard_of": []}', "utf-8")
    assert read_summary(path) == {"verdict": "pass", "unheard_of": []}
