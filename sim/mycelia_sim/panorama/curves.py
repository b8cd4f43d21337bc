"""The curves of a run: latency, divergence and convergence over time, and their tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from mycelia_sim.panorama.health import missing
from mycelia_sim.panorama.words import clock, number, span
from mycelia_sim.timeline import Timeline

POINTS_MAX: Final = 320  # about one a pixel column on a small screen
ROWS_MAX: Final = 60
# Where an axis of time on a log scale has its marks: 1 ms to 1,000 h.
MARKS_MS: Final = (1, 10, 100, 1e3, 1e4, 6e4, 6e5, 3.6e6, 3.6e7, 3.6e8, 3.6e9)

Point = tuple[int, float | None]


@dataclass(frozen=True, slots=True)
class Series:
    """One line: its points (time in ms, value or None for a gap) and how it is drawn."""

    name: str
    style: str
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Plot:
    """One plot with its lines.

    Attributes:
        top: the value at the upper edge.
        say: turns a value into words for the axis, the table and the pointer.
        is_log: whether the axis is logarithmic, from `floor` on.
        least: what is not above it is only known to be at most this.
    """

    key: str
    title: str
    says: str
    note: str
    series: tuple[Series, ...]
    top: float
    floor: float
    is_log: bool
    ticks: tuple[float, ...]
    say: Callable[[float], str]
    least: float = 0


def plots(timeline: Timeline) -> list[Plot]:
    """Return the plots of a run; latency only where somebody measured it."""
    found = [_convergence(timeline), *_divergence(timeline)]
    latency = _latency(timeline)
    return [*found, latency] if latency is not None else found


def _convergence(timeline: Timeline) -> Plot:
    count = len(timeline.nodes)
    points = [(s.t_ms, 100 * s.agreeing / count) for s in timeline.samples]
    full_ms = next((t for t, share in reversed(points) if share < 100), None)
    end = clock(timeline.duration_ms, timeline.duration_ms)
    low_ms, low = min(points, key=lambda point: point[1])
    says = f"At worst {low:.0f} % agreed, at {clock(low_ms, timeline.duration_ms)}. "
    if points[-1][1] >= 100:
        since = clock(full_ms, timeline.duration_ms) if full_ms is not None else "the beginning"
        says += f"From {since} on all agreed, until the end at {end}."
    else:
        says += f"At the end, at {end}, {points[-1][1]:.0f} % agreed."
    return Plot(
        "convergence",
        "Convergence",
        says,
        "The largest share of nodes that hold exactly the same. While people write, some records "
        "are always under way, so the curve dances even in good times.",
        (Series("share that agrees", "a", _thin(points, min)),),
        100,
        0,
        False,
        (0, 50, 100),
        lambda value: f"{value:.0f} %",
    )


def _divergence(timeline: Timeline) -> list[Plot]:
    """Return what all nodes lack together, and what the worst of them lacks: scales differ."""
    length = timeline.duration_ms
    lacks = [(sample.t_ms, *missing(sample)) for sample in timeline.samples]
    found = []
    for key, title, line, style, note, points in (
        (
            "divergence",
            "Divergence, all nodes",
            "copies missing",
            "b",
            "Records that somebody who runs holds and others who run lack, summed over all nodes.",
            [(t_ms, float(total)) for t_ms, total, _ in lacks],
        ),
        (
            "worst",
            "Divergence, the node worst off",
            "records missing",
            "c",
            "The same for the one running node that lacks most at that moment.",
            [(t_ms, float(worst)) for t_ms, _, worst in lacks],
        ),
    ):
        peak_ms, peak = max(points, key=lambda point: point[1])
        top = _round_up(max(peak, 10))
        says = (
            f"At most {number(peak)} at {clock(peak_ms, length)}, "
            f"{number(points[-1][1])} at the end."
        )
        series = (Series(line, style, _thin(points, max)),)
        found.append(Plot(key, title, says, note, series, top, 0, False, (0, top / 2, top), number))
    return found


def _latency(timeline: Timeline) -> Plot | None:
    least = timeline.resolution_ms
    lines = (
        ("half of the copies", "a", [(p.t_ms, p.p50_ms) for p in timeline.latency]),
        ("nine of ten", "b", [(p.t_ms, p.p90_ms) for p in timeline.latency]),
        ("99 of 100", "c", [(p.t_ms, p.p99_ms) for p in timeline.latency]),
    )
    series = tuple(
        Series(
            name,
            style,
            _thin([(t_ms, None if v is None else float(max(v, least))) for t_ms, v in points]),
        )
        for name, style, points in lines
    )
    values = [value for one in series for _, value in one.points if value is not None]
    if not values:
        return None
    floor = max(mark for mark in MARKS_MS if mark <= max(1, min(values)))
    top = min(mark for mark in MARKS_MS if mark >= max(2, *values))
    ticks = tuple(mark for mark in MARKS_MS if floor <= mark <= top)
    coarse = (
        f" Nodes were asked every {span(least)}, so no time is known better than that."
        if least
        else ""
    )
    return Plot(
        "latency",
        "Latency",
        f"The slowest hundredth took {span(max(values))} at worst.",
        "From the moment somebody held a record until another node did, by when it was written. "
        f"A record that has to wait for a link waits here.{coarse}",
        series,
        top,
        floor,
        True,
        ticks,
        lambda value: span(value) if value > least else f"≤ {span(least)}",
        least,
    )


def _round_up(value: float) -> float:
    """Return the next number of 1, 2, 3, 4, 6, 8, 10 times a power of ten."""
    power = 1.0
    while value > power * 10:
        power *= 10
    return next(step * power for step in (1, 2, 3, 4, 6, 8, 10) if value <= step * power)


def _thin(
    points: Sequence[Point], worst: Callable[[float, float], float] = max
) -> tuple[Point, ...]:
    """Return at most about `POINTS_MAX` points; of several in one column the worst stays."""
    if len(points) <= POINTS_MAX:
        return tuple(points)
    width = -(-len(points) // POINTS_MAX)
    kept: list[Point] = []
    for at in range(0, len(points), width):
        values = [value for _, value in points[at : at + width] if value is not None]
        one: float | None = None
        for value in values:
            one = value if one is None else worst(one, value)
        kept.append((points[at][0], one))
    return tuple(kept)


def rows(plot: Plot, duration_ms: int) -> list[list[str]]:
    """Return the plot as a table: time, then each line."""
    length = len(plot.series[0].points)
    step = -(-length // ROWS_MAX)
    picked = sorted({*range(0, length, step), length - 1})
    return [
        [
            clock(plot.series[0].points[n][0], duration_ms),
            *("-" if (v := one.points[n][1]) is None else plot.say(v) for one in plot.series),
        ]
        for n in picked
    ]
