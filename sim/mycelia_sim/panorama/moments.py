"""Some still pictures of the garden: what the page shows where no script runs, and on paper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from mycelia_node.page.markup import fixed, path, text
from mycelia_sim.panorama.beds import Garden, Plant
from mycelia_sim.panorama.health import DROWSY, STATES, THRIVING, WILTED, Conditions
from mycelia_sim.panorama.layout import RIVER_STEPS, River
from mycelia_sim.panorama.words import clock, mood, tally_words, worst_sample
from mycelia_sim.timeline import Timeline

WIDTH: Final = 400
HEIGHT: Final = 250
HORIZON: Final = 34
PLANT: Final = 40  # height of a plant in the foreground, in a garden of 30
LINKS_MAX: Final = 160
AFTER: Final = 0.02  # share of the run after a heal at which recovery is looked at


@dataclass(frozen=True, slots=True)
class Moment:
    """One sample worth a picture."""

    sample: int
    name: str


def moments(timeline: Timeline, conditions: Conditions) -> list[Moment]:
    """Return up to five moments, by time: beginning, before, darkest, healing, end."""
    times = [sample.t_ms for sample in timeline.samples]
    picked = {worst_sample(conditions): "the darkest moment"}
    if timeline.faults:
        first_ms = min(fault.at_ms for fault in timeline.faults)
        before = [n for n, t_ms in enumerate(times) if t_ms < first_ms]
        if before:
            picked.setdefault(before[-1], "before the outage")
    healed = [fault.until_ms for fault in timeline.faults if fault.groups]
    if healed:
        after_ms = max(healed) + AFTER * timeline.duration_ms
        after = [n for n, t_ms in enumerate(times) if t_ms >= after_ms]
        if after:
            picked.setdefault(after[0], "the links are back")
    picked.setdefault(len(times) - 1, "the end")
    picked.setdefault(0, "the beginning")
    return [Moment(n, name) for n, name in sorted(picked.items())]


def strip(timeline: Timeline, garden: Garden, conditions: Conditions) -> str:
    """Return the strip of pictures with captions."""
    figures = []
    for moment in moments(timeline, conditions):
        t_ms = timeline.samples[moment.sample].t_ms
        tally = conditions.tally(moment.sample)
        caption = tally_words(tally)
        figures.append(
            f'<figure class="moment"><button type="button" class="jump" data-t="{t_ms}" '
            f'aria-label="Go to {text(moment.name)}">'
            f"{picture(timeline, garden, conditions, moment.sample)}</button>"
            f"<figcaption><b>{clock(t_ms, timeline.duration_ms)}</b> {text(moment.name)}: "
            f"{text(mood(tally))}. <small>{text(caption)}.</small></figcaption></figure>"
        )
    return f'<div class="moments">{"".join(figures)}</div>'


def picture(timeline: Timeline, garden: Garden, conditions: Conditions, sample: int) -> str:
    """Return the garden at one sample as SVG."""
    t_ms = timeline.samples[sample].t_ms
    health, states = conditions.health[sample], conditions.states[sample]
    tally = conditions.tally(sample)
    sides = side_order(garden)
    plants = sorted(garden.plants, key=lambda plant: (plant.v, plant.u))
    drawn = "".join(
        _plant(plant, _state(plant, states), sides.index(plant.side), len(plants))
        for plant in plants
    )
    is_dark = [not any(health[n] for n in plant.members) for plant in garden.plants]
    return (
        f'<svg class="still" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="The garden: {text(tally_words(tally))}">'
        f'<rect class="sky" width="{WIDTH}" height="{HEIGHT}"/>'
        f'<path class="ground" d="M0 {HORIZON}Q{WIDTH / 2} {HORIZON - 10} {WIDTH} {HORIZON}'
        f'V{HEIGHT}H0Z"/>{_river(garden.river)}{_links(garden, is_dark, t_ms)}{drawn}</svg>'
    )


def side_order(garden: Garden) -> list[str]:
    """Return the sides from west to east; the page's colours follow this order."""
    places: dict[str, list[float]] = {}
    for plant in garden.plants:
        places.setdefault(plant.side, []).append(plant.u)
    return sorted(places, key=lambda side: (sum(places[side]) / len(places[side]), side))


def project(u: float, v: float) -> tuple[float, float]:
    """Return where a place of the ground is in the picture: what lies north is farther away."""
    reach = 0.8 + 0.2 * v
    return WIDTH / 2 + (u - 0.5) * WIDTH * reach, HORIZON + 22 + (HEIGHT - HORIZON - 32) * v


def _state(plant: Plant, states: Sequence[int]) -> int:
    """Return the state that most of a plant's nodes are in; of equals the worse one."""
    found = [states[n] for n in plant.members]
    order = (WILTED, DROWSY, THRIVING)
    return max(set(found), key=lambda state: (found.count(state), state in order, -state))


def _plant(plant: Plant, state: int, side: int, count: int) -> str:
    x, y = project(plant.u, plant.v)
    size = PLANT * (0.62 + 0.38 * plant.v) * min(1.25, max(0.5, (30 / count) ** 0.5))
    width = size * 40 / 48
    return (
        f'<use href="#plant-{STATES[state]}" class="p {STATES[state]} side{min(side, 3)}" '
        f'x="{fixed(x - width / 2)}" y="{fixed(y - size)}" '
        f'width="{fixed(width)}" height="{fixed(size)}"/>'
    )


def _river(river: River | None) -> str:
    if river is None:
        return ""
    steps = [1.25 * n / RIVER_STEPS - 0.12 for n in range(RIVER_STEPS + 1)]
    west = [project(river.at(v) - 0.006 - 0.012 * (v + 0.12), v) for v in steps]
    east = [project(river.at(v) + 0.006 + 0.012 * (v + 0.12), v) for v in reversed(steps)]
    return f'<path class="river" d="{path([*west, *east])}Z"/>'


def _links(garden: Garden, is_dark: Sequence[bool], t_ms: int) -> str:
    """Return the strongest links: whole, or as dashes where they are cut or dark."""
    whole: list[str] = []
    broken: list[str] = []
    for link in garden.links[:LINKS_MAX]:
        ends = [garden.plants[n] for n in (link.one, link.other)]
        is_cut = any(at_ms <= t_ms < until_ms for at_ms, until_ms in link.cuts)
        is_off = is_cut or is_dark[link.one] or is_dark[link.other]
        (broken if is_off else whole).append(path([project(end.u, end.v) for end in ends]))
    drawn = f'<path class="thread" d="{"".join(whole)}"/>' if whole else ""
    return drawn + (f'<path class="thread off" d="{"".join(broken)}"/>' if broken else "")
