"""Draws the curves as SVG that stretches with the page; words on it are HTML and keep their size.

All plots share one axis of time with the slider, so that a fault is one band through all of them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence

from mycelia_node.page.markup import fixed, path, table, text, twin
from mycelia_sim.panorama.curves import Plot, Point, plots, rows
from mycelia_sim.panorama.words import clock, span
from mycelia_sim.timeline import Fault, Timeline

WIDTH = 1000
HEIGHT = 100
HIT_HEIGHT = 6
LABELS_MAX = 5
MARKS_MAX = 8
SECOND, HOUR = 1_000, 3_600_000
STEPS_MS = (
    *(n * SECOND for n in (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800)),
    *(n * HOUR for n in (1, 2, 3, 6, 12, 24, 48, 168)),
)
LABELLED_MAX = 120
HITS_NAMED_MAX = 3  # more than so many nodes that were hit are bands without names


def section(timeline: Timeline) -> str:
    """Return all plots with their tables and the table of faults."""
    drawn = "".join(_figure(plot, timeline) for plot in plots(timeline))
    return drawn + (twin("Faults as a table", fault_table(timeline)) if timeline.faults else "")


def bands(timeline: Timeline, strip: int = HIT_HEIGHT) -> str:
    """Return the fault bands as SVG rectangles in a box of WIDTH x HEIGHT.

    What parts the network is a band of full height; what hits nodes is a strip along the foot.
    Faults that overlap are one band.
    """
    found = ""
    for kind, top, is_cut in (("cut", 0, True), ("hit", HEIGHT - strip, False)):
        for at_ms, until_ms in _merged([f for f in timeline.faults if bool(f.groups) == is_cut]):
            left = _x(at_ms, timeline.duration_ms)
            width = max(1.5, _x(until_ms, timeline.duration_ms) - left)
            found += (
                f'<rect class="band {kind}" x="{fixed(left)}" width="{fixed(width)}" y="{top}" '
                f'height="{HEIGHT - top}"/>'
            )
    return found


def _merged(faults: Sequence[Fault]) -> list[tuple[int, int]]:
    """Return the times at which at least one of these faults was active."""
    spans: list[tuple[int, int]] = []
    for at_ms, until_ms in sorted((fault.at_ms, fault.until_ms) for fault in faults):
        if spans and at_ms <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(until_ms, spans[-1][1]))
        else:
            spans.append((at_ms, until_ms))
    return spans


def labels(timeline: Timeline) -> str:
    """Return the names of the longest faults as HTML above the bands; what collides is left out."""
    taken: list[tuple[float, float]] = []
    found: list[str] = []
    parting = [fault for fault in timeline.faults if fault.groups]
    hits = [fault for fault in timeline.faults if not fault.groups]
    named = [*parting, *(hits if len(hits) <= HITS_NAMED_MAX else [])]
    for fault in longest(named, LABELLED_MAX):
        left = 100 * fault.at_ms / timeline.duration_ms
        room = (left, left + max(10.0, 0.95 * len(fault.label)))
        if len(found) < LABELS_MAX and all(room[1] < a or room[0] > b for a, b in taken):
            taken.append(room)
            found.append(f'<span style="left:{left:.2f}%">{text(fault.label)}</span>')
    return f'<div class="band-labels" aria-hidden="true">{"".join(found)}</div>'


def longest(faults: Sequence[Fault], count: int) -> list[Fault]:
    """Return the longest faults, those that part the network first."""
    return sorted(faults, key=lambda f: (not f.groups, f.at_ms - f.until_ms, f.id))[:count]


def fault_table(timeline: Timeline) -> str:
    """Return all faults as a table."""
    length = timeline.duration_ms
    lines = [
        (
            fault.label,
            fault.kind,
            clock(fault.at_ms, length),
            clock(fault.until_ms, length),
            span(fault.until_ms - fault.at_ms),
        )
        for fault in sorted(timeline.faults, key=lambda f: (f.at_ms, f.id))[:400]
    ]
    return table("Faults", ("fault", "kind", "from", "until", "for"), lines, numbers_from=2)


def _x(t_ms: float, duration_ms: int) -> float:
    return WIDTH * min(max(t_ms / duration_ms, 0.0), 1.0)


def _y(plot: Plot, value: float) -> float:
    """Return the height of a value: 0 is the upper edge."""
    if plot.is_log:
        value = max(value, plot.floor)
        share = math.log(value / plot.floor) / math.log(plot.top / plot.floor)
    else:
        share = (value - plot.floor) / (plot.top - plot.floor)
    return HEIGHT * (1 - min(max(share, 0.0), 1.0))


def _figure(plot: Plot, timeline: Timeline) -> str:
    length = timeline.duration_ms
    lines = [_line(plot, n, length) for n in range(len(plot.series))]
    grid = "".join(
        f'<path class="grid" d="M0 {fixed(_y(plot, tick))}H{WIDTH}"/>' for tick in plot.ticks
    )
    mark = span if plot.is_log else plot.say
    ticks = "".join(
        f'<span style="top:{_y(plot, tick):.1f}%">{text(mark(tick))}</span>' for tick in plot.ticks
    )
    legend = "".join(
        f'<li class="{one.style}"><svg viewBox="0 0 28 8" aria-hidden="true"><path d="M1 4H27"/>'
        f'</svg>{text(one.name)} <output data-line="{n}"></output></li>'
        for n, one in enumerate(plot.series)
    )
    values = [[_rounded(point) for point in one.points] for one in plot.series]
    heading = f"{plot.key}-title"
    return (
        f'<figure class="plot" data-plot="{plot.key}" data-least="{plot.least:g}" '
        f'aria-labelledby="{heading}">'
        f'<figcaption><h3 id="{heading}">{text(plot.title)}</h3>'
        f'<p class="says">{text(plot.says)}</p><ul class="legend">{legend}</ul></figcaption>'
        f'{labels(timeline)}<div class="axis"><div class="ticks" aria-hidden="true">{ticks}</div>'
        f'<svg class="lines" viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none" role="img" '
        f'aria-label="{text(plot.title)}: {text(plot.says)}">'
        f'{bands(timeline)}{grid}{"".join(lines)}</svg><i class="head" aria-hidden="true"></i>'
        f"</div>{times(length)}"
        f'<p class="note">{text(plot.note)}</p>'
        f'<script type="application/json">{json.dumps(values, separators=(",", ":"))}</script>'
        + twin(
            f"{plot.title} as a table",
            table(plot.title, ("time", *(one.name for one in plot.series)), rows(plot, length)),
        )
        + "</figure>"
    )


def times(length: int) -> str:
    """Return the labels of the axis of time, at round times."""
    step = next((one for one in STEPS_MS if length / one <= MARKS_MAX), length)
    marks = "".join(
        f'<span style="left:{100 * t_ms / length:.2f}%">{clock(t_ms, length)}</span>'
        for t_ms in range(0, length + 1, step)
    )
    return f'<div class="times" aria-hidden="true">{marks}</div>'


def _line(plot: Plot, n: int, length: int) -> str:
    """Return one line, broken where nothing is known; the first line of a plot has an area."""
    one = plot.series[n]
    runs: list[list[tuple[float, float]]] = [[]]
    for t_ms, value in one.points:
        if value is None:
            runs.append([])
        else:
            runs[-1].append((_x(t_ms, length), _y(plot, value)))
    drawn = ""
    for run in (run for run in runs if run):
        shape = run if len(run) > 1 else [run[0], (run[0][0] + 4, run[0][1])]
        if n == 0:
            area = f"{path(shape)}L{fixed(shape[-1][0])} {HEIGHT}L{fixed(shape[0][0])} {HEIGHT}Z"
            drawn += f'<path class="area {one.style}" d="{area}"/>'
        drawn += f'<path class="line {one.style}" d="{path(shape)}"/>'
    return drawn


def _rounded(point: Point) -> list[float | None]:
    value = point[1]
    return [point[0], None if value is None else round(value, 1)]
