"""Route for what links that came back have brought."""

import asyncio

from aiohttp import web

from mycelia_node.api.fields import read_moment
from mycelia_node.api.things import GetNode
from mycelia_node.api.views import Json, collective, grant_view, request_view, rights_view
from mycelia_node.names import id_text
from mycelia_node.node import Node
from mycelia_node.reunions import Reunion
from mycelia_protocol.merging import Came, MergeReport, Told, merge_report
from mycelia_protocol.state import State
from mycelia_protocol.types.base import Statement
from mycelia_protocol.types.grant import Grant
from mycelia_protocol.types.offer import Offer
from mycelia_protocol.types.request import Request
from mycelia_protocol.types.returns import Return
from mycelia_protocol.types.rights import Rights


class MergedRoutes:
    """Handler of the merge report; see `ThingRoutes` for `get_node`."""

    def __init__(self, get_node: GetNode) -> None:
        self._get_node = get_node

    def add_routes(self, app: web.Application) -> None:
        """Register the handler."""
        app.router.add_get("/v1/merged", self.show)

    async def show(self, request: web.Request) -> web.Response:
        """GET /v1/merged: what came by each neighbour since links last came back.

        With ?since_ms=TIME since then. `since_ms` of the answer is null if no link ever came back.
        """
        node = self._get_node()
        asked_ms = read_moment(request, "since_ms")
        back = node.reunions.latest() if asked_ms is None else node.reunions.since(asked_ms)
        since_ms = asked_ms
        if since_ms is None:
            since_ms = min((each.at_ms for each in back.values()), default=None)
        now_ms = node.clock.now_ms()
        came: list[Came] = []
        if since_ms is not None:
            runs = await asyncio.wrap_future(node.store.load_arrivals(since_ms, now_ms))
            came = [Came(r.source, r.author, r.log, r.first, r.last) for r in runs]
        own = None if since_ms is None else (node.engine.key, since_ms)
        report = merge_report(node.engine.state, came, now_ms, own)
        return web.json_response(
            {"since_ms": since_ms, "until_ms": now_ms, **_view(node, report, back, now_ms)}
        )


def _view(node: Node, report: MergeReport, back: dict[bytes, Reunion], now_ms: int) -> Json:
    state, key = node.engine.state, node.engine.key
    quiet = [Told(each, 0, (), (), (), ()) for each in back]
    known = {told.source for told in report.neighbours}
    told = [*report.neighbours, *(each for each in quiet if each.source not in known)]
    return {
        "neighbours": [_neighbour(state, each, back.get(each.source)) for each in told],
        "contested": [grant_view(state, each, key) for each in report.contested],
        "returned": [_returned(state, each, key) for each in report.returned],
        "overdue": [rights_view(state, each, key) for each in report.overdue],
        "unmet": [request_view(state, each, key, now_ms) for each in report.unmet],
        "forked": [_forked(state, each) for each in report.forked],
        "forks": [
            {**collective(state, whose), "log": id_text("log", log)} for whose, log in report.forks
        ],
    }


def _neighbour(state: State, told: Told, reunion: Reunion | None) -> Json:
    return {
        **collective(state, told.source),
        "back_ms": None if reunion is None else reunion.at_ms,
        "apart_ms": None if reunion is None else reunion.apart_ms,
        "records": told.records,
        "authors": [collective(state, author) for author in told.authors],
        "offers": [id_text("record", each) for each in told.offers],
        "requests": [id_text("record", each) for each in told.requests],
        "grants": [id_text("record", each) for each in told.grants],
    }


def _forked(state: State, grant: Statement[Grant]) -> Json:
    """Return what a grant promised that counts for nothing, as far as it is here."""
    purse, wanted = grant.refs[0], state.find(grant.refs[1], Request)
    known = state.find(purse, Offer) or state.set_aside(purse)
    offer = known.body if known is not None and isinstance(known.body, Offer) else None
    return {
        "id": id_text("record", grant.id),
        "provider": collective(state, grant.author),
        "requester": collective(state, wanted.author) if wanted else None,
        "quantity": grant.body.quantity,
        "unit": offer.unit if offer else None,
        "title": (offer.title or offer.category) if offer else None,
    }


def _returned(state: State, back: Statement[Return], own_key: bytes) -> Json:
    """Return what came back, and the rights that it was of, if they are here."""
    rights = state.find(back.refs[0], Rights)
    return {
        "id": id_text("record", back.id),
        "quantity": back.body.quantity,
        "holder": collective(state, back.author),
        "rights": None if rights is None else rights_view(state, rights, own_key),
    }
