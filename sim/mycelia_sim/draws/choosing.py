"""Whom and what selectors mean in one run: nodes, groups, and directions of links.

A direction is (source, target); a link has two. What is drawn here comes from the streams of the
fault that asks, so that faults do not shift each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from mycelia_sim.errors import ScenarioError, nearest
from mycelia_sim.fault import Lines
from mycelia_sim.grammar.selectors import REST, Grouping, Selector
from mycelia_sim.plan import PlanLink, PlanNode
from mycelia_sim.sites import SIDES
from mycelia_sim.streams import Stream

T = TypeVar("T")
Direction = tuple[str, str]
Bundle = tuple[Direction, ...]


@dataclass(frozen=True, slots=True)
class Draws:
    """The streams of one thing in a scenario, such as one occurrence of a fault."""

    seed: int
    name: str

    def stream(self, part: str) -> Stream:
        """Return a fresh stream for one part of it."""
        return Stream(self.seed, f"{self.name}/{part}")


def draw_some(items: Sequence[T], count: int, stream: Stream) -> list[T]:
    """Return `count` different positions of `items`, in random order; takes `count` draws."""
    pool = list(items)
    for n in range(min(count, len(pool))):
        other = stream.integer(n, len(pool) - 1)
        pool[n], pool[other] = pool[other], pool[n]
    return pool[:count]


class City:
    """The nodes and links of a run, for selectors to choose from.

    Args:
        islands: node ids of each island.
    """

    def __init__(
        self,
        nodes: tuple[PlanNode, ...],
        links: tuple[PlanLink, ...],
        islands: list[list[str]],
    ) -> None:
        self.ids = tuple(node.id for node in nodes)
        self.links = links
        self.islands = islands
        self._neighbours: dict[str, list[str]] = {node: [] for node in self.ids}
        for link in links:
            self._neighbours[link.dialer].append(link.listener)
            self._neighbours[link.listener].append(link.dialer)
        self._named: dict[str, list[str]] = {"all": list(self.ids)}
        for node in nodes:
            for text in (f"side:{node.side}", f"district:{node.district}", f"node:{node.id}"):
                self._named.setdefault(text, []).append(node.id)
        for number, island in enumerate(islands):
            self._named[f"island:{number}"] = list(island)

    # --- nodes ---

    def named(self, texts: Iterable[str], draws: Draws) -> list[str]:
        """Return whom any of some selectors in words names, in the order of the nodes.

        Raises: ScenarioError when one names nobody.
        """
        found = {one for text in texts for one in self._one(text, draws)}
        return [one for one in self.ids if one in found]

    def _one(self, text: str, draws: Draws) -> list[str]:
        if text.startswith("not:"):
            others = set(self._one(text.removeprefix("not:"), draws))
            return [one for one in self.ids if one not in others]
        kind, _, name = text.partition(":")
        match kind:
            case "minority" | "majority":
                order = draws.stream("minority").shuffled(self.ids)
                size = (len(order) - 1) // 2
                return order[:size] if kind == "minority" else order[size:]
            case "any":
                return draw_some(self.ids, int(name), draws.stream(text))
            case "best_connected":
                return self._best_connected(self.ids, int(name))
            case "island" if name:
                text = f"island:{int(name)}"
        if text not in self._named:
            known = nearest(text, (other for other in self._named if other.startswith(kind)))
            raise ScenarioError(f"'{text}' selects no node of this run{known}")
        return self._named[text]

    def _best_connected(self, ids: Sequence[str], count: int) -> list[str]:
        return sorted(ids, key=lambda one: (-len(self._neighbours[one]), one))[:count]

    def nodes(self, selector: Selector, draws: Draws) -> list[str]:
        """Return the nodes that a selector means.

        Raises: ScenarioError when there are fewer than it asks for.
        """
        texts = [f"node:{one}" for one in selector.ids] or selector.pool
        pool = self.named(texts, draws)
        if selector.excluded:
            excluded = set(self.named(selector.excluded, draws))
            pool = [one for one in pool if one not in excluded]
        count = selector.any if selector.any is not None else selector.best_connected
        if selector.share is not None:
            count = max(1, round(len(pool) * selector.share))
        if len(pool) < (count or 1):
            raise ScenarioError(
                f"{count or 1} nodes are to be chosen, but {' and '.join(texts)} has {len(pool)}"
            )
        if selector.best_connected is not None:
            return self._best_connected(pool, selector.best_connected)
        return pool if count is None else draw_some(pool, count, draws.stream("select"))

    def groups(self, grouping: Grouping, draws: Draws) -> tuple[tuple[str, ...], ...]:
        """Return the nodes of each group, sorted.

        Raises: ScenarioError when groups overlap or one is empty.
        """
        match grouping:
            case "sides":
                texts: Grouping = tuple((f"side:{s}",) for s in SIDES if f"side:{s}" in self._named)
            case "islands":
                texts = tuple((f"island:{n}",) for n in range(len(self.islands)))
            case _:
                texts = grouping
        groups = [set(self.named([t for t in group if t != REST], draws)) for group in texts]
        taken = {one for group in groups for one in group}
        for group, words in zip(groups, texts, strict=True):
            if REST in words:
                group.update(one for one in self.ids if one not in taken)
        if len(groups) < 2 or not all(groups):
            raise ScenarioError("there are not two groups with nodes in this run")
        if sum(map(len, groups)) > len({one for group in groups for one in group}):
            raise ScenarioError("a node stands in two groups; groups must not overlap")
        return tuple(tuple(sorted(group)) for group in groups)

    # --- links ---

    def bundles(self, lines: Lines, oneway: bool, draws: Draws) -> list[Bundle]:
        """Return the directions that a fault of links is about, in bundles that fail together.

        A bundle holds one drawn link, all links of one node, or all links between two groups.

        Raises: ScenarioError when there is no such link.
        """
        if not isinstance(lines, Selector):
            bundles = self._between(self.groups(lines, draws), oneway)
        elif lines.links is not None:
            bundles = self._drawn(lines, oneway, draws)
        else:
            chosen = self.nodes(lines, draws)
            bundles = [self._of_node(one, oneway) for one in chosen]
        bundles = [bundle for bundle in bundles if bundle]
        if not bundles:
            raise ScenarioError("there is no such link in this run")
        return bundles

    def _of_node(self, node: str, oneway: bool) -> Bundle:
        """Return all directions of one node; one way: only what it sends."""
        sent = [(node, other) for other in self._neighbours[node]]
        return tuple(sent if oneway else [*sent, *((other, node) for _, other in sent)])

    def _between(self, groups: tuple[tuple[str, ...], ...], oneway: bool) -> list[Bundle]:
        """Return a bundle for each two groups; one way: only what an earlier sends a later one."""
        group_of = {one: n for n, group in enumerate(groups) for one in group}
        found: dict[tuple[int, int], list[Direction]] = {}
        for link in self.links:
            a, b = group_of.get(link.dialer), group_of.get(link.listener)
            if a is None or b is None or a == b:
                continue
            there, back = (link.dialer, link.listener), (link.listener, link.dialer)
            if a > b:
                there, back = back, there
            found.setdefault((min(a, b), max(a, b)), []).extend(
                [there] if oneway else [there, back]
            )
        return [tuple(found[pair]) for pair in sorted(found)]

    def _drawn(self, lines: Selector, oneway: bool, draws: Draws) -> list[Bundle]:
        """Return a bundle for each drawn link; one way: a drawn direction of it."""
        touched = set(self.nodes(lines, draws))
        pool = [link for link in self.links if link.dialer in touched or link.listener in touched]
        wanted = lines.links or 0
        if len(pool) < wanted:
            raise ScenarioError(f"{wanted} links are to be chosen, but there are {len(pool)}")
        stream = draws.stream("links")
        bundles: list[Bundle] = []
        for link in draw_some(pool, wanted, stream):
            there, back = (link.dialer, link.listener), (link.listener, link.dialer)
            if oneway:
                bundles.append((draws.stream(f"way/{there}").choice((there, back)),))
            else:
                bundles.append((there, back))
        return bundles
