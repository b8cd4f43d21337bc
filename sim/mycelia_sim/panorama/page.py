"""Puts the page together: one file that asks nothing of anybody else.

A content policy inside the page forbids every request, and names the one script that may run by
its hash, so that a name in a run can never become code.
"""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256
from typing import Final

from mycelia_node.page import asset, style
from mycelia_node.page.markup import text
from mycelia_sim.panorama import moments, plots, spacetime, tables
from mycelia_sim.panorama.beds import grow
from mycelia_sim.panorama.health import MEANING, STATES, conditions
from mycelia_sim.panorama.payload import payload
from mycelia_sim.panorama.words import (
    HEADLINES,
    VERDICTS,
    Summary,
    clock,
    number,
    outcome,
    span,
    story,
    tally_words,
    worst_sample,
)
from mycelia_sim.timeline import Timeline

STYLES: Final = ("stage.css", "sections.css", "print.css")  # beside what all pages share
SCRIPTS: Final = (
    "run.js",
    "ground.js",
    "bloom.js",
    "threads.js",
    "garden.js",
    "player.js",
    "start.js",
)
_SLOT: Final = re.compile(r"\{\{ (\w+) \}\}")


def render(timeline: Timeline, summary: Summary) -> str:
    """Return the whole page."""
    garden, judged = grow(timeline), conditions(timeline)
    script = "(()=>{'use strict';\n" + "\n".join(_asset(name) for name in SCRIPTS) + "\n})();"
    how = outcome(summary)
    length, darkest = timeline.duration_ms, worst_sample(judged)
    slots = {
        "policy": _policy(script),
        "page_title": text(f"{HEADLINES[how]} {timeline.scenario}, seed {timeline.seed}"),
        "style": style(*map(_asset, STYLES)),
        "symbols": _asset("plants.svg"),
        "outcome": how,
        "mark": tables.MARKS["fail" if how in ("safety", "liveness") else how],
        "headline": text(HEADLINES[how]),
        "verdict": text(VERDICTS[how]),
        "title": text(timeline.title),
        "run": text(f"{timeline.scenario}, {timeline.backend}, seed {timeline.seed}"),
        "story": "".join(f"<p>{text(one)}</p>" for one in story(timeline, summary, judged)),
        "numbers": _numbers(timeline, summary),
        "legend": _legend(judged.tally(-1)),
        "still": moments.picture(timeline, garden, judged, darkest),
        "still_caption": text(
            f"The darkest moment, {clock(timeline.samples[darkest].t_ms, length)}: "
            f"{tally_words(judged.tally(darkest))}. The counts below are those of the end."
        ),
        "chapters": _chapters(timeline),
        "track_bands": plots.bands(timeline, strip=22),
        "band_labels": plots.labels(timeline),
        "duration": str(length),
        "length": clock(length, length),
        "moments": moments.strip(timeline, garden, judged),
        "plots": plots.section(timeline),
        "violation": spacetime.section(timeline),
        "sides": _sides(summary),
        "checks": tables.checks(summary),
        "garden": tables.garden_table(timeline, garden, judged),
        "journal": tables.journal(timeline),
        "figures": tables.figures(summary),
        "replay": text(summary.get("replay", "")),
        "note": text(summary.get("note", "Amounts and times are drawn from the seed.")),
        "grouped": _grouped(timeline, len(garden.plants)) if garden.is_grouped else "",
        "data": payload(timeline, garden, judged),
        "script": script,
    }
    return _SLOT.sub(lambda found: slots[found.group(1)], _asset("page.html"))


def _asset(name: str) -> str:
    return asset("mycelia_sim.panorama", name)


def _policy(script: str) -> str:
    """Return the content policy: no request at all, this one script, styles of this page."""
    digest = b64encode(sha256(script.encode()).digest()).decode()
    return (
        f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; "
        "base-uri 'none'; form-action 'none'"
    )


def _numbers(timeline: Timeline, summary: Summary) -> str:
    """Return the few numbers that say most."""
    wanted: list[tuple[str, str]] = []
    for key, words in (
        ("lost", "acknowledged records lost"),
        ("forged_accepted", "forged records kept"),
        ("overcommitted", "promises beyond an offer"),
    ):
        value = summary.get(key)
        if isinstance(value, int):
            wanted.append((number(value), words))
    caught_up_s = summary.get("converged_after_heal_s")
    if isinstance(caught_up_s, (int, float)):
        wanted.append((span(1000 * caught_up_s), "from the heal until all had caught up"))
    wanted.append((number(timeline.samples[-1].union), "records in the end"))
    return "".join(f"<li><b>{value}</b> {words}</li>" for value, words in wanted)


def _legend(tally: list[int]) -> str:
    return "".join(
        f'<li class="{state}"><svg viewBox="0 0 40 48" aria-hidden="true">'
        f'<use href="#plant-{state}"/></svg><span><b data-count="{n}">{number(tally[n])}</b> '
        f"{state}<small>{MEANING[state]}</small></span></li>"
        for n, state in enumerate(STATES)
    )


def _chapters(timeline: Timeline) -> str:
    """Return buttons that lead to the turning points."""
    points = [(0, "beginning")]
    cuts = [fault for fault in timeline.faults if fault.groups]
    if cuts:
        points.append((min(fault.at_ms for fault in cuts), "cut"))
        points.append((max(fault.until_ms for fault in cuts), "heal"))
    elif timeline.faults:
        points.append((min(fault.at_ms for fault in timeline.faults), "first fault"))
    if timeline.violation is not None:
        points.append((timeline.violation.t_ms, "violation"))
    points.append((timeline.duration_ms, "end"))
    return "".join(
        f'<button type="button" class="jump" data-t="{t_ms}">{name} '
        f"<span>{clock(t_ms, timeline.duration_ms)}</span></button>"
        for t_ms, name in sorted(points)
    )


def _sides(summary: Summary) -> str:
    inside = tables.sides_table(summary)
    if not inside:
        return ""
    return (
        '<section aria-labelledby="sides-title"><h2 id="sides-title">What each side asked, '
        f"granted and handed over</h2>{inside}</section>"
    )


def _grouped(timeline: Timeline, plants: int) -> str:
    return (
        f"<p>Of {number(len(timeline.nodes))} nodes, neighbours share a bed: "
        f"{number(plants)} beds of five stems each, its nodes at five ranks of health.</p>"
    )
