"""The panorama of a run: one self-contained page that shows the whole outage as a garden at night.

Reads what a run left behind (timeline.json, summary.json) and nothing else, so that it can be drawn
again at any time, and for both backends alike.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from mycelia_sim.panorama.page import render
from mycelia_sim.summary_file import FILE_NAME as SUMMARY_NAME
from mycelia_sim.summary_file import read_summary
from mycelia_sim.timeline import FILE_NAME, load_timeline

PAGE_NAME: Final = "panorama.html"

__all__ = ["PAGE_NAME", "render", "write_panorama"]


def write_panorama(run_dir: Path) -> Path:
    """Draw the run in `run_dir` and return the page's path.

    Raises: ScenarioError when timeline.json or summary.json is missing or damaged; OSError.
    """
    timeline = load_timeline(run_dir / FILE_NAME)
    summary = read_summary(run_dir / SUMMARY_NAME)
    page = run_dir / PAGE_NAME
    page.write_text(render(timeline, summary), "utf-8")
    return page
