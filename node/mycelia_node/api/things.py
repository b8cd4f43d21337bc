"""Routes for offers and requests: list, add, show, withdraw."""

from collections.abc import Callable
from functools import partial
from typing import Generic, TypeVar, cast

from aiohttp import web

from mycelia_node.api.fields import Fields, find, read_body, read_flags, require_own
from mycelia_node.api.views import Json, each, offer_view, related, request_view
from mycelia_node.errors import RequestError
from mycelia_node.members import find_member
from mycelia_node.node import Node
from mycelia_protocol.encoding import Value
from mycelia_protocol.identity import to_text
from mycelia_protocol.state import State
from mycelia_protocol.types.base import Statement
from mycelia_protocol.types.offer import Offer
from mycelia_protocol.types.party import Party
from mycelia_protocol.types.place import CELL_MIN_E7, place_content, snap
from mycelia_protocol.types.request import Request

T = TypeVar("T")
GetNode = Callable[[], Node]
View = Callable[[State, Statement[T], bytes, int], Json]

REQUIRED: Fields = {"category": str, "title": str, "quantity": int, "unit": str}
OPTIONAL: Fields = {"note": str, "expires_ms": int, "place": dict}
OFFER_ONLY: Fields = {
    "terms": str,
    "lot": int,
    "minimum": int,
    "slots": list,
    "from_ms": int,
    "until_ms": int,
    "carrier": str,
    "audience": list,
    "on_behalf_of": str,
    "renewing": bool,
    "inexhaustible": bool,
    "ask": bool,
}
REQUEST_ONLY: Fields = {
    "urgency": str,
    "needed_by_ms": int,
    "people": int,
    "on_behalf_of": str,
    "substitutes": list,
}
RENEWABLE: Fields = {"expires_ms": int, "until_ms": int, "needed_by_ms": int, "quantity": int}


class ThingRoutes(Generic[T]):
    """Handlers of one kind of thing.

    Args:
        get_node: returns the running node, or raises a RequestError if there is no commons yet.
        defaults: what a field is when the request leaves it out.
    """

    def __init__(
        self,
        get_node: GetNode,
        name: str,
        kind: type[T],
        view: View[T],
        optional: Fields,
        defaults: dict[str, object],
    ) -> None:
        self._get_node = get_node
        self._name = name
        self._kind = kind
        self._show = view
        self._optional = {**OPTIONAL, **optional}
        self._defaults = defaults

    def add_routes(self, app: web.Application) -> None:
        """Register all handlers."""
        path = f"/v1/{self._name}s"
        app.router.add_get(path, self.list_all)
        app.router.add_post(path, self.add)
        app.router.add_get(path + "/{id}", self.show)
        app.router.add_post(path + "/{id}/withdraw", self.withdraw)
        app.router.add_post(path + "/{id}/renew", self.renew)

    async def list_all(self, request: web.Request) -> web.Response:
        """GET: open ones, oldest first; ?all=1 closed ones too, ?mine=1 only this node's."""
        flags = read_flags(request, ("mine", "all"))
        node = self._get_node()
        state, now_ms = node.engine.state, node.clock.now_ms()
        wanted = state.every(self._kind) if "all" in flags else state.unsettled(self._kind, now_ms)
        views = await each(wanted, partial(self._view, node))
        if "mine" in flags:
            views = [item for item in views if item["mine"]]
        if "all" not in flags:
            views = [item for item in views if item["open"]]
        return web.json_response({"items": views})

    async def add(self, request: web.Request) -> web.Response:
        """POST: publish one; answers once it is on disk."""
        body = {**self._defaults, **await read_body(request, REQUIRED, self._optional)}
        node = self._get_node()
        record = await node.publish(self._name, content_of(node.engine.state, body))
        return web.json_response({"id": to_text("record", record)}, status=201)

    async def show(self, request: web.Request) -> web.Response:
        """GET {id}: one, with its grants, and with the rights to it or the claims of it."""
        read_flags(request, ())
        node = self._get_node()
        state = node.engine.state
        thing = find(state, request.match_info["id"], self._kind)
        more = related(state, thing.id, node.engine.key)
        more["frozen"] = node.engine.is_frozen(thing.id)
        return web.json_response({**self._view(node, thing), **more})

    async def withdraw(self, request: web.Request) -> web.Response:
        """POST {id}/withdraw: take back what is left; promises that were made stand."""
        body = await read_body(request, {}, {"reason": str, "met_elsewhere": bool})
        node = self._get_node()
        thing = self._own(node, request)
        record = await node.publish("withdraw", content_of(node.engine.state, body), (thing.id,))
        return web.json_response({"id": to_text("record", record)}, status=201)

    async def renew(self, request: web.Request) -> web.Response:
        """POST {id}/renew: let it go on, or add to it; it keeps its place in the queue."""
        body = await read_body(request, {}, RENEWABLE)
        node = self._get_node()
        thing = self._own(node, request)
        if "quantity" in body and not self._view(node, thing).get("renewing"):
            message = f"Nothing can be added to this {self._name}."
            action = "Only what was offered as renewing grows; else make a new one."
            raise RequestError(message, action, code="renewing", status=409)
        record = await node.publish("renew", content_of(node.engine.state, body), (thing.id,))
        return web.json_response({"id": to_text("record", record)}, status=201)

    def _own(self, node: Node, request: web.Request) -> Statement[T]:
        """Return the thing that a call names, which is this node's and was not withdrawn.

        Raises:
            RequestError: it is neither.
        """
        thing = find(node.engine.state, request.match_info["id"], self._kind)
        message = f"This {self._name} is another collective's."
        require_own(thing.author, node.engine.key, message)
        if self._view(node, thing)["withdrawn"]:
            message = f"This {self._name} was withdrawn already."
            raise RequestError(message, code="withdrawn", status=409)
        return thing

    def _view(self, node: Node, thing: Statement[T]) -> Json:
        return self._show(node.engine.state, thing, node.engine.key, node.clock.now_ms())


