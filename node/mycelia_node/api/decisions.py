"""Routes by which people decide who gets an offer: they see what the policy gives, and say."""

from typing import Any, cast

from aiohttp import web

from mycelia_node.api.fields import find, find_record, read_body, read_flags
from mycelia_node.api.policies import explained, policy_view
from mycelia_node.api.things import GetNode
from mycelia_node.api.views import Json
from mycelia_node.errors import RequestError
from mycelia_node.members import find_member
from mycelia_node.names import id_text, name_of
from mycelia_node.node import Node
from mycelia_protocol.allocate import fits, open_requests
from mycelia_protocol.gather import gather
from mycelia_protocol.policies import in_force
from mycelia_protocol.purses import Stock, stocks
from mycelia_protocol.state import State
from mycelia_protocol.types import consent
from mycelia_protocol.types.base import Statement
from mycelia_protocol.types.offer import Offer
from mycelia_protocol.types.parties import side_of
from mycelia_protocol.types.party import Party
from mycelia_protocol.types.request import Request
from mycelia_protocol.types.rights import Rights

OVERRIDE = {"request": str, "quantity": int, "reason": str, "approver": str}


class DecisionRoutes:
    """Handlers of decisions; see `ThingRoutes` for `get_node`."""

    def __init__(self, get_node: GetNode) -> None:
        self._get_node = get_node

    def add_routes(self, app: web.Application) -> None:
        """Register all handlers."""
        app.router.add_get("/v1/offers/{id}/decide", self.show)
        app.router.add_post("/v1/offers/{id}/decide", self.decide)
        app.router.add_post("/v1/offers/{id}/consent", self.consent)

    async def show(self, request: web.Request) -> web.Response:
        """GET /v1/offers/{id}/decide: what this node may give of it, and who would get it."""
        read_flags(request, ())
        node = self._get_node()
        state, now_ms = node.engine.state, node.clock.now_ms()
        offer = find(state, request.match_info["id"], Offer)
        policy = in_force(state)
        parts = []
        for stock in _stocks(node, offer, now_ms):
            inputs = gather(state, node.engine.key, stock, policy, now_ms)
            part = explained(state, inputs)
            for candidate in part["decision"]["candidates"]:
                candidate["who"] = _whose(state, find_record(state, candidate["request"]))
            parts.append({"purse": id_text("record", stock.purse), "slot": stock.slot, **part})
        unit, ask = offer.body.unit, offer.body.ask
        return web.json_response(
            {"policy": policy_view(policy), "unit": unit, "ask": ask, "parts": parts}
        )

    async def decide(self, request: web.Request) -> web.Response:
        """POST /v1/offers/{id}/decide: agree with `grants` as shown, or give it to one request.

        An override names `request`, `quantity`, `reason` and `approver`.
        """
        optional = {"purse": str, "slot": int, "grants": list, **OVERRIDE}
        body = await read_body(request, {}, optional)
        node = self._get_node()
        state = node.engine.state
        offer = find(state, request.match_info["id"], Offer)
        stock = _stock(node, offer, body)
        if "grants" in body and OVERRIDE.keys().isdisjoint(body):
            grants = tuple(_grant(state, each) for each in cast("list[object]", body["grants"]))
            record = await node.decide(stock.purse, stock.slot, grants)
        elif "grants" not in body and body.keys() >= OVERRIDE.keys():
            wanted = find(state, str(body["request"]), Request)
            record = await node.decide(
                stock.purse,
                stock.slot,
                ((wanted.id, cast("int", body["quantity"])),),
                str(body["reason"]),
                find_member(state, str(body["approver"])),
            )
        else:
            raise RequestError(
                "Give either the grants that were shown, or request, quantity, reason and "
                "approver of what is decided otherwise.",
                code="field",
            )
        return web.json_response({"id": id_text("record", record)}, status=201)

    async def consent(self, request: web.Request) -> web.Response:
        """POST /v1/offers/{id}/consent: agree that a request gets so much of it, out of turn.

        `purse` names rights to the offer, if their holder decides.
        """
        body = await read_body(
            request, {"request": str, "quantity": int}, {"slot": int, "purse": str}
        )
        node = self._get_node()
        state = node.engine.state
        offer = find(state, request.match_info["id"], Offer)
        wanted = find(state, str(body["request"]), Request)
        rights = find(state, str(body["purse"]), Rights) if "purse" in body else None
        decider = offer.author if rights is None else rights.body.to
        if decider == node.engine.key:
            message = "You can't approve a decision of your own."
            raise RequestError(message, "Ask another member.", code="own", status=409)
        slot = cast("int | None", body.get("slot"))
        content = consent.content(cast("int", body["quantity"]), slot)
        purse = offer.id if rights is None else rights.id
        record = await node.publish("consent", content, (purse, wanted.id))
        return web.json_response({"id": id_text("record", record)}, status=201)


def to_decide(node: Node) -> list[Statement[Offer]]:
    """Return the offers of which people here are asked who gets them, and somebody could."""
    state, key, now_ms = node.engine.state, node.engine.key, node.clock.now_ms()
    shelf = stocks(state, key, node.engine.publisher.log, now_ms)
    is_frozen = node.engine.is_frozen
    asking = [one for one in shelf if one.offer.body.ask and not is_frozen(one.purse)]
    requests = open_requests(state, now_ms) if asking else []
    found = {
        stock.offer.id: stock.offer
        for stock in asking
        for request in requests
        if request.author not in (key, stock.offer.author) and fits(state, stock, request, now_ms)
    }
    return list(found.values())


def _stocks(node: Node, offer: Statement[Offer], now_ms: int) -> list[Stock]:
    """Return what this node may grant of an offer."""
    key, log = node.engine.key, node.engine.publisher.log
    found = stocks(node.engine.state, key, log, now_ms)
    return [stock for stock in found if stock.offer.id == offer.id]


def _stock(node: Node, offer: Statement[Offer], body: dict[str, object]) -> Stock:
    """Return the one amount that a decision is about.

    Raises:
        RequestError: there is nothing, or it is not said which of several.
    """
    found = _stocks(node, offer, node.clock.now_ms())
    if "slot" in body:
        found = [stock for stock in found if stock.slot == body["slot"]]
    if "purse" in body:
        purse = find_record(node.engine.state, str(body["purse"]))
        found = [stock for stock in found if stock.purse == purse]
    if not found:
        message = "Nothing of this offer can be granted here."
        raise RequestError(message, "`mycelia offer show` says what is left.", code="spent")
    if len(found) > 1:
        message = f"There are {len(found)} parts of this offer to decide on."
        raise RequestError(message, "Name a slot, or a purse.", code="slot")
    return found[0]


def _grant(state: State, item: object) -> tuple[bytes, int]:
    match item:
        case {"request": str(text), "quantity": int(quantity)}:
            return find(state, text, Request).id, quantity
        case _:
            raise RequestError("A grant is {request, quantity}.", code="field")


def _whose(state: State, request: bytes) -> Json:
    """Return what people have to know of a request to decide on it."""
    wanted = state.find(request, Request)
    assert wanted is not None
    side = side_of(state, wanted)
    party = state.find(side, Party)
    name = name_of(state, side) if party is None else party.body.name
    body: dict[str, Any] = {"name": name, "title": wanted.body.title}
    return {**body, "quantity": wanted.body.quantity, "urgency": wanted.body.urgency}
