"""Routes for sealed messages: write one, and read those that were written to this node."""

import os

from aiohttp import web

from mycelia_node.api.fields import find, find_record, read_body, read_flags
from mycelia_node.api.things import GetNode
from mycelia_node.api.views import Json, collective, each
from mycelia_node.errors import RequestError
from mycelia_node.members import find_member
from mycelia_node.names import id_text, name_of
from mycelia_node.node import Node
from mycelia_protocol.errors import LimitExceeded, SealError
from mycelia_protocol.limits import REFS_MAX
from mycelia_protocol.sealing import Context, Opened, seal, unseal
from mycelia_protocol.types.base import Statement
from mycelia_protocol.types.message import Message

EPHEMERAL_SIZE = 32


class MessageRoutes:
    """Handlers of messages; see `ThingRoutes` for `get_node`."""

    def __init__(self, get_node: GetNode) -> None:
        self._get_node = get_node

    def add_routes(self, app: web.Application) -> None:
        """Register all handlers."""
        app.router.add_get("/v1/messages", self.list_all)
        app.router.add_post("/v1/messages", self.send)
        app.router.add_get("/v1/messages/{id}", self.show)

    async def list_all(self, request: web.Request) -> web.Response:
        """GET /v1/messages: those to and from this node, oldest first, opened where it can."""
        read_flags(request, ())
        node = self._get_node()
        state, key = node.engine.state, node.engine.key
        own = [*state.addressed_to(key, Message)]
        own += [sent for sent in state.by_author(key, Message) if sent.body.to != key]
        own.sort(key=lambda message: (message.time_ms, message.id))
        views = await each(own, lambda message: message_view(node, message))
        return web.json_response({"items": views})

    async def show(self, request: web.Request) -> web.Response:
        """GET /v1/messages/{id}: one, with the signature by which its receiver can show it."""
        read_flags(request, ())
        node = self._get_node()
        message = find(node.engine.state, request.match_info["id"], Message)
        return web.json_response(message_view(node, message))

    async def send(self, request: web.Request) -> web.Response:
        """POST /v1/messages: seal a text to a member and publish it; answers once it is on disk."""
        body = await read_body(request, {"to": str, "text": str}, {"about": list})
        node = self._get_node()
        state = node.engine.state
        receiver = find_member(state, str(body["to"]))
        profile = state.profile(receiver)
        if profile is None or profile.seal_key is None:
            raise RequestError(
                f"{name_of(state, receiver)} has told no key that messages could be sealed to.",
                "Wait until its node runs a version that does, and was heard of.",
                code="no-seal-key",
                status=409,
            )
        listed = body.get("about", [])
        assert isinstance(listed, list)
        about = tuple(dict.fromkeys(find_record(state, str(item)) for item in listed))
        if len(about) > REFS_MAX:
            raise RequestError(f"A message is about at most {REFS_MAX} records.", code="field")
        context = Context(state.commons, node.engine.key, receiver, about)
        ephemeral = os.urandom(EPHEMERAL_SIZE)
        try:
            content = seal(context, str(body["text"]), node.seed, profile.seal_key, ephemeral)
        except LimitExceeded as error:
            raise RequestError(
                f"{error}.".capitalize(), "Send it in parts.", code="size"
            ) from error
        except SealError as error:
            message = f"The key of {name_of(state, receiver)} can't be used: {error}."
            raise RequestError(message, code="seal", status=409) from error
        record = await node.publish("message", content, about)
        return web.json_response({"id": id_text("record", record)}, status=201)


def message_view(node: Node, message: Statement[Message]) -> Json:
    """Return a message: `text` and `signature` are null for all but its receiver.

    `state` is `opened`; `sealed`, for others; `erased` by its author; or `unreadable`, if it is for
    this node and yet can't be opened: it was sealed to a key that is gone, or made badly.
    """
    state, key = node.engine.state, node.engine.key
    opened: Opened | None = None
    word = "sealed" if message.body.sealed else "erased"
    if message.body.to == key and word == "sealed":
        context = Context(state.commons, message.author, key, message.refs)
        try:
            opened = unseal(context, message.body.enc, message.body.sealed, node.seal_private)
            word = "opened"
        except SealError:
            word = "unreadable"
    return {
        "id": id_text("record", message.id),
        "kind": "message",
        "state": word,
        "from": collective(state, message.author),
        "to": collective(state, message.body.to),
        "about": [id_text("record", ref) for ref in message.refs],
        "text": opened.text if opened else None,
        "signature": opened.signature.hex() if opened else None,
        "time_ms": message.time_ms,
    }
