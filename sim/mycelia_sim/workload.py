"""What the people of the sites write: offers and requests of the categories in the listing.

Categories are real; amounts are drawn, since the source has none, and the report says so. Every
node opens with one thing it gives and one it wants; then posts arrive at the scenario's rate.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from mycelia_sim.afterwards import go_on
from mycelia_sim.draws.choosing import City, Draws
from mycelia_sim.entrusting import draw_rights, draw_slots
from mycelia_sim.errors import ScenarioError
from mycelia_sim.plan import Cut, Kill, Post
from mycelia_sim.scenario import Burst, Scenario, Workload
from mycelia_sim.sites import Site
from mycelia_sim.streams import Stream
from mycelia_sim.units import Distribution, Rate


@dataclass(frozen=True, slots=True)
class Amount:
    """Bounds for an amount: an offer holds up to `most` lots, a request up to a third of it."""

    label: str
    unit: str
    lot: int
    most: int


AMOUNTS: Final = {
    "care.cleaning": Amount("Cleaning supplies", "1", 1, 40),
    "care.hygiene": Amount("Hygiene kits", "1", 1, 60),
    "care.infant": Amount("Nappies and formula", "1", 1, 60),
    "education.school": Amount("School supplies", "1", 1, 40),
    "energy.heat": Amount("Heating fuel", "W.h", 1_000, 40),
    "food.dry": Amount("Dry food", "g", 500, 200),
    "food.fresh": Amount("Fresh produce", "g", 500, 120),
    "food.meal": Amount("Warm meals", "1", 1, 120),
    "food.water": Amount("Drinking water", "mL", 500, 400),
    "health.medical": Amount("First-aid supplies", "1", 1, 30),
    "health.protective": Amount("Masks and gloves", "1", 10, 40),
    "shelter.bedding": Amount("Blankets and tents", "1", 1, 30),
    "shelter.clothing": Amount("Warm clothing", "1", 1, 60),
    "tool.building": Amount("Building tools", "1", 1, 10),
    "work.volunteer": Amount("Volunteer time", "min", 30, 16),
}

# Posts just before a crash: the first in its very moment, since a disk is done within few ms.
BEFORE_CRASH_MS: Final = (0, 25, 60, 120)
REQUESTS: Final = 0.6  # share of requests among what arrives
MEETINGS: Final = (0.05, 0.3, 0.6)  # parts of a cut at which each side has something to share
PROMISE_MS: Final = 3_000  # between a request and an offer, in the middle of which a node falls
MEET_GAP_MS: Final = 200  # between the offer and the request that are to meet
POSTS_MAX: Final = 1_000_000
LENT: Final = frozenset({"tool.building"})  # counted in pieces, and wanted back
TALKED_OF: Final = 4  # weight of what somebody on the same side has or wants, over the rest


class _Writer:
    """Draws what is in posts; every post has a stream of its own, so none shifts another.

    Attributes:
        active: the nodes where anybody ever writes.
    """

    def __init__(
        self, seed: int, sites: dict[str, Site], workload: Workload, duration_ms: int
    ) -> None:
        self.seed = seed
        self.sites = sites
        self.workload = workload
        self.duration_ms = duration_ms
        self.posts: list[Post] = []
        self.active = self._draw_active()
        self._given: dict[str, Counter[str]] = {}
        self._wanted: dict[str, Counter[str]] = {}
        for node in self.active:
            site = sites[node]
            self._given.setdefault(site.side, Counter()).update(site.gives)
            self._wanted.setdefault(site.side, Counter()).update(site.needs)

    def _draw_active(self) -> list[str]:
        ids = sorted(self.sites)
        count = max(1, round(len(ids) * self.workload.active))
        return sorted(Stream(self.seed, "workload/active").shuffled(ids)[:count])

    def stream(self, name: str) -> Stream:
        """Return the stream of one part of the workload."""
        return Stream(self.seed, f"workload/{name}")

    def post(
        self,
        at_ms: int,
        node: str,
        kind: str,
        category: str,
        stream: Stream,
        wanted: Distribution | None = None,
    ) -> None:
        """Add one offer or request with a drawn amount; maybe it is taken back later.

        Args:
            wanted: how many lots; else as many as is usual for the category.
        """
        amount = AMOUNTS[category]
        lots = stream.integer(max(1, amount.most // 8), amount.most)
        if kind == "request":
            lots = max(1, lots // 3)
        if wanted is not None:
            lots = max(1, round(wanted.draw(stream)))
        urgency = self._urgency(node, category, stream.fraction())
        taken_back, later_ms = stream.fraction(), stream.integer(2_000, 8_000)
        n = len(self.posts)
        post = Post(
            n=n,
            at_ms=max(0, at_ms),
            node=node,
            kind=kind,
            category=category,
            title=amount.label,
            quantity=lots * amount.lot,
            unit=amount.unit,
            lot=amount.lot if kind == "offer" else 1,
            urgency=urgency if kind == "request" else None,
            of=None,
            slots=draw_slots(
                self.stream(f"lend/{n}"), self._lent(kind, category), at_ms, self.duration_ms
            ),
        )
        self.posts.append(post)
        if len(self.posts) > POSTS_MAX:
            raise ScenarioError(f"people would post more than {POSTS_MAX} times; lower the rate")
        if taken_back < self.workload.withdraw and post.at_ms + later_ms < self.duration_ms:
            self.posts.append(_withdrawal(post, len(self.posts), post.at_ms + later_ms))
        if kind == "offer":
            self._entrust(post)

    def _lent(self, kind: str, category: str) -> float:
        """Return how likely something is lent."""
        return self.workload.lend if kind == "offer" and category in LENT else 0

    def _entrust(self, offer: Post) -> None:
        """Maybe let somebody else grant half of what is left of an offer."""
        stream = self.stream(f"rights/{offer.n}")
        sides = {node: self.sites[node].side for node in self.active}
        share, n = self.workload.rights, len(self.posts)
        post = draw_rights(stream, share, offer, n, sides, self.duration_ms)
        if post is not None:
            self.posts.append(post)

    def _urgency(self, node: str, category: str, point: float) -> str:
        if category in self.sites[node].wants_urgently:
            return "now"
        if point < self.workload.urgent:
            return "days"
        return "week" if point < 0.8 else "anytime"

    def options(self, node: str, kind: str) -> list[tuple[str, str]]:
        """Return (kind, category) for all that this node can offer or request."""
        site = self.sites[node]
        codes = site.gives if kind == "offer" else site.needs
        return [(kind, code) for code in codes if code in AMOUNTS]

    def talk(self, at_ms: int, node: str, options: list[tuple[str, str]], stream: Stream) -> None:
        """Add one of the options; what somebody on the same side has or wants comes up more often.

        People talk before they post, and a run in which nothing meets would show nothing.
        """
        site = self.sites[node]
        weights = []
        for kind, code in options:
            others = (self._wanted if kind == "offer" else self._given).get(site.side, Counter())
            own = code in (site.needs if kind == "offer" else site.gives)
            weights.append(TALKED_OF if others[code] > own else 1)
        kind, category = stream.weighted(options, weights)
        self.post(at_ms, node, kind, category, stream)


def _withdrawal(post: Post, n: int, at_ms: int) -> Post:
    post = replace(post, quantity=0, lot=1, urgency=None, slots=())
    return replace(post, n=n, at_ms=at_ms, kind="withdraw", of=post.n)


def draw_posts(
    scenario: Scenario,
    sites: dict[str, Site],
    city: City,
    cuts: Iterable[Cut],
    kills: Iterable[Kill],
) -> tuple[Post, ...]:
    """Return all posts of a run in order of time; `sites` maps node id -> site.

    Posts that would be due while their node is down are left in: the harness skips them and
    counts them, as people find their node dark.

    Raises: ScenarioError when a burst is by nobody, or there are too many posts.
    """
    workload = scenario.workload
    writer = _Writer(scenario.run.seed, sites, workload, scenario.run.duration_ms)
    _open(writer)
    _arrive(writer)
    for number, burst in enumerate(workload.bursts):
        _burst(writer, burst, f"burst/{number}", city)
    active, kills = frozenset(writer.active), tuple(kills)
    for kill in kills:
        if kill.node in active:
            _write_before(writer, kill)
    for cut in cuts:
        if workload.meet_in_cut:
            _meet_in_cut(writer, cut)
    _promise_in_crash(writer, kills)
    posts = go_on(writer.posts, workload, scenario.run)
    return tuple(sorted(posts, key=lambda post: (post.at_ms, post.n)))


def _open(writer: _Writer) -> None:
    """Let nodes write one thing they give and one they want within the opening."""
    for node in writer.active:
        stream = writer.stream(f"opening/{node}")
        if stream.fraction() >= writer.workload.opens:
            continue
        for kind in ("offer", "request"):
            options = writer.options(node, kind)
            at_ms = stream.integer(0, writer.workload.opening_ms)
            if options:
                writer.post(at_ms, node, *stream.choice(options), stream)


def _arrive(writer: _Writer) -> None:
    """Let posts arrive at the scenario's rate after the opening."""
    rate = writer.workload.rate
    if rate is None:
        each = writer.workload.per_node
        assert each is not None
        rate = Rate(each.gap_ms / len(writer.active), each.poisson)
    able = {
        kind: [node for node in writer.active if writer.options(node, kind)]
        for kind in ("offer", "request")
    }
    start_ms, end_ms = writer.workload.opening_ms, writer.duration_ms
    for number, at_ms in enumerate(_times(rate, start_ms, end_ms, writer.stream("arrivals"))):
        stream = writer.stream(f"arrival/{number}")
        kind = "request" if stream.fraction() < REQUESTS else "offer"
        if able[kind]:
            node = stream.choice(able[kind])
            writer.talk(at_ms, node, writer.options(node, kind), stream)


