"""Scenes of what comes after a promise: receipts, disputes, renewals, parties, observations."""

from typing import Final

from mycelia_protocol.encoding import Value
from mycelia_protocol.record import Record
from vectors.cast import WATER, Cast, scenes
from vectors.chains import Writer
from vectors.suite import KEYS


def accepted(cast: Cast, quantity: int = 5_000) -> Record:
    """Return a grant of mill's that oak accepted."""
    grant = cast.grant(cast.offer(quantity, 1), cast.request(quantity), quantity)
    cast.answer(grant)
    return grant


def correct(cast: Cast, wrong: Record, side: str, quantity: int, writer: Writer) -> Record:
    """Let somebody correct a receipt."""
    content: dict[str, Value] = {"side": side, "quantity": quantity}
    grant = next(record for record in cast.records() if record.id == wrong.refs[0])
    return writer.write("receipt", content, grant, wrong)


def lent_and_back(cast: Cast) -> None:
    """What is returned counts once its owner says so; that the borrower brought it is told."""
    for brings, has_it in ((False, False), (True, False), (True, True), (False, True)):
        grant = accepted(cast)
        cast.receipt(grant, "handed")
        cast.receipt(grant, "received")
        if brings:
            cast.receipt(grant, "returned", 5_000, cast.oak)
        if has_it:
            cast.receipt(grant, "returned", 4_000, cast.mill)


def corrected(cast: Cast) -> None:
    """A receipt corrects an earlier one of its side and author, and can be corrected itself."""
    grant, other = accepted(cast), accepted(cast)
    wrong = cast.receipt(grant, "handed", 500)
    second = correct(cast, wrong, "handed", 5_000, cast.mill)
    correct(cast, second, "handed", 4_900, cast.mill)
    cast.receipt(grant, "handed", 1)
    taken = cast.receipt(grant, "received", 4_000)
    correct(cast, wrong, "received", 4_900, cast.oak)
    correct(cast, taken, "received", 4_800, cast.elm)
    foreign = cast.receipt(other, "handed", 3_000)
    cast.mill.write("receipt", {"side": "handed", "quantity": 7}, grant, foreign)


def handed_after_all(cast: Cast) -> None:
    """What turns out not to have been handed over can be taken back, from then on."""
    grant = accepted(cast)
    wrong = cast.receipt(grant, "handed")
    cast.mill.write("withdraw", {}, grant)
    correct(cast, wrong, "handed", 0, cast.mill)
    cast.grant(cast.offer(), cast.request(), 5_000)
    cast.mill.write("withdraw", {}, grant)
    second = accepted(cast)
    wrong = cast.receipt(second, "handed")
    correct(cast, wrong, "handed", 0, cast.mill)
    cast.mill.write("withdraw", {}, second)


def disputed(cast: Cast) -> None:
    """A dispute by one of both sides stands until its author withdraws it; others' are nothing."""
    grants = [accepted(cast) for _ in range(4)]
    cast.receipt(grants[0], "handed")
    cast.oak.write("dispute", {"matter": "not-received"}, grants[0])
    mine = cast.mill.write("dispute", {"matter": "not-returned"}, grants[1])
    cast.mill.write("withdraw", {}, mine)
    cast.elm.write("dispute", {"matter": "other"}, grants[2])
    theirs = cast.oak.write("dispute", {"matter": "damaged"}, grants[3])
    cast.mill.write("withdraw", {}, theirs)


def renewed(cast: Cast) -> None:
    """Times follow the last renewal by the author before its withdrawal, each for itself."""
    offer, request = cast.offer(), cast.request()
    cast.mill.write("renew", {"expires_ms": 5_000, "until_ms": 4_000}, offer)
    cast.mill.write("renew", {"expires_ms": 9_000}, offer)
    cast.oak.write("renew", {"expires_ms": 1}, offer)
    cast.oak.write("renew", {"needed_by_ms": 7_000}, request)
    cast.oak.write("withdraw", {"met_elsewhere": True}, request)
    cast.oak.write("renew", {"needed_by_ms": 8_000}, request)


def refilled(cast: Cast) -> None:
    """More of a renewing offer counts from its place on, in whole lots, until the withdrawal."""
    content: dict[str, Value] = {**WATER, "quantity": 2_000, "lot": 1_000, "renewing": True}
    tap, request = cast.mill.write("offer", content), cast.request(20_000)
    cast.grant(tap, request, 3_000)
    for quantity in (3_000, 500):
        cast.mill.write("renew", {"quantity": quantity}, tap)
    cast.grant(tap, request, 4_000)
    cast.elm.write("renew", {"quantity": 1_000}, tap)
    cast.mill.write("withdraw", {}, tap)
    cast.mill.write("renew", {"quantity": 1_000}, tap)
    usual = cast.offer()
    cast.mill.write("renew", {"quantity": 1_000}, usual)


def orchard(cast: Cast) -> None:
    """An orchard gives through its guardians, and what people saw of it counts till taken back."""
    content: dict[str, Value] = {"form": "ecosystem", "name": "Orchard", "guardians": [KEYS["oak"]]}
    trees = cast.mill.write("party", content)
    street = cast.mill.write("party", {"form": "people", "name": "Number 12"})
    for writer in (cast.oak, cast.elm):
        apples: dict[str, Value] = {**WATER, "quantity": 5, "on_behalf_of": trees.id}
        writer.write("offer", apples)
    seen: dict[str, Value] = {"indicator": "canopy", "value_pm": 700}
    for writer, place in ((cast.elm, trees), (cast.oak, trees), (cast.elm, street)):
        writer.write("observation", seen, place)
    cast.elm.write("withdraw", {}, cast.elm.write("observation", seen, trees))


SCENES: Final = scenes(
    ("RECEIPT-1", ("Promise",), lent_and_back),
    ("RECEIPT-1", ("Promise", "Ignored"), corrected),
    ("RECEIPT-1 GRANT-2", ("Promise",), handed_after_all),
    ("DISPUTE-1", ("Promise", "Ignored"), disputed),
    ("RENEW-2", ("Promise", "Ignored"), renewed),
    ("RENEW-2 ESC-3", ("Promise", "Violation"), refilled),
    ("PARTY-2 OBS-1", ("Party",), orchard),
)
