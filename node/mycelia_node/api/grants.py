"""Routes for grants, and for the board that shows everything that is open."""

from typing import cast

from aiohttp import web

from mycelia_node.api.contested import contested_things
from mycelia_node.api.decisions import to_decide
from mycelia_node.api.fields import Fields, find, read_body, read_flags, require_own
from mycelia_node.api.things import GetNode
from mycelia_node.api.views import (
    Json,
    each,
    grant_view,
    needs,
    offer_view,
    own_dispute,
    request_view,
)
from mycelia_node.errors import RequestError
from mycelia_node.names import id_text
from mycelia_protocol.allocate import is_open_request, open_offers, open_requests
from mycelia_protocol.encoding import Value
from mycelia_protocol.purses import BROKEN
from mycelia_protocol.state import State
from mycelia_protocol.types import answer, receipt, withdraw
from mycelia_protocol.types.base import Statement
from mycelia_protocol.types.grant import Grant
from mycelia_protocol.types.promises import grant_state, grants_to
from mycelia_protocol.types.request import Request

ACTIONS: dict[str, Fields] = {
    "accept": {},
    "decline": {},
    "handed": {"quantity": int},
    "received": {"quantity": int},
    "returned": {"quantity": int},
    "dispute": {"matter": str, "text": str},
    "settle": {},
    "withdraw": {},
}


# Who may say what; of the rest both sides.
SPEAKERS = {
    **dict.fromkeys(("handed", "withdraw"), ("the provider",)),
    **dict.fromkeys(("accept", "decline", "received"), ("who asked for it",)),
}


class GrantRoutes:
    """Handlers of grants and the board; see `ThingRoutes` for `get_node`."""

    def __init__(self, get_node: GetNode) -> None:
        self._get_node = get_node

    def add_routes(self, app: web.Application) -> None:
        """Register all handlers."""
        app.router.add_get("/v1/grants", self.list_all)
        app.router.add_get("/v1/grants/{id}", self.show)
        app.router.add_post("/v1/grants/{id}/{action}", self.act)
        app.router.add_get("/v1/board", self.board)

    async def list_all(self, request: web.Request) -> web.Response:
        """GET /v1/grants: all grants, with ?mine=1 those that this node gives or gets."""
        flags = read_flags(request, ("mine",))
        engine = self._get_node().engine
        state, key = engine.state, engine.key
        wanted = own_grants(state, key) if "mine" in flags else state.every(Grant)
        views = await each(wanted, lambda grant: grant_view(state, grant, key))
        return web.json_response({"items": views})

    async def show(self, request: web.Request) -> web.Response:
        """GET /v1/grants/{id}: one grant."""
        read_flags(request, ())
        engine = self._get_node().engine
        grant = find(engine.state, request.match_info["id"], Grant)
        return web.json_response(grant_view(engine.state, grant, engine.key))

    async def act(self, request: web.Request) -> web.Response:
        """POST /v1/grants/{id}/ACTION: say what was done, by one of `ACTIONS`."""
        action = request.match_info["action"]
        if action not in ACTIONS:
            raise web.HTTPNotFound
        body = await read_body(request, {}, ACTIONS[action])
        node = self._get_node()
        state, key = node.engine.state, node.engine.key
        grant = find(state, request.match_info["id"], Grant)
        wanted = state.find(grant.refs[1], Request)
        who = {"the provider": grant.author, "who asked for it": wanted.author if wanted else None}
        who = {name: who[name] for name in SPEAKERS.get(action, who)}
        if key not in who.values():
            message = f"Only {' or '.join(who)} can say {action!r} of this grant."
            require_own(None, key, message)
        if action not in needs(state, grant, key):
            status = grant_state(state, grant.id).status
            message = f"This grant is {status}; {action!r} does not fit."
            raise RequestError(message, code="status", status=409)
        kind, content = record_of(action, {"quantity": grant.body.quantity, **body})
        of = own_dispute(state, grant, key) if action == "settle" else grant
        assert of is not None  # else it would not fit
        record = await node.publish(kind, content, (of.id,))
        return web.json_response({"id": id_text("record", record)}, status=201)

    async def board(self, request: web.Request) -> web.Response:
        """GET /v1/board: what is open now, and what waits for this node's people."""
        read_flags(request, ())
        node = self._get_node()
        state, key, now_ms = node.engine.state, node.engine.key, node.clock.now_ms()
        offers = await each(
            open_offers(state, now_ms), lambda offer: offer_view(state, offer, key, now_ms)
        )
        requests = await each(
            open_requests(state, now_ms), lambda wanted: request_view(state, wanted, key, now_ms)
        )
        own = own_grants(state, key)
        grants = await each(own, lambda grant: grant_view(state, grant, key))
        waiting = [item for item in grants if waits_for_people(item)]
        deciding = [offer_view(state, offer, key, now_ms) for offer in to_decide(node)]
        answer = {"offers": offers, "requests": requests, "needs_you": waiting}
        answer["to_decide"] = deciding
        answer["broken"] = [grant_view(state, grant, key) for grant in broken(state, key, now_ms)]
        return web.json_response({**answer, "contested": contested_things(state)})


def record_of(action: str, body: dict[str, object]) -> tuple[str, dict[str, Value]]:
    """Return kind and content of the record that says what was done."""
    match action:
        case "accept" | "decline":
            return "answer", answer.content(action == "accept")
        case "withdraw" | "settle":
            return "withdraw", withdraw.content()
        case "dispute":
            text = {"text": str(body["text"])} if body.get("text") else {}
            return "dispute", {"matter": str(body.get("matter", "other")), **text}
        case _:
            return "receipt", receipt.content(action, cast("int", body["quantity"]))


def own_grants(state: State, key: bytes) -> list[Statement[Grant]]:
    """Return the grants that somebody gives or gets, oldest first."""
    found = {grant.id: grant for grant in state.by_author(key, Grant)}
    for wanted in state.by_author(key, Request):
        found.update((grant.id, grant) for grant in grants_to(state, wanted.id))
    return sorted(found.values(), key=lambda grant: (grant.time_ms, grant.id))


def broken(state: State, key: bytes, now_ms: int) -> list[Statement[Grant]]:
    """Return what was promised for own requests that still lack it, and turned out to be void."""
    return [
        grant
        for wanted in state.by_author(key, Request)
        if is_open_request(state, wanted, now_ms)
        for grant in grants_to(state, wanted.id)
        if grant_state(state, grant.id).status in BROKEN
    ]


def waits_for_people(grant: Json) -> bool:
    """Return whether somebody here should act; taking back and disputes are never urged."""
    actions = grant["needs"]
    return isinstance(actions, list) and bool(set(actions) - {"withdraw", "dispute", "settle"})
