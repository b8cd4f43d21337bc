"""What is frozen since this node lost records, and counting it anew. Spec: 6.6."""

from aiohttp import web

from mycelia_node.api.fields import find, read_body, require_own
from mycelia_node.api.things import GetNode
from mycelia_node.api.views import Json, collective
from mycelia_node.errors import RequestError
from mycelia_node.names import id_text
from mycelia_node.node import Node
from mycelia_node.quantity import format_quantity
from mycelia_protocol.errors import LocalError
from mycelia_protocol.purses import is_past
from mycelia_protocol.recount import counted_anew
from mycelia_protocol.state import State
from mycelia_protocol.types.accounts import account_of, purse_of
from mycelia_protocol.types.base import Statement
from mycelia_protocol.types.offer import Offer
from mycelia_protocol.types.promises import request_state, times_of
from mycelia_protocol.types.request import Request
from mycelia_protocol.types.rights import Rights


class FrozenRoutes:
    """Handlers of what is counted anew; see `ThingRoutes` for `get_node`."""

    def __init__(self, get_node: GetNode) -> None:
        self._get_node = get_node

    def add_routes(self, app: web.Application) -> None:
        """Register all handlers."""
        app.router.add_post("/v1/offers/{id}/recount", self.recount)

    async def recount(self, request: web.Request) -> web.Response:
        """POST /v1/offers/{id}/recount: withdraw an own offer, and offer `quantity` of it anew."""
        body = await read_body(request, {"quantity": int}, {})
        node = self._get_node()
        state = node.engine.state
        offer = find(state, request.match_info["id"], Offer)
        require_own(offer.author, node.engine.key, "This offer is another collective's.")
        if account_of(state, offer.id).withdrawn:
            message = "This offer was withdrawn already."
            action = "Offer what is there with `mycelia offer add`."
            raise RequestError(message, action, code="withdrawn", status=409)
        quantity = int(str(body["quantity"]))
        _check_lots(offer, quantity)
        try:
            again = counted_anew(state, offer, quantity, node.clock.now_ms())
        except LocalError as error:
            action = "`mycelia offer withdraw` takes back what is left of it."
            raise RequestError(
                f"It can't be counted anew: {error}.", action, code="over", status=409
            ) from None
        withdrawal = await node.publish("withdraw", {"reason": "counted anew"}, (offer.id,))
        record = await node.publish("offer", again)
        answer = {"id": id_text("record", record), "withdrawal": id_text("record", withdrawal)}
        return web.json_response(answer, status=201)


def _check_lots(offer: Statement[Offer], quantity: int) -> None:
    """Raise a RequestError unless so much can be offered."""
    lot = format_quantity(offer.body.lot, offer.body.unit)
    if quantity <= 0:
        action = "If nothing is left, `mycelia offer withdraw` says so."
        raise RequestError("Count what is there: more than nothing.", action, code="quantity")
    if quantity % offer.body.lot:
        raise RequestError(f"It is given in whole lots of {lot}.", code="quantity")


def frozen_view(node: Node) -> Json | None:
    """Return of what nothing is granted or accepted, and who has yet to tell what it holds.

    None is the answer of a node that knows all that it ever wrote.
    """
    engine, state = node.engine, node.engine.state
    if not engine.gate.known_since:
        return None
    offers = [
        {"id": id_text("record", offer.id), "title": offer.body.title}
        for offer in state.by_author(engine.key, Offer)
        if engine.is_frozen(offer.id) and any(account_of(state, offer.id).free)
    ]
    rights = [
        {"id": id_text("record", held.id), "left": purse_of(state, held.id).free}
        for held in state.addressed_to(engine.key, Rights)
        if engine.is_frozen(held.id) and purse_of(state, held.id).free
    ]
    requests = [
        {"id": id_text("record", wanted.id), "title": wanted.body.title}
        for wanted in state.by_author(engine.key, Request)
        if engine.is_frozen(wanted.id) and _may_lack(state, wanted, node.clock.now_ms())
    ]
    awaited = [collective(state, member) for member in engine.gate.awaited()]
    return {"offers": offers, "rights": rights, "requests": requests, "awaited": awaited}


def _may_lack(state: State, wanted: Statement[Request], now_ms: int) -> bool:
    """Return whether a request would still take something, as far as is known."""
    derived = request_state(state, wanted.id)
    is_over = derived.withdrawn or is_past(times_of(state, wanted).expires_ms, now_ms)
    return not is_over and derived.filled < wanted.body.quantity
