"""What the people of the sites write: offers and requests of the categories in the listing.

Categories are real; amounts are drawn, since the source has none, and the report says so. Every
node opens with one thing it gives and one it wants; then posts arrive at the scenario's rate.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from mycelia_sim.plan import Cut, Kill, Post
from mycelia_sim.scenario import Workload
from mycelia_sim.sites import Site
from mycelia_sim.streams import Stream


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

BURST_BEFORE_MS: Final = (120, 60, 25, 5)  # posts just before a kill, so that it hits writes
REQUESTS: Final = 0.6  # share of requests among what arrives
MEETINGS: Final = (0.05, 0.3, 0.6)  # parts of a cut at which each side has something to share
MEET_GAP_MS: Final = 200  # between the offer and the request that are to meet


class _Writer:
    """Numbers the posts and draws what is in them."""

    def __init__(self, seed: int, sites: dict[str, Site], workload: Workload) -> None:
        self.sites = sites
        self.workload = workload
        self.posts: list[Post] = []
        self.content = Stream(seed, "workload/content")
        self.seed = seed

    def post(self, at_ms: int, node: str, kind: str, category: str) -> None:
        """Add one offer or request with a drawn amount."""
        amount = AMOUNTS[category]
        lots = self.content.integer(max(1, amount.most // 8), amount.most)
        if kind == "request":
            lots = max(1, lots // 3)
        self.posts.append(
            Post(
                n=len(self.posts),
                at_ms=max(0, at_ms),
                node=node,
                kind=kind,
                category=category,
                title=amount.label,
                quantity=lots * amount.lot,
                unit=amount.unit,
                lot=amount.lot if kind == "offer" else 1,
                urgency=self._urgency(node, category) if kind == "request" else None,
                of=None,
            )
        )

    def _urgency(self, node: str, category: str) -> str:
        point = self.content.fraction()
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
        side = self.sites[node].side
        near = [s for other, s in self.sites.items() if other != node and s.side == side]
        given = {code for site in near for code in site.gives}
        wanted = {code for site in near for code in site.needs}
        weights = [
            4 if code in (wanted if kind == "offer" else given) else 1 for kind, code in options
        ]
        kind, category = stream.weighted(options, weights)
        self.post(at_ms, node, kind, category)


def draw_posts(
    seed: int,
    sites: dict[str, Site],
    workload: Workload,
    duration_ms: int,
    cuts: list[Cut],
    kills: list[Kill],
) -> tuple[Post, ...]:
    """Return all posts of a run in order of time; `sites` maps node id -> site.

    Posts that would be due while their node is down are left in: the harness skips them and
    counts them, as people find their node dark.
    """
    writer = _Writer(seed, sites, workload)
    _open(writer, Stream(seed, "workload/opening"))
    stream = Stream(seed, "workload/arrivals")
    at_ms = float(workload.opening_ms)
    while (at_ms := at_ms + workload.rate.next_ms(stream)) < duration_ms:
        kind = "request" if stream.fraction() < REQUESTS else "offer"
        able = [node for node in sorted(sites) if writer.options(node, kind)]
        if able:
            node = stream.choice(able)
            writer.talk(round(at_ms), node, writer.options(node, kind), stream)
    for kill in kills:
        burst = Stream(seed, f"workload/{kill.id}")
        for before_ms in BURST_BEFORE_MS:
            options = writer.options(kill.node, "offer") + writer.options(kill.node, "request")
            writer.talk(kill.at_ms - before_ms, kill.node, options, burst)
    for cut in cuts:
        _share_in_cut(writer, cut, Stream(seed, f"workload/{cut.id}"))
    _withdraw(writer, duration_ms, Stream(seed, "workload/withdraw"))
    return tuple(sorted(writer.posts, key=lambda post: (post.at_ms, post.n)))


def _open(writer: _Writer, stream: Stream) -> None:
    """Let every node write one thing it gives and one it wants within the opening."""
    for node in sorted(writer.sites):
        site = writer.sites[node]
        for kind, codes in (("offer", site.gives), ("request", site.needs)):
            known = [code for code in codes if code in AMOUNTS]
            at_ms = stream.integer(0, writer.workload.opening_ms)
            if known:
                writer.post(at_ms, node, kind, stream.choice(known))


def _share_in_cut(writer: _Writer, cut: Cut, stream: Stream) -> None:
    """Give each group of a cut some offers and requests that meet while the cut lasts.

    Without them a small or unlucky group might have nothing to share, and the run would be unknown.
    There are several, at different times, because a node may be down at one of them; they do not
    look at the kills, so that taking a kill out of a scenario moves no post.
    """
    span_ms = cut.until_ms - cut.at_ms
    for group in cut.groups:
        pairs = [
            (giver, wanter, code)
            for giver in group
            for wanter in group
            if giver != wanter
            for code in writer.sites[giver].gives
            if code in writer.sites[wanter].needs and code in AMOUNTS
        ]
        for part in MEETINGS if pairs else ():
            giver, wanter, code = stream.choice(pairs)
            at_ms = cut.at_ms + round(span_ms * part) + stream.integer(0, span_ms // 20)
            writer.post(at_ms, giver, "offer", code)
            writer.post(at_ms + min(MEET_GAP_MS, span_ms // 10), wanter, "request", code)


def _withdraw(writer: _Writer, duration_ms: int, stream: Stream) -> None:
    """Take a share of the posts back some seconds after they were written."""
    for post in list(writer.posts):
        chosen, later_ms = stream.fraction(), stream.integer(2_000, 8_000)
        at_ms = post.at_ms + later_ms
        if chosen < writer.workload.withdraw and at_ms < duration_ms:
            writer.posts.append(
                Post(
                    n=len(writer.posts),
                    at_ms=at_ms,
                    node=post.node,
                    kind="withdraw",
                    category=post.category,
                    title=post.title,
                    quantity=0,
                    unit=post.unit,
                    lot=1,
                    urgency=None,
                    of=post.n,
                )
            )
