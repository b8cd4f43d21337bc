"""Routes for the policy by which offers are given away, and for why somebody stands first."""

import asyncio
import contextlib
from typing import Any, cast

from aiohttp import web

from mycelia_node.api.fields import find, find_record, read_body
from mycelia_node.api.things import GetNode
from mycelia_node.api.views import Json
from mycelia_node.auditing.reading import baseline_name
from mycelia_node.auditing.stacks import Stacks
from mycelia_node.errors import RequestError
from mycelia_node.names import id_text, name_of
from mycelia_node.node import Node
from mycelia_node.quantity import format_quantity
from mycelia_protocol.approvals import approval_of
from mycelia_protocol.archive import Archive
from mycelia_protocol.encoding import Value, decode
from mycelia_protocol.errors import MyceliaError
from mycelia_protocol.gather import gather
from mycelia_protocol.limits import POLICY_SIZE_MAX
from mycelia_protocol.policies import in_force
from mycelia_protocol.purses import stocks
from mycelia_protocol.recompute import Finding, Recomputing
from mycelia_protocol.sharing.baselines import BASELINES, baseline, document
from mycelia_protocol.sharing.change import Inputs, changes
from mycelia_protocol.sharing.decide import Decision, settle
from mycelia_protocol.sharing.explain import Words, explain
from mycelia_protocol.sharing.judge import judge
from mycelia_protocol.sharing.policy import FACTORS, Policy, write_policy
from mycelia_protocol.state import State
from mycelia_protocol.types.base import Statement
from mycelia_protocol.types.decision import Decided
from mycelia_protocol.types.grant import Grant
from mycelia_protocol.types.offer import Offer
from mycelia_protocol.types.parties import side_of
from mycelia_protocol.types.party import Party
from mycelia_protocol.types.policy import Proposed
from mycelia_protocol.types.request import Request


class PolicyRoutes:
    """Handlers of policies; see `ThingRoutes` for `get_node`."""

    def __init__(self, get_node: GetNode) -> None:
        self._get_node = get_node

    def add_routes(self, app: web.Application) -> None:
        """Register all handlers."""
        app.router.add_get("/v1/policy", self.show)
        app.router.add_post("/v1/policy", self.set)
        app.router.add_get("/v1/policies", self.list_baselines)
        app.router.add_get("/v1/offers/{id}/why", self.why)
        app.router.add_get("/v1/decisions/{id}/why", self.why_decided)

    async def show(self, request: web.Request) -> web.Response:
        """GET /v1/policy: the policy in force, with its whole document."""
        state = self._get_node().engine.state
        policy = in_force(state)
        kept = _document_of(state, policy)
        told = (
            document("fifo") if kept is None else decode(kept, size_max=POLICY_SIZE_MAX, maps=True)
        )
        return web.json_response({**policy_view(policy), "document": _plain(told)})

    async def set(self, request: web.Request) -> web.Response:
        """POST /v1/policy: put a baseline, or a document, in force; the founder alone can."""
        body = await read_body(request, {}, {"baseline": str, "document": dict})
        if len(body) != 1:
            raise RequestError("Name either a baseline or a document.", code="policy")
        node = self._get_node()
        state = node.engine.state
        founder = state.charter.founder
        if founder != node.engine.key:
            raise RequestError(
                f"{name_of(state, founder)} founded this commons, and alone can set its policy.",
                "Ask there; votes of all members come with a later version.",
                status=403,
                code="not-founder",
            )
        if "baseline" in body:
            told = document(baseline_name(str(body["baseline"])))
        else:
            told = cast("dict[str, Value]", body["document"])
        before = in_force(state)
        is_first = _document_of(state, before) is None
        told |= {
            "epoch": 0 if is_first else before.epoch + 1,
            "previous": None if is_first else before.id,
        }
        try:
            data = write_policy(told)
        except MyceliaError as error:
            raise RequestError(f"This is no policy: {error}.", code="policy") from error
        record = await node.publish("policy", {"document": data})
        return web.json_response({"id": id_text("record", record)}, status=201)

    async def list_baselines(self, request: web.Request) -> web.Response:
        """GET /v1/policies: the policies that every node knows."""
        items = [{"baseline": name, **policy_view(baseline(name))} for name in BASELINES]
        return web.json_response({"items": items})

    async def why(self, request: web.Request) -> web.Response:
        """GET /v1/offers/{id}/why: who would get what is left now, why, and what would change it.

        With ?policy=NAME by that baseline instead of the policy in force.
        """
        asked = request.query.get("policy")
        node = self._get_node()
        state, now_ms = node.engine.state, node.clock.now_ms()
        offer = find(state, request.match_info["id"], Offer)
        policy = in_force(state) if asked is None else baseline(baseline_name(asked))
        parts = [
            {
                "slot": stock.slot,
                **explained(state, gather(state, offer.author, stock, policy, now_ms)),
            }
            for stock in stocks(state, offer.author, None, now_ms)
            if stock.purse == offer.id
        ]
        return web.json_response({"policy": policy_view(policy), "parts": parts})

    async def why_decided(self, request: web.Request) -> web.Response:
        """GET /v1/decisions/{id}/why: the same of a decision, from what its author knew then.

        A grant stands for the decision that it names.
        """
        node = self._get_node()
        state = node.engine.state
        decision = _decision_of(state, find_record(state, request.match_info["id"]))
        key = (decision.author, decision.log)
        finding = await asyncio.to_thread(_recomputed, node, key, decision.id)
        if finding is None or finding.inputs is None:
            missing = "; ".join(finding.missing + finding.faults) if finding else "its log"
            raise RequestError(
                f"What it was decided from is not all here: {missing}.",
                "Wait until this node has caught up.",
                code="missing",
                status=409,
            )
        override = decision.body.override
        said = explained(state, finding.inputs)
        if override is not None:
            who = name_of(state, override.approver)
            said_so = "agreed to it" if approval_of(state, decision) else "did not say so itself"
            text = f"A person decided otherwise: {override.reason}. "
            text += f"{who} is named as approver, and {said_so}."
            said["sentences"] = [text, *said["sentences"]]
        parts = [{"slot": decision.body.slot, **said, "faults": list(finding.faults)}]
        return web.json_response({"policy": policy_view(finding.inputs.policy), "parts": parts})


