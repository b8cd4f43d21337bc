"""What daemons tell of those who break rules, and of their memory, becomes facts."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from aiohttp import web

from mycelia_protocol.identity import to_text
from mycelia_sim.facts import Blame, Facts, ForkFact, Overrun
from mycelia_sim.live.client import Client
from mycelia_sim.live.ears import Ears
from mycelia_sim.live.scales import LiveScales

LIAR, LOG = b"\x01" * 32, b"\x02" * 8
KEY = to_text("key", LIAR)
DEADLINE_S = 60
BEGAN_MS = 1_700_000_000_000


def misbehaved(at_ms: int, code: str, key: str | None = KEY) -> dict[str, Any]:
    """Return the event of a broken rule."""
    told = {"key": key, "code": code, "reason": "so it is", "action": "closed"}
    return {"event": "peer-misbehaved", "time_ms": BEGAN_MS + at_ms, **told}


EVENTS = [
    misbehaved(100, "forged"),
    misbehaved(150, "forged"),  # told once of a key and a code
    misbehaved(200, "rate"),
    misbehaved(250, "handshake", None),  # of a stranger nobody knows who it was
    {"event": "fork-seen", "time_ms": BEGAN_MS + 300, "key": KEY, "log": to_text("log", LOG)},
    {"event": "peer-lost", "key": KEY},
    {"event": "missed", "count": 3},
]
EVENTS[4]["seq"] = 7
BURDENS = [
    {"what": "drafts", "amount": 5, "bound": 5},
    {"what": "links without greeting", "amount": 6, "bound": 5},
]


@asynccontextmanager
async def told(path: Path, burdens: list[Any]) -> AsyncIterator[Client]:
    """Give a client of something that answers as a daemon would; `burdens` are taken in turn."""

    async def events(request: web.Request) -> web.Response:
        return web.Response(text="\n\n".join(map(json.dumps, EVENTS)) + "\n")

    async def burden(request: web.Request) -> web.Response:
        if not burdens:
            raise web.HTTPServiceUnavailable
        return web.json_response({"items": burdens.pop()})

    app = web.Application()
    app.router.add_get("/v1/events", events)
    app.router.add_get("/v1/burden", burden)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.UnixSite(runner, str(path / "s")).start()
    try:
        async with Client(str(path / "s")) as client:
            yield client
    finally:
        await runner.cleanup()


async def test_whom_daemons_blame_is_heard(tmp_path: Path) -> None:
    """Forks and broken rules are facts with the time of the workload; strangers are nobody."""
    ears, facts = Ears(), Facts()
    async with told(tmp_path, []) as client:
        ears.listen("n3", client)
        async with asyncio.timeout(DEADLINE_S):
            await asyncio.wait(ears._tasks)  # the stream ends
    ears.tell(facts)
    assert (facts.blames, facts.forks) == (None, None)  # the workload never began
    facts.began_ms = BEGAN_MS
    ears.tell(facts)
    assert facts.blames == [
        Blame("n3", LIAR.hex(), "forged", "so it is", 100),
        Blame("n3", LIAR.hex(), "rate", "so it is", 200),
    ]
    assert facts.forks == [ForkFact("n3", LIAR.hex(), LOG.hex(), 7, 300)]
    assert facts.forked_logs() == {(LIAR, LOG)}
    assert ears.missed == 3


async def test_what_is_beyond_its_bound_is_told_once(tmp_path: Path) -> None:
    """Each look counts, each node and kind is a breach once, and no answer is no look."""
    facts = Facts()
    answers = [BURDENS, BURDENS, BURDENS[:1]]
    async with told(tmp_path, answers) as client:
        plan = SimpleNamespace(attempts=())
        fleet: Any = SimpleNamespace(
            plan=plan,
            running=lambda: ["n0", "n0", "n0", "n0", "n1"],
            client=lambda node: client if node == "n0" else None,
        )
        await LiveScales(fleet, facts).look()
    assert facts.looks == 3
    assert facts.overruns == [Overrun("n0", 0, "links without greeting", 6, 5)]
