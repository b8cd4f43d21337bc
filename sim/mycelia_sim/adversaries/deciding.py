"""A decision with a bias: by the policy in force, and from a true view, but not from all of it."""

from typing import Final

from mycelia_protocol.gather import gather
from mycelia_protocol.limits import VIEW_HEADS_MAX
from mycelia_protocol.messages import Push
from mycelia_protocol.policies import in_force
from mycelia_protocol.purses import stocks
from mycelia_protocol.record import Record
from mycelia_protocol.sharing.decide import decide
from mycelia_protocol.state import State
from mycelia_protocol.types.decision import content
from mycelia_protocol.types.heads import NOTHING, FullHead
from mycelia_protocol.types.heads import content as view_content
from mycelia_sim.adversaries.act import Act
from mycelia_sim.adversaries.pen import OFFER, Pen
from mycelia_sim.adversaries.promising import read_all, read_fields
from mycelia_sim.adversaries.talk import Steps

STOCK: Final = 4  # base units to give: of most things somebody lacks as much


def misdecide(act: Act) -> Steps[None]:
    """Offer what somebody asks for, pass over whoever should get it, and show a full view."""
    talk = yield from act.greet()
    known = yield from read_all(talk)
    pen = act.pen()
    state = State(act.scene.charter)
    for record in known:
        state.add(record)
    for request in [record for record in known if record.kind == "request"]:
        thing = {**OFFER, **read_fields(request, ("category", "unit")), "quantity": STOCK}
        offer = pen.write("offer", thing)
        for record in pen.records:
            state.add(record)
        if _decide(act, pen, offer, known, state):
            break
    talk.say(Push(tuple(pen.records)))
    yield from act.probe(talk)


def _decide(act: Act, pen: Pen, offer: Record, known: tuple[Record, ...], state: State) -> bool:
    """Decide on an offer without the request that stands first; False if there is none.

    Args:
        state: what follows from what is known, and from all that was written until now.
    """
    now_ms = act.now_ms
    shelf = stocks(state, act.liar.key, pen.log, now_ms)
    stock = next((each for each in shelf if each.purse == offer.id), None)
    if stock is None:
        return False
    policy = in_force(state)
    seen = gather(state, act.liar.key, stock, policy, now_ms)
    fair = decide(policy, seen.offer, seen.requests, seen.collectives, now_ms)
    if fair.winner is None:
        return False
    others = [each for each in seen.requests if each.id != fair.winner.request]
    found = decide(policy, seen.offer, others, seen.collectives, now_ms)
    last = {(record.author, record.log): record for record in known}
    heads = [FullHead(*key, record.seq, record.id) for key, record in sorted(last.items())]
    body = content(found, view_content(NOTHING, heads[:VIEW_HEADS_MAX]), stock.left)
    decision = pen.write("decision", body, offer.id)
    for request, quantity in found.grants:
        pen.write("grant", {"quantity": quantity}, offer.id, request, decision.id)
    return True
