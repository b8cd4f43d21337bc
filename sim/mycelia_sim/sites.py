"""The sites that nodes stand for: the packaged listing of mutual-aid sites of the Twin Cities.

Facts only (name, neighbourhood, coordinates to 0.01 degree, category codes); amounts are not in
the source. The Mississippi runs between the two cities, near longitude -93.20.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from importlib import resources
from typing import Final

RIVER_LONGITUDE: Final = -93.20  # degrees; Minneapolis lies west of it, Saint Paul east


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
    return [site for site in sites if site.gives or site.needs]


def _codes(cell: str) -> tuple[str, ...]:
    return tuple(sorted(set(cell.split())))


def has_match(sites: list[Site]) -> bool:
    """Return whether one of these sites gives what another one of them wants."""
    return any(
        giver is not wanter and set(giver.gives) & set(wanter.needs)
        for giver in sites
        for wanter in sites
    )
