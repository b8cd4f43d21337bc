"""The route that lets go of the words of own records."""

from aiohttp import web

from mycelia_node.api.fields import find_record, read_body, require_own
from mycelia_node.api.things import GetNode
from mycelia_node.errors import RequestError
from mycelia_node.names import id_text
from mycelia_node.node import Node
from mycelia_protocol.tidying import Use, erasures, use_of
from mycelia_protocol.types.base import Statement, without_words

IDS_MAX = 256  # in one call
WHY_NOT: dict[Use, tuple[str, str]] = {
    "open": ("is open, and its words are what others go by", "Withdraw it first."),
    "promised": (
        "is promised to somebody, and not handed over yet",
        "Wait until it is received, or take the promise back.",
    ),
    "disputed": ("still stands", "Withdraw it first."),
    "current": (
        "is what others know this node by",
        "Change the profile first; what it said before can go then.",
    ),
}


class EraseRoutes:
    """The handler; see `ThingRoutes` for `get_node`."""

    def __init__(self, get_node: GetNode) -> None:
        self._get_node = get_node

    def add_routes(self, app: web.Application) -> None:
        """Register it."""
        app.router.add_post("/v1/erase", self.erase)

    async def erase(self, request: web.Request) -> web.Response:
        """POST /v1/erase: let go of the words of some records, here and everywhere, for good.

        `ids` names them. Answers once they are gone from this disk, with the ids of the erasures
        and of what they erased; what was erased before is left out.
        """
        body = await read_body(request, {"ids": list})
        ids = body["ids"]
        assert isinstance(ids, list)
        if not 1 <= len(ids) <= IDS_MAX:
            raise RequestError(f"ids are 1 to {IDS_MAX} ids of records.", code="field")
        node = self._get_node()
        found = [own_statement(node, str(item)) for item in dict.fromkeys(ids)]
        fresh = [one for one in found if not is_erased(node, one)]
        if not fresh:
            raise RequestError("These words are erased already.", code="erased", status=409)
        for one in fresh:
            check_is_over(node, one)
        drafts = list(erasures((one.log, one.order[2]) for one in fresh))
        written = [await node.publish(draft.kind, draft.content) for draft in drafts]
        answer = {
            "ids": [id_text("record", record) for record in written],
            "erased": [id_text("record", one.id) for one in fresh],
        }
        return web.json_response(answer, status=201)


def own_statement(node: Node, text: str) -> Statement[object]:
    """Return the record of this node that an id stands for, also one of a contested log.

    Raises:
        RequestError: it is unknown, or another collective's.
    """
    state = node.engine.state
    record = find_record(state, text)
    statement = state.statement(record) or state.set_aside(record)
    assert statement is not None  # ids are looked up among both
    message = f"This {statement.kind} is another collective's: only its author can erase its words."
    require_own(statement.author, node.engine.key, message)
    return statement


def is_erased(node: Node, statement: Statement[object]) -> bool:
    """Return whether the words of a statement are to go, by its author's wish."""
    key = (statement.author, statement.log)
    return node.engine.replicate.erasures.is_erased(key, statement.order[2])


def check_is_over(node: Node, statement: Statement[object]) -> None:
    """Raise a RequestError if the words of a statement are needed, or if it has none."""
    name = id_text("record", statement.id)
    if without_words(statement.body) == statement.body:
        message = f"There are no words in {name}, a record of kind {statement.kind}."
        raise RequestError(message, "What counts can't be erased.", code="no-words", status=409)
    state = node.engine.state
    if state.statement(statement.id) is None:
        return  # of a contested log: nobody goes by it
    use = use_of(state, statement, node.clock.now_ms())
    if use is not None:
        why, action = WHY_NOT[use]
        message = f"The {statement.kind} {name} {why}."
        raise RequestError(message, action, code=use, status=409)
