"""Results as one picture: an SVG that needs nothing else, on a light page or a dark one.

A panel for each figure that matters, on a logarithmic scale, since systems differ by powers of ten.
Each run is a dot, the bar ends at their median.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from html import escape
from typing import Final

from mycelia_bench.figures import FIGURES, Figure, spread_in
from mycelia_bench.report import short
from mycelia_bench.results import Outcome, Results
from mycelia_bench.systems import OURS

SHOWN: Final = (
    "deliveries_per_cpu_s",
    "wire_bytes",
    "latency_p50_ms",
    "latency_p99_ms",
    "catch_up_per_s",
    "catch_up_per_cpu_s",
)
WIDTH: Final = 760
NAME_WIDTH: Final = 210
VALUE_WIDTH: Final = 70
BAR_WIDTH: Final = WIDTH - NAME_WIDTH - VALUE_WIDTH - 30
ROW_HEIGHT: Final = 24
PANEL_GAP: Final = 48
STYLE: Final = """
text { font: 13px system-ui, sans-serif; fill: #222 }
.title { font-weight: 600 } .end { text-anchor: end } .note { fill: #666; font-size: 12px }
.bar { fill: #b9bdc4 } .ours { fill: #2f8f5b } .dot { fill: #222; fill-opacity: .55 }
.page { fill: #fff }
@media (prefers-color-scheme: dark) {
  text { fill: #e6e6e6 } .note { fill: #9a9a9a } .page { fill: #16181b }
  .bar { fill: #51565e } .ours { fill: #3fae73 } .dot { fill: #fff }
}
"""


def draw(results: Results) -> str:
    """Return the picture; a system that gave nothing for a figure is left out of its panel."""
    measured = [each for each in results.systems.values() if any(each.runs)]
    shapes: list[str] = []
    top = 20
    for figure in (each for name in SHOWN for each in FIGURES if each.name == name):
        rows = [each for each in measured if spread_in(each.runs, figure.name) is not None]
        if rows:
            shapes += _panel(figure, rows, top)
            top += PANEL_GAP + ROW_HEIGHT * len(rows)
    height = max(top, PANEL_GAP)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
            "<title>Mycelia beside other systems, measured in the same runs</title>",
            f"<style>{STYLE}</style>",
            f'<rect class="page" width="{WIDTH}" height="{height}"/>',
            *shapes,
            "</svg>\n",
        ]
    )


def _panel(figure: Figure, rows: list[Outcome], top: int) -> Iterator[str]:
    """Yield one figure's shapes: the title, then a row for each system."""
    better = "more is better" if figure.more_is_better else "less is better"
    yield f'<text class="title" x="10" y="{top}">{escape(figure.title)}</text>'
    yield f'<text class="note end" x="{WIDTH - 10}" y="{top}">{better}, logarithmic</text>'
    values = [_values(row, figure) for row in rows]
    scale = Scale([value for each in values for value in each])
    for number, (row, runs) in enumerate(zip(rows, values, strict=True)):
        spread = spread_in(row.runs, figure.name)
        assert spread is not None
        middle = top + 8 + ROW_HEIGHT * number + ROW_HEIGHT // 2
        kind = "ours" if row.about["name"] == OURS else "bar"
        end = scale.at(spread.middle)
        yield f'<text x="10" y="{middle + 4}">{escape(row.about["title"])}</text>'
        yield (
            f'<rect class="{kind}" x="{NAME_WIDTH}" y="{middle - 7}" '
            f'width="{end - NAME_WIDTH:.1f}" height="14" rx="2"/>'
        )
        for value in runs:
            yield f'<circle class="dot" cx="{scale.at(value):.1f}" cy="{middle}" r="2.5"/>'
        yield f'<text class="end" x="{WIDTH - 10}" y="{middle + 4}">{short(spread.middle)}</text>'


def _values(outcome: Outcome, figure: Figure) -> list[float]:
    return [value for run in outcome.runs if (value := run.get(figure.name)) is not None]


class Scale:
    """A logarithmic scale from half the least value to the largest one."""

    def __init__(self, values: list[float]) -> None:
        above = [value for value in values if value > 0] or [1.0]
        self._low = math.log(min(above) / 2)
        self._span = max(math.log(max(above)) - self._low, 1e-9)

    def at(self, value: float) -> float:
        """Return where a value lies on the page; what is not above 0 lies at the left end."""
        share = (math.log(value) - self._low) / self._span if value > 0 else 0.0
        return NAME_WIDTH + BAR_WIDTH * min(1.0, max(0.0, share))