def _times(rate: Rate, start_ms: int, end_ms: int, stream: Stream) -> Iterator[int]:
    at_ms = float(start_ms)
    while round(at_ms := at_ms + rate.next_ms(stream)) < end_ms:
        yield round(at_ms)


def _burst(writer: _Writer, burst: Burst, name: str, city: City) -> None:
    """Let some people post at a rate of their own for a while."""
    who = city.nodes(burst.select, Draws(writer.seed, f"workload/{name}"))
    kinds = ("offer", "request") if burst.kind == "any" else (burst.kind,)
    options = {
        node: [(kind, burst.category) for kind in kinds]
        if burst.category is not None
        else [option for kind in kinds for option in writer.options(node, kind)]
        for node in who
    }
    able = [node for node in who if options[node]]
    end_ms = min(burst.at_ms + burst.for_ms, writer.duration_ms)
    times = _times(burst.rate, burst.at_ms, end_ms, writer.stream(f"{name}/times"))
    for number, at_ms in enumerate(times if able else ()):
        stream = writer.stream(f"{name}/{number}")
        node = stream.choice(able)
        kind, category = stream.choice(options[node])
        writer.post(at_ms, node, kind, category, stream, burst.lots)


def _write_before(writer: _Writer, kill: Kill) -> None:
    """Let a node write until just before it is killed."""
    options = writer.options(kill.node, "offer") + writer.options(kill.node, "request")
    for before_ms in BEFORE_CRASH_MS[: writer.workload.before_crash]:
        stream = writer.stream(f"kill/{kill.node}/{kill.at_ms}/{before_ms}")
        writer.talk(kill.at_ms - before_ms, kill.node, options, stream)


