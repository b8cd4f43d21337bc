"""The picture of a sweep: a bed in which each seed is a plant that looks like its verdict."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from mycelia_node.page.markup import text
from mycelia_sim.panorama.words import number
from mycelia_sim.sweep.line import SeedLine
from mycelia_sim.sweep.totals import PRECEDENCE
from mycelia_sim.verdict import (
    EXIT_HARNESS,
    EXIT_LIVENESS,
    EXIT_NONDETERMINISM,
    EXIT_PASS,
    EXIT_SAFETY,
    EXIT_UNKNOWN,
)

PLANTS_MAX: Final = 4_000  # more seeds than this share plants
LARGE_MAX: Final = 150
MEDIUM_MAX: Final = 1_200
_SYMBOL: Final = re.compile(r'<symbol id="plant-(\w+)" viewBox="([^"]+)">(.*?)</symbol>', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Look:
    """How the seeds with one exit code look.

    Attributes:
        color: on the night, which is the same on light and dark pages.
    """

    name: str
    plant: str
    color: str
    meaning: str


LOOKS: Final = {
    EXIT_PASS: Look("pass", "thriving", "#63e6cb", "every check came out well"),
    EXIT_SAFETY: Look("broken", "wilted", "#ff8d7e", "something that must never happen"),
    EXIT_LIVENESS: Look(
        "late", "drowsy", "#ff9fd0", "nothing was broken, but it did not heal in time"
    ),
    EXIT_UNKNOWN: Look("unknown", "seed", "#ffd27a", "nothing failed, but something was not seen"),
    EXIT_NONDETERMINISM: Look("wavering", "twins", "#c3b2ff", "the second run came out otherwise"),
    EXIT_HARNESS: Look("crash", "snapped", "#ff8d7e", "the run broke off"),
}


def bed(lines: Sequence[SeedLine]) -> tuple[str, str]:
    """Return the plants as HTML, and the classes that give them their size and their light.

    When there are too many, seeds that follow each other share a plant that looks like the worst.
    """
    step = max(1, -(-len(lines) // PLANTS_MAX))
    plants = "".join(_plant(lines[at : at + step]) for at in range(0, len(lines), step))
    if step > 1:
        plants += f'<p class="note">Each plant stands for {number(step)} seeds, and looks like the '
        plants += "worst of them.</p>"
    count = -(-len(lines) // step)
    size = "few" if count <= LARGE_MAX else "many" if count <= MEDIUM_MAX else "most"
    is_hurt = any(line.verdict not in ("pass", "unknown") for line in lines)
    return plants, f"{size} hurt" if is_hurt else size


def _plant(lines: Sequence[SeedLine]) -> str:
    worst = min(lines, key=lambda line: PRECEDENCE.index(line.exit_code))
    look = LOOKS[worst.exit_code]
    said = f"seed {worst.seed}: {look.name}"
    if worst.fingerprint is not None:
        said += f", {worst.fingerprint}"
    return f'<i class="{look.name}" title="{text(said)}"></i>'


def sprites(symbols: str) -> str:
    """Return the CSS that gives each verdict its plant as a picture, made from SVG symbols."""
    shapes = {name: (box, inside) for name, box, inside in _SYMBOL.findall(symbols)}
    return "\n".join(_rules(shapes))


def _rules(shapes: dict[str, tuple[str, str]]) -> Iterator[str]:
    for look in LOOKS.values():
        box, inside = shapes[look.plant]
        style = (
            f".stem,.line{{fill:none;stroke:{look.color};stroke-width:2.2;stroke-linecap:round}}"
            f".leaf,.petals,.heart,.halo{{fill:{look.color}}}"
            ".line{stroke-width:1.6}.leaf{opacity:.55}.petals{opacity:.92}.halo{opacity:.07}"
        )
        svg = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}"><style>{style}</style>'
            f"{inside.strip()}</svg>"
        )
        yield f'i.{look.name}{{background-image:url("data:image/svg+xml,{quote(svg)}")}}'
