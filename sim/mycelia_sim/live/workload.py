"""People at their nodes: makes the planned posts over the local APIs and keeps the journal.

The journal holds what nodes acknowledged, and nothing else: that is what must never be lost. A
call that broke off is neither acknowledged nor refused; the record may exist or not.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TextIO

from mycelia_protocol.identity import from_text, to_text
from mycelia_sim.facts import Acknowledged, Facts
from mycelia_sim.live.client import CallFailed, Client
from mycelia_sim.live.fleet import Fleet
from mycelia_sim.plan import Plan, Post
from mycelia_sim.posting import COMPLAINT, DISPUTABLE, renewal_of, rights_of, thing_of


class Journal:
    """acknowledged.jsonl: one line for each record that a node said is saved."""

    def __init__(self, path: Path, facts: Facts) -> None:
        self._file: TextIO = path.open("w", encoding="utf-8")
        self._facts = facts

    def add(self, saved: Acknowledged) -> None:
        """Note one acknowledged record."""
        self._facts.acknowledged.append(saved)
        line = {
            "id": saved.record,
            "node": saved.node,
            "kind": saved.kind,
            "n": saved.n,
            "t_ms": saved.at_ms,
        }
        self._file.write(json.dumps(line) + "\n")
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class People:
    """Makes posts; knows the ids that earlier posts got.

    Args:
        elapsed_ms: gives the time since the beginning of the workload.
    """

    def __init__(
        self,
        plan: Plan,
        fleet: Fleet,
        facts: Facts,
        journal: Journal,
        elapsed_ms: Callable[[], int],
    ) -> None:
        self._posts = {post.n: post for post in plan.posts}
        self._fleet = fleet
        self._facts = facts
        self._journal = journal
        self._elapsed_ms = elapsed_ms
        self._ids: dict[int, str] = {}  # number of the post -> id in text form
        self._disputed: dict[int, str] = {}  # number of a dispute -> id of the grant

    async def post(self, post: Post) -> None:
        """Make one post, and journal it if the node says that it is saved."""
        client = self._fleet.client(post.node)
        try:
            call = None if client is None else await self._call(client, post)
            if client is None or call is None:
                self._facts.skipped += 1
                return
            answer = await client.post(*call)
        except CallFailed as error:
            if error.is_definite:
                self._facts.refused += 1
            else:
                self._facts.unanswered += 1
            return
        text = str(answer["id"])
        self._ids[post.n] = text
        record = from_text(text, "record").hex()
        self._journal.add(Acknowledged(record, post.node, post.kind, post.n, self._elapsed_ms()))

    async def _call(self, client: Client, post: Post) -> tuple[str, Mapping[str, object]] | None:
        """Return path and body of a post; None if what it is of was never acknowledged."""
        began_ms = self._facts.began_ms
        if post.of is None:
            return f"/v1/{post.kind}s", thing_of(post, began_ms)
        text = self._ids.get(post.of)
        if text is None:
            return None
        if post.of in self._disputed:
            return f"/v1/grants/{self._disputed[post.of]}/settle", {}
        path = f"/v1/{self._posts[post.of].kind}s/{text}"
        if post.kind == "withdraw":
            return f"{path}/withdraw", {}
        if post.kind == "renew":
            return f"{path}/renew", renewal_of(post, began_ms)
        if post.kind == "dispute":
            return await self._dispute(client, post, text)
        offer = await client.get(path)
        left = offer["slots"][0]["left"] if post.slots else offer["left"]
        rights = rights_of(post, int(left), began_ms)
        if rights is None:
            return None
        to = to_text("key", bytes.fromhex(self._facts.keys[post.to or ""]))
        slot = {"slot": 0} if post.slots else {}
        return f"{path}/rights", {"to": to, **slot, **rights}

    async def _dispute(
        self, client: Client, post: Post, request: str
    ) -> tuple[str, Mapping[str, object]] | None:
        """Return the call that disputes the first grant to a request that its author accepted."""
        grants = (await client.get(f"/v1/requests/{request}"))["grants"]
        done = (grant["id"] for grant in grants if grant["status"] in DISPUTABLE)
        grant = next(done, None)
        if grant is None:
            return None
        self._disputed[post.n] = str(grant)
        return f"/v1/grants/{grant}/dispute", COMPLAINT
