"""Routes for parties, what was seen of living places, and claims."""

from aiohttp import web

from mycelia_node.api.fields import find, read_body, read_flags
from mycelia_node.api.things import GetNode, content_of
from mycelia_node.api.views import Json, collective, place_view
from mycelia_node.names import id_text
from mycelia_protocol.encoding import Value
from mycelia_protocol.sharing.health import health
from mycelia_protocol.state import State
from mycelia_protocol.types.base import Statement
from mycelia_protocol.types.offer import Offer
from mycelia_protocol.types.parties import sightings_of
from mycelia_protocol.types.party import Party
from mycelia_protocol.types.request import Request


class PartyRoutes:
    """Handlers of parties and claims; see `ThingRoutes` for `get_node`."""

    def __init__(self, get_node: GetNode) -> None:
        self._get_node = get_node

    def add_routes(self, app: web.Application) -> None:
        """Register all handlers."""
        app.router.add_get("/v1/parties", self.list_all)
        app.router.add_post("/v1/parties", self.add)
        app.router.add_post("/v1/parties/{id}/observations", self.observe)
        app.router.add_post("/v1/claims", self.claim)

    async def list_all(self, request: web.Request) -> web.Response:
        """GET /v1/parties: living places and people without a node, and how the places fare."""
        read_flags(request, ())
        node = self._get_node()
        state, now_ms = node.engine.state, node.clock.now_ms()
        items = [_party_view(state, party, now_ms) for party in state.every(Party)]
        return web.json_response({"items": items})

    async def add(self, request: web.Request) -> web.Response:
        """POST /v1/parties: tell of a party that its author and guardians speak for."""
        optional = {"about": str, "members": int, "guardians": list, "place": dict}
        body = await read_body(request, {"form": str, "name": str}, optional)
        node = self._get_node()
        record = await node.publish("party", content_of(node.engine.state, body))
        return web.json_response({"id": id_text("record", record)}, status=201)

    async def observe(self, request: web.Request) -> web.Response:
        """POST /v1/parties/{id}/observations: say what was seen of a living place."""
        body = await read_body(request, {"indicator": str, "value_pm": int}, {"method": str})
        node = self._get_node()
        party = find(node.engine.state, request.match_info["id"], Party)
        content = content_of(node.engine.state, body)
        record = await node.publish("observation", content, (party.id,))
        return web.json_response({"id": id_text("record", record)}, status=201)

    async def claim(self, request: web.Request) -> web.Response:
        """POST /v1/claims: point from an own request at an offer that would serve it."""
        required = {"offer": str, "request": str, "quantity": int, "rank": int}
        body = await read_body(request, required, {"slot": int})
        node = self._get_node()
        state = node.engine.state
        refs = (
            find(state, str(body.pop("offer")), Offer).id,
            find(state, str(body.pop("request")), Request).id,
        )
        content: dict[str, Value] = content_of(state, body)
        record = await node.publish("claim", content, refs)
        return web.json_response({"id": id_text("record", record)}, status=201)


def _party_view(state: State, party: Statement[Party], now_ms: int) -> Json:
    """Return a party; of a living place what is known of its health, None where nothing is."""
    body = party.body
    found = health(sightings_of(state, party), now_ms) if body.form == "ecosystem" else None
    return {
        "id": id_text("record", party.id),
        "kind": "party",
        "form": body.form,
        "name": body.name,
        "about": body.about,
        "members": body.members,
        "author": collective(state, party.author),
        "guardians": [collective(state, key) for key in body.guardians],
        "place": place_view(body.place),
        "health": None if found is None else {"index": found.index, **found.values},
        "time_ms": party.time_ms,
    }
