"""The sites that nodes stand for: the packaged listing of mutual-aid sites of the Twin Cities.

Facts only (name, neighbourhood, coordinates to 0.01 degree, category codes); amounts are not in
the source. The Mississippi runs between the two cities, near longitude -93.20.

A run with more nodes than there are sites gets further ones, drawn near listed ones. Their names
say so, and reports can count them with `is_listed`.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from typing import Final

from mycelia_sim.streams import Stream

SIDES: Final = ("west", "east")
RIVER_LONGITUDE: Final = -93.20  # degrees; Minneapolis lies west of it, Saint Paul east
SPREAD: Final = 20_000  # millionths of a degree, about 2 km: how far a drawn site is from its model
BANK: Final = 0.000_5  # degrees: no drawn site stands nearer to the river


@dataclass(frozen=True, slots=True)
class Site:
    """One real place in 2020: what it could give, wanted, and wanted urgently (category codes)."""

    name: str
    district: str
    latitude: float
    longitude: float
    gives: tuple[str, ...]
    wants: tuple[str, ...]
    wants_urgently: tuple[str, ...]

    @property
    def side(self) -> str:
        """Return the bank of the river: "west" or "east"."""
        return "west" if self.longitude < RIVER_LONGITUDE else "east"

    @property
    def needs(self) -> tuple[str, ...]:
        """Return everything that is wanted, urgent or not, each code once, sorted."""
        return tuple(sorted({*self.wants, *self.wants_urgently}))


def twin_cities() -> list[Site]:
    """Return the sites that give or want something, in the order of the listing."""
    return list(_listing())


@cache
def _listing() -> tuple[Site, ...]:
    text = (resources.files("mycelia_sim") / "data" / "twin-cities-2020.csv").read_text("utf-8")
    sites = [
        Site(
            name=row["site"],
            district=row["neighborhood"] or "no named neighbourhood",
            latitude=float(row["lat"]),
            longitude=float(row["lon"]),
            gives=_codes(row["gives"]),
            wants=_codes(row["wants"]),
            wants_urgently=_codes(row["wants_urgently"]),
        )
        for row in csv.DictReader(text.splitlines())
    ]
    return tuple(site for site in sites if site.gives or site.needs)


def _codes(cell: str) -> tuple[str, ...]:
    return tuple(sorted(set(cell.split())))


def is_listed(name: str) -> bool:
    """Return whether a node's name is that of a listed site; else its site was drawn."""
    return name in _names()


@cache
def _names() -> frozenset[str]:
    return frozenset(site.name for site in _listing())


def pick(side: str, count: int, stream: Stream) -> list[Site]:
    """Return `count` sites of one side: listed ones in random order, then drawn ones near them."""
    pool = [site for site in _listing() if site.side == side]
    chosen = stream.sample(pool, count)
    for number in range(len(chosen), count):
        chosen.append(_near(pool[number % len(pool)], number // len(pool) + 1, stream))
    return chosen


def _near(model: Site, number: int, stream: Stream) -> Site:
    """Return a site on the same side that gives and wants what a listed one does."""
    latitude = model.latitude + stream.integer(-SPREAD, SPREAD) / 1_000_000
    longitude = model.longitude + stream.integer(-SPREAD, SPREAD) / 1_000_000
    if model.side == "west":
        longitude = min(longitude, RIVER_LONGITUDE - BANK)
    else:
        longitude = max(longitude, RIVER_LONGITUDE + BANK)
    return replace(
        model,
        name=f"near {model.name}, {number}",
        latitude=round(latitude, 6),
        longitude=round(longitude, 6),
    )


def has_match(sites: list[Site]) -> bool:
    """Return whether one of these sites gives what another one of them wants."""
    return any(
        giver is not wanter and set(giver.gives) & set(wanter.needs)
        for giver in sites
        for wanter in sites
    )
