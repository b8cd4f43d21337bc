"""Draws of what people do later about what they posted: they let it go on, and they complain.

It comes after all other draws and has streams of its own, so it changes nothing of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from mycelia_sim.plan import Post
from mycelia_sim.scenario import Run, Workload
from mycelia_sim.streams import Stream

LISTED_MS: Final = (6_000, 20_000)  # until something drops off the list
RENEWED: Final = (0.3, 0.9)  # parts of that time between which its author renews it
COMPLAIN_MS: Final = (3_000, 20_000)  # after the request
SETTLE_MS: Final = (2_000, 8_000)  # after the dispute
SETTLED: Final = 0.5  # share of disputes that are settled


def go_on(posts: Sequence[Post], workload: Workload, run: Run) -> list[Post]:
    """Return all posts: some of those given now end, and are renewed; some requests are disputed.

    Args:
        posts: numbered from 0 on, in any order of time.
    """
    later = _Later(posts, run)
    for post in posts:
        if post.kind in ("offer", "request"):
            later.renew(post, workload.renew)
        if post.kind == "request":
            later.dispute(post, workload.dispute)
    return later.posts


class _Later:
    """Adds posts about others."""

    def __init__(self, posts: Sequence[Post], run: Run) -> None:
        self.posts = list(posts)
        self._run = run

    def renew(self, post: Post, share: float) -> None:
        """Maybe let a post end soon, and its author let it go on for as long again."""
        stream = Stream(self._run.seed, f"workload/renew/{post.n}")
        if not share or stream.fraction() >= share:
            return
        span_ms = stream.integer(*LISTED_MS)
        end_ms = post.at_ms + span_ms
        self.posts[post.n] = replace(post, until_ms=end_ms)
        least, most = (round(span_ms * part) for part in RENEWED)
        self._add(post, "renew", stream.integer(least, most), end_ms + span_ms)

    def dispute(self, request: Post, share: float) -> None:
        """Maybe let a requester dispute what it was granted, and maybe settle that later."""
        stream = Stream(self._run.seed, f"workload/dispute/{request.n}")
        if not share or stream.fraction() >= share:
            return
        dispute = self._add(request, "dispute", stream.integer(*COMPLAIN_MS))
        if dispute is not None and stream.fraction() < SETTLED:
            self._add(dispute, "withdraw", stream.integer(*SETTLE_MS))

    def _add(
        self, post: Post, kind: str, after_ms: int, until_ms: int | None = None
    ) -> Post | None:
        """Add a post about another one, unless the workload is over by then."""
        at_ms, n = post.at_ms + after_ms, len(self.posts)
        if at_ms >= self._run.duration_ms:
            return None
        blank = replace(post, quantity=0, lot=1, urgency=None, slots=())
        added = replace(blank, n=n, at_ms=at_ms, kind=kind, of=post.n, until_ms=until_ms)
        self.posts.append(added)
        return added
