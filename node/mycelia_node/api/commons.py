"""Routes for the node itself: status, found, join, invites, heads, counts, events, down."""

import asyncio
import contextlib
import hashlib
import json
import os
from collections import Counter

from aiohttp import web

from mycelia_node.api.contested import contested_logs
from mycelia_node.api.fields import read_body, read_flags
from mycelia_node.api.frozen import frozen_view
from mycelia_node.api.views import Json, collective, grant_counts, overdrawn_rights
from mycelia_node.config import check_name
from mycelia_node.daemon import Daemon
from mycelia_node.errors import RequestError
from mycelia_node.names import id_text
from mycelia_node.node import Node
from mycelia_node.watchers import WATCHERS_MAX, Watcher
from mycelia_protocol.allocate import open_offers, open_requests
from mycelia_protocol.burden import largest
from mycelia_protocol.confirming import confirmed
from mycelia_protocol.engine import Engine
from mycelia_protocol.identity import to_text
from mycelia_protocol.types.checkpoint import Checkpoint
from mycelia_protocol.types.offer import Offer
from mycelia_protocol.types.request import Request

INVITE_DAYS_MAX = 28
KEEP_ALIVE_S = 10.0  # an empty line shows that the stream is alive, and notices who is gone


class CommonsRoutes:
    """Handlers that need the daemon."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon

    def add_routes(self, app: web.Application) -> None:
        """Register all handlers."""
        app.router.add_get("/v1/status", self.status)
        app.router.add_post("/v1/found", self.found)
        app.router.add_post("/v1/join", self.join)
        app.router.add_post("/v1/invites", self.invite)
        app.router.add_get("/v1/heads", self.heads)
        app.router.add_get("/v1/traffic", self.traffic)
        app.router.add_get("/v1/burden", self.burden)
        app.router.add_get("/v1/events", self.events)
        app.router.add_post("/v1/down", self.down)

    def get_node(self) -> Node:
        """Return the running node.

        Raises:
            RequestError: there is no commons yet.
        """
        if self._daemon.node is None:
            raise RequestError(
                "This node is in no commons yet.",
                "Use `mycelia found NAME` or `mycelia join INVITE`.",
                code="no-commons",
                status=409,
            )
        return self._daemon.node

    async def status(self, request: web.Request) -> web.Response:
        """GET /v1/status: who this is, who is connected, how much is known."""
        read_flags(request, ())
        daemon = self._daemon
        node: Json = {"key": to_text("key", daemon.key), "name": daemon.config.node.name}
        answer: Json = {
            "state": "no commons",
            "node": node,
            "commons": None,
            "peers": [],
            "listen": daemon.config.link.listen,
            "home": str(daemon.home.path),
            "pid": os.getpid(),
            "uptime_ms": daemon.clock.now_ms() - daemon.started_ms,
        }
        if daemon.node is not None:
            answer |= {"state": "running", **commons_status(daemon.node)}
        return web.json_response(answer)

    async def found(self, request: web.Request) -> web.Response:
        """POST /v1/found: begin a commons.

        `name` names the commons; if `commons` is given too, that names it and `name` this node.
        """
        body = await read_body(request, {"name": str}, {"commons": str})
        name = check_name(str(body["name"]))
        commons = check_name(str(body["commons"])) if "commons" in body else None
        node = await self._daemon.found(commons or name, name if commons else None)
        return web.json_response(_entered(node), status=201)

    async def join(self, request: web.Request) -> web.Response:
        """POST /v1/join: enter a commons with an invite; `name` names this node."""
        body = await read_body(request, {"invite": str}, {"name": str})
        name = check_name(str(body["name"])) if "name" in body else None
        node = await self._daemon.join(str(body["invite"]), name)
        return web.json_response(_entered(node), status=201)

    async def invite(self, request: web.Request) -> web.Response:
        """POST /v1/invites: make an invite for one newcomer; answers once it is on disk."""
        body = await read_body(request, {}, {"days": int})
        days = body.get("days", 3)
        assert isinstance(days, int)
        if not 1 <= days <= INVITE_DAYS_MAX:
            raise RequestError(f"days is 1 to {INVITE_DAYS_MAX}, not {days}.", code="field")
        invite = await self.get_node().invite(days)
        answer = {
            "invite": invite.to_text(),
            "expires_ms": invite.expires_ms,
            "addresses": list(invite.addresses),
        }
        return web.json_response(answer, status=201)

    async def heads(self, request: web.Request) -> web.Response:
        """GET /v1/heads: how far every log is on disk; equal digests, equal stores."""
        read_flags(request, ())
        logs = self.get_node().engine.logs
        rows: list[Json] = []
        whole = hashlib.sha256()
        for author, log in logs.stored_logs():
            head = logs.stored((author, log))
            assert head.id is not None
            whole.update(author + log + head.next_seq.to_bytes(8, "big") + head.id)
            rows.append(
                {
                    "author": id_text("key", author),
                    "log": id_text("log", log),
                    "seq": head.next_seq - 1,
                    "head": id_text("record", head.id),
                }
            )
        answer = {"digest": whole.hexdigest(), "records": logs.record_count(), "logs": rows}
        return web.json_response(answer)

    async def traffic(self, request: web.Request) -> web.Response:
        """GET /v1/traffic: what came over the links since the node started, and what it checked."""
        read_flags(request, ())
        return web.json_response(self.get_node().tally.to_json())

    async def burden(self, request: web.Request) -> web.Response:
        """GET /v1/burden: what peers make this node keep in memory, of each kind the most."""
        read_flags(request, ())
        node = self.get_node()
        rows = [
            {"what": what, "amount": amount, "bound": bound}
            for what, amount, bound in (*largest(node.engine), *node.transport.burdens())
        ]
        return web.json_response({"items": rows})

    async def events(self, request: web.Request) -> web.StreamResponse:
        """GET /v1/events: live events, one JSON object a line, until either side ends it."""
        read_flags(request, ())
        watchers = self._daemon.watchers
        if len(watchers) >= WATCHERS_MAX:
            raise RequestError("Too many watch already.", "End one of them.", status=429)
        response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
        with watchers.watching() as watcher, contextlib.suppress(ConnectionError):
            await response.prepare(request)
            await response.write(b"\n")
            await _write_events(watcher, response)
            await response.write_eof()
        return response

    async def down(self, request: web.Request) -> web.Response:
        """POST /v1/down: begin to end; the process is gone when its socket is."""
        await read_body(request, {})
        self._daemon.stop("asked to by `down`")
        return web.json_response({"pid": os.getpid()}, status=202)


async def _write_events(watcher: Watcher, response: web.StreamResponse) -> None:
    """Write events as they come, until the last one or until the reader is gone."""
    while True:
        try:
            async with asyncio.timeout(KEEP_ALIVE_S):
                event = await watcher.next()
        except TimeoutError:
            await response.write(b"\n")
            continue
        if event is None:
            return
        await response.write(json.dumps(event, ensure_ascii=False).encode() + b"\n")


def commons_status(node: Node) -> Json:
    """Return what status tells of a running node."""
    engine, state, now_ms = node.engine, node.engine.state, node.clock.now_ms()
    grants = grant_counts(state)
    log, erasures = engine.publisher.log, engine.replicate.erasures
    allowances = engine.replicate.allowances
    return {
        "commons": {"id": to_text("commons", state.commons), "name": state.charter.name},
        "peers": [
            {
                **collective(state, peer.key),
                "address": peer.address,
                "direction": "out" if peer.outbound else "in",
                "since_ms": peer.since_ms,
                **_progress(engine, link),
            }
            for link, peer in sorted(node.neighbours.items())
        ],
        "members": len(state.roster()),
        "reach": dict(sorted(_reach_counts(node).items())),
        "records": engine.logs.record_count(),
        "logs": len(engine.logs.stored_logs()),
        "store_bytes": node.store.size,
        "words": {
            "erased": erasures.count_erased(lambda key: engine.logs.stored(key).next_seq),
            "missing": erasures.count_missing(),
        },
        "held_back": [
            {**collective(state, author), "until_ms": allowances.ready_ms(author)}
            for author in allowances.spent(now_ms)
        ],
        "state_digest": to_text("state", state.digest()),
        "offers": state.count(Offer),
        "requests": state.count(Request),
        "open_offers": len(open_offers(state, now_ms)),
        "open_requests": len(open_requests(state, now_ms)),
        "grants": sum(grants.values()),
        "grants_by_status": dict(sorted(grants.items())),
        "overdrawn": grants["overdrawn"] + overdrawn_rights(state),
        "contested": len(state.contested_logs()),
        "contested_logs": contested_logs(state),
        "forks": node.forks,
        "checkpoints": {
            "written": state.count(Checkpoint),
            "confirmed": len(confirmed(state)),
            "refuted": len(engine.checkpoints.refuted),
            "compact_logs": len(engine.logs.compact),
        },
        "log": to_text("log", log) if log is not None else None,
        "gate": "open" if engine.gate.is_open else "closed",
        "frozen": frozen_view(node),
        "traffic": node.tally.to_json(),
    }


def _reach_counts(node: Node) -> Counter[str]:
    """Return how many of the other members can be reached how well."""
    others = (key for key in node.engine.state.roster() if key != node.engine.key)
    return Counter(node.reach(key)[0].value for key in others)


def _progress(engine: Engine, link: int) -> Json:
    """Return how far this node has come in fetching what a neighbour had ahead."""
    fetched, total = engine.replicate.reconcile.progress(link)
    return {"fetched": fetched, "to_fetch": total}


def _entered(node: Node) -> Json:
    state = node.engine.state
    return {
        "commons": {"id": to_text("commons", state.commons), "name": state.charter.name},
        "node": {"key": to_text("key", node.engine.key), "name": node.config.node.name},
    }