def offer_routes(get_node: GetNode) -> ThingRoutes[Offer]:
    """Return the handlers of /v1/offers."""
    return ThingRoutes(get_node, "offer", Offer, offer_view, OFFER_ONLY, {})


def request_routes(get_node: GetNode) -> ThingRoutes[Request]:
    """Return the handlers of /v1/requests."""
    defaults: dict[str, object] = {"urgency": "anytime"}
    return ThingRoutes(get_node, "request", Request, request_view, REQUEST_ONLY, defaults)


def content_of(state: State, body: dict[str, object]) -> dict[str, Value]:
    """Return the content of a record from a request's checked fields; places are made coarse.

    Names and ids become keys; what else is in lists is left to the record's own checks.

    Raises:
        RequestError: the place is not lat_e7 and lon_e7, perhaps cell_e7; nobody has a name.
    """
    content: dict[str, Value] = {}
    for name, value in body.items():
        if isinstance(value, dict):
            content |= place_content(snap(*_point(value)))
        elif name in ("audience", "guardians") and isinstance(value, list):
            content[name] = tuple(sorted({find_member(state, str(item)) for item in value}))
        elif name == "on_behalf_of":
            content[name] = find(state, str(value), Party).id
        else:
            content[name] = _frozen(value)
    return content


def _frozen(value: object) -> Value:
    """Return a value of JSON as records hold it, with tuples for lists."""
    return tuple(map(_frozen, value)) if isinstance(value, list) else cast("Value", value)


def _point(place: dict[str, object]) -> tuple[int, int, int]:
    """Return latitude, longitude and cell of a place, each in 1e-7 degrees."""
    lat, lon, cell = place.get("lat_e7"), place.get("lon_e7"), place.get("cell_e7", CELL_MIN_E7)
    is_known = set(place) <= {"lat_e7", "lon_e7", "cell_e7"}
    if type(lat) is not int or type(lon) is not int or type(cell) is not int or not is_known:
        raise RequestError(
            "A place is {lat_e7, lon_e7} in 1e-7 degrees, perhaps with cell_e7.", code="field"
        )
    if cell <= 0:
        raise RequestError("cell_e7 must be positive.", code="field")
    return lat, lon, cell
