"""Routes for rights: let somebody else grant from an own offer, and give back what one holds."""

from aiohttp import web

from mycelia_node.api.fields import find, read_body, read_flags, require_own
from mycelia_node.api.things import GetNode
from mycelia_node.api.views import each, rights_view
from mycelia_node.errors import RequestError
from mycelia_node.members import find_member
from mycelia_node.names import id_text, name_of
from mycelia_node.node import Node
from mycelia_node.quantity import format_quantity
from mycelia_protocol.limits import REFS_MAX
from mycelia_protocol.purses import Stock, stocks
from mycelia_protocol.types import returns, rights
from mycelia_protocol.types.accounts import purse_of
from mycelia_protocol.types.base import Statement
from mycelia_protocol.types.offer import Offer
from mycelia_protocol.types.rights import Rights


class RightsRoutes:
    """Handlers of rights; see `ThingRoutes` for `get_node`."""

    def __init__(self, get_node: GetNode) -> None:
        self._get_node = get_node

    def add_routes(self, app: web.Application) -> None:
        """Register all handlers."""
        app.router.add_get("/v1/rights", self.list_all)
        app.router.add_post("/v1/offers/{id}/rights", self.give)
        app.router.add_post("/v1/rights/{id}/return", self.give_back)

    async def list_all(self, request: web.Request) -> web.Response:
        """GET /v1/rights: all rights, with ?mine=1 those that this node gave or holds."""
        flags = read_flags(request, ("mine",))
        engine = self._get_node().engine
        state, key = engine.state, engine.key
        views = await each(state.every(Rights), lambda one: rights_view(state, one, key))
        if "mine" in flags:
            views = [item for item in views if item["mine"]]
        return web.json_response({"items": views})

    async def give(self, request: web.Request) -> web.Response:
        """POST /v1/offers/{id}/rights: let a member grant part of an own offer."""
        optional = {"slot": int, "until_ms": int, "reason": str}
        body = await read_body(request, {"to": str, "quantity": int}, optional)
        node = self._get_node()
        state = node.engine.state
        offer = find(state, request.match_info["id"], Offer)
        require_own(offer.author, node.engine.key, "This offer is another collective's.")
        holder = find_member(state, str(body["to"]))
        log = state.latest_log(holder)
        if holder == node.engine.key or log is None:
            who = name_of(state, holder)
            raise RequestError(
                "Rights go to somebody else." if log else f"{who} has not written anything yet.",
                "Name another member." if log else "Wait until its node was here.",
                code="holder",
            )
        quantity, slot = int(str(body["quantity"])), body.get("slot")
        stock = _stock(node, offer, slot)
        _check_room(offer, stock, quantity)
        content = rights.content(holder, log, quantity, stock.slot)
        for name in ("until_ms", "reason"):
            if name in body:
                content[name] = body[name]  # type: ignore[assignment]  # read_body checked its type
        refs = (offer.id, *stock.credits[: REFS_MAX - 1])
        record = await node.publish("rights", content, refs)
        return web.json_response({"id": id_text("record", record)}, status=201)

    async def give_back(self, request: web.Request) -> web.Response:
        """POST /v1/rights/{id}/return: give back what was not granted, or part of it."""
        body = await read_body(request, {}, {"quantity": int})
        node = self._get_node()
        state = node.engine.state
        held = find(state, request.match_info["id"], Rights)
        require_own(held.body.to, node.engine.key, "These rights are another collective's.")
        free = purse_of(state, held.id).free
        quantity = int(str(body.get("quantity", free)))
        if not 0 < quantity <= free:
            message = f"{free} base units of these rights are left, not {quantity}."
            raise RequestError(message, code="quantity", status=409)
        record = await node.publish("return", returns.content(quantity), (held.id,))
        return web.json_response({"id": id_text("record", record)}, status=201)


def _stock(node: Node, offer: Statement[Offer], slot: object) -> Stock:
    """Return what this node may still give of an own offer, or of one slot of it.

    Raises:
        RequestError: nothing is left, or there is no such slot.
    """
    engine = node.engine
    for stock in stocks(engine.state, engine.key, engine.publisher.log, node.clock.now_ms()):
        if stock.purse == offer.id and stock.slot == slot:
            return stock
    if offer.body.slots and not isinstance(slot, int):
        message = f"This is lent in {len(offer.body.slots)} slots."
        raise RequestError(message, "Name one, counted from 0.", code="slot")
    raise RequestError("Nothing is left of this offer here.", code="quantity", status=409)


def _check_room(offer: Statement[Offer], stock: Stock, quantity: int) -> None:
    """Raise a RequestError unless so much can be given, in whole lots."""
    if offer.body.inexhaustible:
        message = "Of what is inexhaustible everybody may be granted by you; there is no need."
        raise RequestError(message, code="inexhaustible", status=409)
    if not 0 < quantity <= stock.left:
        left = format_quantity(stock.left, offer.body.unit)
        raise RequestError(f"Only {left} can be given now.", code="quantity", status=409)
    if quantity % offer.body.lot:
        lot = format_quantity(offer.body.lot, offer.body.unit)
        raise RequestError(f"Rights are given in whole lots of {lot}.", code="quantity")
