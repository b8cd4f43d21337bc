"""Reads scenarios as strictly as a run does, and says besides what is legal but of no use."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mycelia_sim.errors import ScenarioError
from mycelia_sim.hints import Subject, hints
from mycelia_sim.plan import Plan
from mycelia_sim.plan_file import is_plan, read_plan
from mycelia_sim.planner import check_backend, draw_plan
from mycelia_sim.scenario import Scenario
from mycelia_sim.scenario_reader import document_of, read


@dataclass(frozen=True, slots=True)
class Linted:
    """What there is to say of one file.

    Attributes:
        problems: why it can't run, all at once.
        hints: what does nothing, or less than it seems.
    """

    path: Path
    problems: tuple[str, ...]
    hints: tuple[str, ...] = ()


def lint(path: Path) -> Linted:
    """Read one scenario, or one plan, and draw it with its own seed."""
    try:
        if is_plan(path):
            check_backend(read_plan(path))
            return Linted(path, ())
        document = document_of(path, [])
        scenario = read(document, path.name)
        plan = _draw(scenario, path.name)
        text = path.read_text("utf-8")
    except ScenarioError as error:
        return Linted(path, tuple(map(str, error.parts)))
    return Linted(path, (), tuple(hints(Subject(text, document, scenario, plan))))


def _draw(scenario: Scenario, place: str) -> Plan:
    try:
        return draw_plan(scenario)
    except ScenarioError as error:
        raise ScenarioError(f"{place}: with seed {scenario.run.seed}: {error}") from None