def _recomputed(node: Node, key: tuple[bytes, bytes], decision: bytes) -> Finding | None:
    """Make one decision once more, and those before it in its log."""
    charter = node.engine.state.charter
    with contextlib.closing(Stacks(node.home.database, charter.commons)) as stacks:
        if key not in stacks.logs:
            return None
        found = Recomputing(charter, Archive(stacks), [key]).findings()
        return next((each for each in found if each.decision == decision), None)


def _decision_of(state: State, record: bytes) -> Statement[Decided]:
    """Return a decision, or the one that a grant names."""
    promise = state.find(record, Grant)
    for id_ in (record, *(() if promise is None else promise.refs[2:])):
        decision = state.find(id_, Decided)
        if decision is not None:
            return decision
    raise RequestError(
        "This is neither an offer nor a decision, nor a grant that names one.",
        "Grants by `fifo` follow from no decision; ask about their offer.",
        code="no-decision",
        status=404,
    )


def explained(state: State, inputs: Inputs) -> dict[str, Any]:
    """Return a decision from its inputs, in sentences and in numbers."""
    judgement = judge(
        inputs.policy, inputs.offer, inputs.requests, inputs.collectives, inputs.as_of_ms
    )
    decision = settle(judgement)
    words = Words(lambda id_: _whose(state, id_), lambda n: format_quantity(n, inputs.offer.unit))
    sentences = explain(judgement, decision, changes(inputs), words)
    return {"sentences": sentences, "decision": decision_view(decision)}


def policy_view(policy: Policy) -> Json:
    """Return what people compare of a policy."""
    return {
        "id": policy.id.hex(),
        "name": policy.name,
        "epoch": policy.epoch,
        "mode": policy.mode,
        "weights": dict(zip(FACTORS, policy.weights, strict=True)),
        "floors": list(policy.floors),
        "ecology_floor_pm": policy.ecology_floor_pm,
        "distance_max_m": policy.distance_max_m,
    }


def decision_view(decision: Decision) -> Json:
    """Return a decision with all its numbers."""
    return {
        "available": decision.available,
        "portion": decision.portion,
        "mean": decision.mean,
        "reserve": decision.reserve,
        "ground": decision.ground,
        "margin": decision.margin,
        "candidates": [
            {
                "request": id_text("record", each.request),
                "gates": list(each.gates),
                "measures": None if each.measures is None else each.measures._asdict(),
                "factors": None
                if each.factors is None
                else dict(zip(FACTORS, each.factors, strict=True)),
                "score": each.score,
                "given": each.given,
            }
            for each in decision.candidates
        ],
    }


def _document_of(state: State, policy: Policy) -> bytes | None:
    """Return the bytes of a policy that the founder put in force; None of a baseline."""
    proposed = state.by_author(state.charter.founder, Proposed)
    found = (each.body.document for each in proposed if each.body.policy.id == policy.id)
    return next(found, None)


def _whose(state: State, request: bytes) -> str:
    """Return whose a request is, in a word."""
    found = state.find(request, Request)
    assert found is not None
    side = side_of(state, found)
    party = state.find(side, Party)
    return name_of(state, side) if party is None else party.body.name


def _plain(value: object) -> object:
    """Return a document as JSON can hold it: bytes in hex."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, tuple | list) else value
