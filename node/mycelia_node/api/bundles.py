"""Routes for bundles: one to take away, one that was brought, and who is who in them.

The caller reads and writes the files, and this daemon only bytes. So it needs no right to anybody's
folders, however tightly it is confined; a path means what it means to the caller; and nobody can
make the daemon open a file by naming it.
"""

import json
import logging
from collections.abc import Iterator

from aiohttp import web

from mycelia_node.api.fields import read_flags
from mycelia_node.api.things import GetNode
from mycelia_node.api.views import Json
from mycelia_node.carrying import Incoming, pack
from mycelia_node.errors import NodeError, RequestError
from mycelia_node.names import id_text
from mycelia_node.nearest import hint
from mycelia_node.node import Node

MEDIA_TYPE = "application/octet-stream"
ABOUT = "Mycelia-Bundle"  # header with what is known of a bundle before its first byte
PIECE_SIZE = 256 * 1024  # bytes taken at once

log = logging.getLogger("mycelia.api")


class BundleRoutes:
    """Handlers of bundles; see `ThingRoutes` for `get_node`."""

    def __init__(self, get_node: GetNode) -> None:
        self._get_node = get_node

    def add_routes(self, app: web.Application) -> None:
        """Register all handlers."""
        app.router.add_get("/v1/bundle", self.give)
        app.router.add_post("/v1/bundle", self.take)
        app.router.add_get("/v1/members", self.members)

    async def give(self, request: web.Request) -> web.StreamResponse:
        """GET /v1/bundle: a bundle of everything; ?for=MEMBER leaves out what it holds.

        If the store fails on the way, the connection breaks before the end of the answer.
        """
        for name in request.query:
            if name != "for":
                raise RequestError(f"Unknown query {name!r}.", hint(name, ["for"]), code="query")
        bundle = await pack(self._get_node(), request.query.get("for"))
        about = json.dumps(bundle.describe())
        response = web.StreamResponse(headers={"Content-Type": MEDIA_TYPE, ABOUT: about})
        await response.prepare(request)
        try:
            async for block in bundle.blocks():
                await response.write(block)
            await response.write_eof()
        except ConnectionError:
            pass  # whoever asked is gone
        except NodeError as error:
            log.error("a bundle broke off: %s", error)
            if request.transport is not None:
                request.transport.abort()
        return response

    async def take(self, request: web.Request) -> web.Response:
        """POST /v1/bundle: take one in; answers once all that is new is on disk."""
        read_flags(request, ())
        incoming = Incoming(self._get_node())
        try:
            async for piece in request.content.iter_chunked(PIECE_SIZE):
                await incoming.take(piece)
            return web.json_response(await incoming.finish())
        except ConnectionError as error:
            raise RequestError("The bundle broke off.", code="broken") from error
        finally:
            incoming.close()

    async def members(self, request: web.Request) -> web.Response:
        """GET /v1/members: everybody on the roster, and how well each can be reached from here."""
        read_flags(request, ())
        node = self._get_node()
        return web.json_response({"items": list(members_view(node))})


def members_view(node: Node) -> Iterator[Json]:
    """Yield a member after the other; the name is None of who has told none."""
    engine = node.engine
    linked = {neighbour.key for neighbour in node.neighbours.values()}
    for key in engine.state.roster():
        profile = engine.state.profile(key)
        is_mine = key == engine.key
        reach, since_ms = node.reach(key)
        yield {
            "key": id_text("key", key),
            "name": None if profile is None else profile.name,
            "mine": is_mine,
            "linked": key in linked,
            "reach": None if is_mine else reach.value,
            "since_ms": None if is_mine else since_ms,
        }
