"""Who keeps a link to whom in one run, and what each link is like."""

from __future__ import annotations

from collections import defaultdict
from typing import Final

from mycelia_sim.draws.choosing import Direction
from mycelia_sim.draws.lines import share_ppm
from mycelia_sim.plan import PlanLink, PlanNode, Shape
from mycelia_sim.scenario import LinkQuality, Scenario
from mycelia_sim.streams import Stream
from mycelia_sim.topology import lay, orient
from mycelia_sim.units import Distribution

# Quality -> how a drawn value of it stands in a Shape. Latency stands in the links themselves.
_SHARES: Final = ("loss", "duplicate", "reorder")
_Quality = tuple[int, int, int, int, int]  # jitter ms, loss, duplicate, reorder ppm, rate bps


class LinkDraws:
    """Draws the links of a run.

    Args:
        islands: node ids of each island.
    """

    def __init__(
        self, scenario: Scenario, nodes: tuple[PlanNode, ...], islands: list[list[str]]
    ) -> None:
        self._scenario = scenario
        self._seed = scenario.run.seed
        self._side = {node.id: node.side for node in nodes}
        self._island = {one: n for n, island in enumerate(islands) for one in island}
        self._islands = islands

    def links(self) -> tuple[PlanLink, ...]:
        """Return all links with their latencies, in the order of who dials."""
        topology = self._scenario.topology
        edges = lay(
            topology.kind,
            self._cells(),
            topology.degree,
            topology.crossings_min,
            topology.rewire,
            Stream(self._seed, "topology/edges"),
        )
        return tuple(
            PlanLink(dialer, listener, self._latency_ms(dialer, listener))
            for dialer, listener in orient(edges)
        )

    def _cells(self) -> list[list[str]]:
        """Return the nodes of each island, or of each side where all are one island."""
        if len(self._islands) > 1:
            return self._islands
        cells: dict[str, list[str]] = {}
        for node, side in self._side.items():
            cells.setdefault(side, []).append(node)
        return list(cells.values())

    def _latency_ms(self, dialer: str, listener: str) -> int:
        latency = self._quality(dialer, listener, "latency")
        return latency.draw_ms(Stream(self._seed, f"link/{dialer}->{listener}")) if latency else 0

    def _quality(self, source: str, target: str, name: str) -> Distribution | None:
        """Return what the most special kind of links that says something of a quality says."""
        is_within = self._island[source] == self._island[target]
        if len(self._islands) == 1:
            is_within = self._side[source] == self._side[target]
        there, back = (self._side[source], self._side[target]), None
        back = there[::-1]
        kinds = (
            "->".join(there),
            "->".join(back),
            "within" if is_within else "across",
            "default",
        )
        for kind in kinds:
            quality: LinkQuality = self._scenario.link[kind]
            found: Distribution | None = getattr(quality, name)
            if found is not None:
                return found
        return None

    def shapes(self, links: tuple[PlanLink, ...]) -> list[Shape]:
        """Return what the links are like beyond their latency, for the whole run.

        Directions that are alike share a shape.
        """
        if not any(
            getattr(quality, name) is not None
            for quality in self._scenario.link.values()
            for name in ("jitter", "rate", *_SHARES)
        ):
            return []
        alike: dict[_Quality, list[Direction]] = defaultdict(list)
        for link in links:
            for way in ((link.dialer, link.listener), (link.listener, link.dialer)):
                alike[self._drawn(*way)].append(way)
        alike.pop((0, 0, 0, 0, 0), None)
        run = self._scenario.run
        return [
            Shape(
                id=f"link-{number}",
                at_ms=0,
                until_ms=run.duration_ms + run.converge_within_ms,
                links=tuple(ways),
                latency_ms=0,
                jitter_ms=jitter_ms,
                loss_ppm=loss,
                duplicate_ppm=duplicate,
                reorder_ppm=reorder,
                rate_bps=rate,
            )
            for number, ((jitter_ms, loss, duplicate, reorder, rate), ways) in enumerate(
                sorted(alike.items()), start=1
            )
        ]

    def _drawn(self, source: str, target: str) -> _Quality:
        """Draw the qualities of one direction."""

        def draw(name: str) -> float:
            quality = self._quality(source, target, name)
            if quality is None:
                return 0.0
            return quality.draw(Stream(self._seed, f"link/{source}->{target}/{name}"))

        loss, duplicate, reorder = (share_ppm(draw(name)) for name in _SHARES)
        return max(0, round(draw("jitter"))), loss, duplicate, reorder, max(0, round(draw("rate")))
