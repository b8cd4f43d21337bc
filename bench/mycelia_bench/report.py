"""Results as a table in Markdown: ratios first, then what was measured, each with its spread."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from mycelia_bench.figures import FIGURES, Measured, Spread, ratio_in, spread_in, spread_of
from mycelia_bench.limits import CHECKS
from mycelia_bench.results import Outcome, Results
from mycelia_bench.systems import OURS

NONE: Final = "-"
WORDS: Final = {  # of a system, for people
    "shape": "who is linked with whom",
    "checks": "what is signed, and checked where",
    "keeps": "what a reader has on its disk",
}


def text(results: Results) -> str:
    """Return the whole report."""
    measured = {name: each for name, each in results.systems.items() if any(each.runs)}
    parts = [_heading(results)]
    if OURS in measured and len(measured) > 1:
        parts.append(_ratios(measured))
    if measured:
        parts += [_figures(measured), _words(measured)]
    if results.limits:
        parts.append(_limits(results))
    notes = [note for each in results.systems.values() for note in _notes(each)]
    if notes:
        parts.append("\n".join(notes))
    return "\n\n".join(parts) + "\n"


def _heading(results: Results) -> str:
    job, machine = results.job, results.machine
    return (
        f"Job: {job.nodes} participants, {job.records:,} records of {job.size} bytes; "
        f"{job.trickle} at {job.trickle_per_s:g} a second; a newcomer that lacks {job.missing:,}.\n"
        f"Machine: {machine['processor']}, {machine['cores']} cores, {machine['system']}, "
        f"Python {machine['python']}, SQLite {machine['sqlite']}; code {machine['commit']}.\n"
        f"Median of {results.runs} runs (least to most)."
    )


def _ratios(measured: dict[str, Outcome]) -> str:
    ours = measured[OURS]
    others = {name: each for name, each in measured.items() if name != OURS}
    rows = [
        [figure.title, *(cell(ratio_in(figure, ours.runs, each.runs)) for each in others.values())]
        for figure in FIGURES
        if figure.is_compared
    ]
    return table(["Mycelia is so many times better than", *_titles(others)], rows)


def _figures(measured: dict[str, Outcome]) -> str:
    rows = [
        [figure.title, *(cell(spread_in(each.runs, figure.name)) for each in measured.values())]
        for figure in FIGURES
    ]
    return table(["figure", *_titles(measured)], rows)


def _words(measured: dict[str, Outcome]) -> str:
    rows = [[each.about[word] for word in ("title", *WORDS)] for each in measured.values()]
    return table(["system", *WORDS.values()], rows)


def _limits(results: Results) -> str:
    runs: list[Measured] = [dict(each) for each in results.limits]
    rows = []
    for name in results.limits[0]:
        costs = [each[CHECKS] / each[name] for each in results.limits]
        rows.append([name, cell(spread_in(runs, name)), cell(spread_of(costs))])
    return table(["this machine at most", "per CPU-second", "costs, in checks"], rows)


def _titles(outcomes: dict[str, Outcome]) -> list[str]:
    return [each.about["title"] for each in outcomes.values()]


def _notes(outcome: Outcome) -> Iterable[str]:
    title = outcome.about["title"]
    if outcome.skipped:
        yield f"- {title} was not measured: {outcome.skipped}"
    for failure in outcome.failures:
        yield f"- {title} failed in {failure}"


def cell(spread: Spread | None) -> str:
    """Write a figure or a ratio: `1,230 (1,190 to 1,300)`."""
    if spread is None:
        return NONE
    middle, least, most = map(short, (spread.middle, spread.least, spread.most))
    return middle if least == most else f"{middle} ({least} to {most})"


def short(value: float) -> str:
    """Write a number with about three significant digits."""
    if value >= 100:
        return f"{value:,.0f}"
    if value >= 10:
        return f"{value:.1f}".removesuffix(".0")
    return f"{float(f'{value:.3g}'):g}" if value >= 0.001 or value == 0 else f"{value:.1e}"


def table(head: list[str], rows: list[list[str]]) -> str:
    """Lay out a table in Markdown, aligned for people who read it as text."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]

    def line(cells: list[str]) -> str:
        padded = [
            cell.ljust(width) if index == 0 else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ]
        return f"| {' | '.join(padded)} |"

    rule = "|".join(["-" * (widths[0] + 2), *("-" * (width + 1) + ":" for width in widths[1:])])
    return "\n".join([line(head), f"|{rule}|", *map(line, rows)])
