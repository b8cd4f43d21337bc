"""Plays one batch of seeds in a process of its own, and prints a line for each.

stdin: the order, as one line of JSON; then nothing until whoever gave it is gone, and then this
process ends too. stdout: one JSON object a line, {"line": ...} for each seed in the order given, or
{"build": ...} and nothing else if another build is asked for than the one that is here.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from mycelia_sim.errors import ScenarioError
from mycelia_sim.planner import draw_plan
from mycelia_sim.play import judge
from mycelia_sim.scenario import Scenario
from mycelia_sim.scenario_reader import read
from mycelia_sim.sweep.build import this_build
from mycelia_sim.sweep.line import SeedLine, crashed, line_of, undrawn
from mycelia_sim.verdict import EXIT_INTERRUPTED


def main() -> None:
    """Read an order from stdin, play its seeds and print their lines."""
    order = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    for reply in replies(order):
        print(json.dumps(reply), flush=True)  # noqa: T201  this is how it answers


def replies(order: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the answers to an order."""
    build = asdict(this_build())
    if build != order["build"]:
        yield {"build": build}
        return
    scenario = read(order["document"], order["place"])
    for seed in order["seeds"]:
        yield {"line": asdict(play_seed(scenario, seed))}


def play_seed(scenario: Scenario, seed: int) -> SeedLine:
    """Draw, play and judge one seed; whatever goes wrong in it is in its line."""
    began_s = time.process_time()
    try:
        plan = draw_plan(scenario.with_seed(seed), "virtual", swarm=True)
    except ScenarioError as error:
        return undrawn(seed, error)
    try:
        judged = judge(plan)
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)  # half a run says nothing of its seed
    except Exception as error:  # a run that breaks off is a finding
        return crashed(seed, error, time.process_time() - began_s)
    return line_of(seed, judged, time.process_time() - began_s)


def _end_with_parent() -> None:
    while os.read(sys.stdin.fileno(), 1):
        pass
    os._exit(EXIT_INTERRUPTED)


if __name__ == "__main__":
    main()