def _promise_in_crash(writer: _Writer, kills: Iterable[Kill]) -> None:
    """Let somebody ask for much before its node falls, and another one offer it while it lies.

    So it is granted something that it can't answer in time, whoever else asks for the same.
    """
    left, wait_ms = writer.workload.promised_in_crash, writer.workload.accept_within_ms or 0
    kills = sorted(kills, key=lambda kill: (kill.at_ms, kill.node))
    for kill in kills:
        until_ms = kill.at_ms + PROMISE_MS + wait_ms
        stream = writer.stream(f"promise/{kill.node}/{kill.at_ms}")
        down = {one.node for one in kills if one.at_ms < until_ms and one.restart_ms > kill.at_ms}
        fell = {one.node for one in kills if one.at_ms < until_ms}
        givers = sorted(set(writer.active) - fell) or sorted(set(writer.active) - down)
        if not left or not givers or kill.node not in writer.active or until_ms > kill.restart_ms:
            continue
        left -= 1
        code, n = stream.choice(sorted(set(AMOUNTS) - LENT)), len(writer.posts)
        writer.post(kill.at_ms - PROMISE_MS // 2, kill.node, "request", code, stream)
        much = AMOUNTS[code].most * AMOUNTS[code].lot
        writer.posts[n] = replace(writer.posts[n], quantity=much, urgency="now")
        writer.post(kill.at_ms + PROMISE_MS // 2, stream.choice(givers), "offer", code, stream)


def _meet_in_cut(writer: _Writer, cut: Cut) -> None:
    """Give each group of a cut some offers and requests that meet while the cut lasts.

    Without them a small or unlucky group might have nothing to share, and the run would be unknown.
    There are several, at different times, because a node may be down at one of them; they do not
    look at the kills, so that taking a kill out of a scenario moves no post.
    """
    span_ms = cut.until_ms - cut.at_ms
    active = frozenset(writer.active)
    for group in cut.groups:
        givers, wanters = _who_meets(writer, [node for node in group if node in active])
        codes = [code for code in sorted(givers) if code in wanters]
        for number, part in enumerate(MEETINGS):
            stream = writer.stream(f"cut/{cut.at_ms}/{cut.until_ms}/{group[0]}/{number}")
            giver, wanter, code = "", "", ""
            for code in stream.shuffled(codes):
                giver, wanter = stream.choice(givers[code]), stream.choice(wanters[code])
                if giver != wanter:
                    break
            if giver == wanter:
                continue
            at_ms = cut.at_ms + round(span_ms * part) + stream.integer(0, span_ms // 20)
            writer.post(at_ms, giver, "offer", code, stream)
            gap_ms = min(MEET_GAP_MS, span_ms // 10)
            writer.post(at_ms + gap_ms, wanter, "request", code, stream)


def _who_meets(
    writer: _Writer, nodes: list[str]
) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Return who gives each category, and who wants it."""
    givers: dict[str, list[str]] = {}
    wanters: dict[str, list[str]] = {}
    for node in nodes:
        for _, code in writer.options(node, "offer"):
            givers.setdefault(code, []).append(node)
        for _, code in writer.options(node, "request"):
            wanters.setdefault(code, []).append(node)
    return givers, wanters
