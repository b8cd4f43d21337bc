"""Promises that cannot be kept, and times that have not come."""

from typing import Final

from mycelia_protocol.encoding import Value
from mycelia_protocol.errors import MyceliaError
from mycelia_protocol.events import Range
from mycelia_protocol.limits import INT_MAX, QUANTITY_MAX, WANTS_PER_FRAME_MAX
from mycelia_protocol.messages import Push
from mycelia_protocol.record import Record
from mycelia_sim.adversaries.act import Act
from mycelia_sim.adversaries.pen import OFFER, REQUEST, Pen
from mycelia_sim.adversaries.talk import Steps, Talk

STOCK: Final = 10  # base units that the overdrawn offer has
GRANTED: Final = 8  # by each grant: the second is one too many
GRANTS: Final = 4
LISTEN_MS: Final = 3_000  # for grants to the own request
TEN_YEARS_MS: Final = 315_360_000_000


def overdraw(act: Act) -> Steps[None]:
    """Promise more of an offer than there is, and accept more than was asked for."""
    talk = yield from act.greet()
    known = yield from read_all(talk)
    pen = act.pen()
    _overgrant(pen, known)
    _grant_from_others(pen, known)
    asked = _ask(pen, known)
    talk.say(Push(tuple(pen.records)))
    yield from act.sleep(LISTEN_MS)
    sent = len(pen.records)
    _overaccept(pen, asked, talk.pushed)
    if pen.records[sent:]:
        talk.say(Push(tuple(pen.records[sent:])))
    yield from act.probe(talk)


def future_time(act: Act) -> Steps[None]:
    """Write at the end of time, in ten years, and at its beginning; all of it is valid."""
    talk = yield from act.greet()
    pen = act.pen()
    for time_ms in (INT_MAX, act.now_ms + TEN_YEARS_MS, 0):
        pen.write("offer", {**OFFER, "expires_ms": time_ms}, time_ms=time_ms)
        pen.write("request", {**REQUEST, "needed_by_ms": time_ms}, time_ms=time_ms)
        pen.write("profile", {"name": "Tomorrow"}, time_ms=time_ms)
    talk.say(Push(tuple(pen.records)))
    yield from act.probe(talk)


def read_all(talk: Talk) -> Steps[tuple[Record, ...]]:
    """Return what one answer of the target holds of its logs."""
    ranges = [
        Range(*key, 0, entry.next_seq - 1)
        for key, entry in sorted(talk.heads.items())[:WANTS_PER_FRAME_MAX]
    ]
    return (yield from talk.fetch(ranges))


def _overgrant(pen: Pen, known: tuple[Record, ...]) -> None:
    """Grant out of one small offer for each of some requests, and once more than there is.

    Then give away rights to what is gone, spend and return them in the holder's place, and count
    on that.
    """
    for request in [record for record in known if record.kind == "request"][:GRANTS]:
        thing = {**OFFER, **read_fields(request, ("category", "unit")), "quantity": STOCK, "lot": 1}
        offer = pen.write("offer", thing)
        for quantity in (GRANTED, GRANTED, QUANTITY_MAX):
            pen.write("grant", {"quantity": quantity}, offer.id, request.id)
        rights: dict[str, Value] = {"to": request.author, "log": request.log, "quantity": STOCK}
        given = pen.write("rights", rights, offer.id)
        pen.write("grant", {"quantity": GRANTED}, given.id, request.id)
        back = pen.write("return", {"quantity": STOCK}, given.id)
        pen.write("grant", {"quantity": STOCK}, offer.id, request.id, back.id)


def _grant_from_others(pen: Pen, known: tuple[Record, ...]) -> None:
    """Grant out of offers of other authors."""
    requests = [record for record in known if record.kind == "request"]
    offers = [record for record in known if record.kind == "offer"]
    for offer, request in zip(offers[:GRANTS], requests[:GRANTS], strict=False):
        pen.write("grant", {"quantity": GRANTED}, offer.id, request.id)


def _ask(pen: Pen, known: tuple[Record, ...]) -> list[Record]:
    """Request what others offer."""
    asked = []
    for offer in [record for record in known if record.kind == "offer"][:GRANTS]:
        thing = read_fields(offer, ("category", "unit", "quantity"))
        asked.append(pen.write("request", {**REQUEST, **thing}, time_ms=0))
    return asked


def _overaccept(pen: Pen, asked: list[Record], pushed: list[Record]) -> None:
    """Accept every grant that came, confirm more than was given, then take it back, and again."""
    own = {request.id for request in asked}
    for grant in [one for one in pushed if one.kind == "grant" and own.intersection(one.refs)]:
        pen.write("answer", {"accept": True}, grant.id)
        pen.write("receipt", {"side": "received", "quantity": QUANTITY_MAX}, grant.id)
        pen.write("answer", {"accept": False}, grant.id)
        pen.write("answer", {"accept": True}, grant.id)
    for request in asked:
        pen.write("withdraw", {}, request.id)


def read_fields(record: Record, fields: tuple[str, ...]) -> dict[str, Value]:
    """Return some fields of a record's body, as far as they are there."""
    try:
        content = record.content
    except MyceliaError:
        return {}
    return {f: content[f] for f in fields if f in content} if isinstance(content, dict) else {}
