"""Scenes of rights: given, spent in one log, returned, and what nobody can make of them."""

from typing import Final

from mycelia_protocol.encoding import Value
from vectors.bodies import ROWS, decided
from vectors.cast import DRILL, WATER, Cast, scenes
from vectors.chains import Writer


def escrow(cast: Cast) -> None:
    """Oak grants from rights to mill's water as far as they reach, in its one log."""
    offer, request = cast.offer(20_000), cast.request(20_000, cast.elm)
    rights = cast.rights(offer, 10_000)
    grants = [cast.grant(rights, request, amount, cast.oak) for amount in (6_000, 5_000, 4_000)]
    for grant in grants:
        cast.answer(grant, writer=cast.elm)
    cast.receipt(grants[0], "handed", 6_000, cast.oak)
    cast.receipt(grants[0], "received", 6_000, cast.elm)
    cast.grant(offer, request, 10_000)
    cast.grant(offer, request, 1_000)


def void_rights(cast: Cast) -> None:
    """To oneself, of another's offer, in broken lots, of a spring, of rights: nothing holds."""
    offer = cast.offer(20_000)
    spring = cast.mill.write("offer", {**WATER, "quantity": 9_000, "inexhaustible": True})
    good = cast.rights(offer, 2_000)
    bad = [
        cast.rights(offer, 2_000, cast.mill),
        cast.rights(offer, 2_000, cast.elm, cast.oak),
        cast.rights(offer, 1_500),
        cast.rights(spring, 2_000),
        cast.rights(good, 2_000, cast.elm, cast.oak),
    ]
    for rights in bad:
        cast.grant(rights, cast.request(writer=cast.elm), 1_000, cast.oak)


def too_many_rights(cast: Cast) -> None:
    """Rights beyond what is left, or after the withdrawal, are overdrawn; their grants are void."""
    offer = cast.offer(10_000)
    rights = [cast.rights(offer, 6_000), cast.rights(offer, 5_000)]
    cast.mill.write("withdraw", {"reason": "the rest leaked"}, offer)
    rights.append(cast.rights(offer, 1_000))
    for each in rights:
        cast.grant(each, cast.request(writer=cast.elm), 1_000, cast.oak)


def wrong_log(cast: Cast) -> None:
    """Rights given to one log of oak can't be spent in another one, and can be returned from it."""
    second = Writer("oak", 1)
    cast.extra.append(second)
    offer = cast.offer(10_000)
    rights = cast.rights(offer, 6_000)
    cast.grant(rights, cast.request(writer=cast.elm), 1_000, cast.oak)
    second.begin(cast.oak.records[-1])
    cast.grant(rights, cast.request(writer=cast.elm), 1_000, second)
    back = second.write("return", {"quantity": 5_000}, rights)
    cast.grant(offer, cast.request(9_000, cast.elm), 9_000, cast.mill, back)


def returned_rights(cast: Cast) -> None:
    """What came back counts for mill from where it names it, once, and at most what it gave."""
    offer, request = cast.offer(10_000), cast.request(20_000, cast.elm)
    rights = cast.rights(offer, 10_000)
    cast.grant(offer, request, 1_000)
    backs = [cast.oak.write("return", {"quantity": n * 1_000}, rights) for n in (3, 4, 5)]
    cast.grant(offer, request, 2_000)
    cast.grant(offer, request, 3_000, cast.mill, backs[0])
    cast.grant(offer, request, 1_000, cast.mill, backs[0])
    cast.grant(offer, request, 4_000, cast.mill, backs[1], backs[2])
    cast.grant(offer, request, 1_000)


def false_returns(cast: Cast) -> None:
    """Returns by others, in broken lots, of rights that were never given: nothing comes of them."""
    offer, request = cast.offer(10_000), cast.request(20_000, cast.elm)
    rights, other = cast.rights(offer, 10_000), cast.rights(cast.offer(10_000), 10_000)
    backs = [
        cast.elm.write("return", {"quantity": 2_000}, rights),
        cast.oak.write("return", {"quantity": 500}, rights),
        cast.oak.write("return", {"quantity": 2_000}, other),
        cast.oak.write("return", {"quantity": 2_000}, offer),
    ]
    for back in backs[:3]:
        cast.grant(offer, request, 1_000, cast.mill, back)
    cast.grant(rights, request, 10_000, cast.oak, *backs)
    cast.grant(offer, request, 1_000, cast.mill, backs[3])


def return_first(cast: Cast) -> None:
    """Who returns what it had granted has overdrawn, and the issuer may rely on the return."""
    offer, request = cast.offer(10_000), cast.request(20_000, cast.elm)
    rights = cast.rights(offer, 10_000)
    cast.answer(cast.grant(rights, request, 6_000, cast.oak), writer=cast.elm)
    back = cast.oak.write("return", {"quantity": 10_000}, rights)
    cast.answer(cast.grant(offer, request, 10_000, cast.mill, back), writer=cast.elm)


def granted_and_returned(cast: Cast) -> None:
    """What was granted, taken back, and then returned was never overdrawn."""
    offer, request = cast.offer(10_000), cast.request(20_000, cast.elm)
    rights = cast.rights(offer, 10_000)
    grant = cast.grant(rights, request, 8_000, cast.oak)
    cast.oak.write("withdraw", {}, grant)
    cast.grant(rights, request, 1_000, cast.oak)
    back = cast.oak.write("return", {"quantity": 9_000}, rights)
    cast.grant(offer, request, 9_000, cast.mill, back)


def missing_return(cast: Cast) -> None:
    """A grant that names a return that is not here waits, unless enough is there without it."""
    offer, request = cast.offer(10_000), cast.request(20_000, cast.elm)
    rights = cast.rights(offer, 8_000)
    back = cast.oak.write("return", {"quantity": 8_000}, rights)
    cast.grant(offer, request, 1_000, cast.mill, back)
    cast.grant(offer, request, 5_000)
    cast.grant(offer, request, 1_000)
    cast.hidden = [back]


def missing_rights(cast: Cast) -> None:
    """A grant whose rights, or whose rights' offer, are not here waits."""
    offer, gone = cast.offer(10_000), cast.offer(10_000)
    request = cast.request(20_000, cast.elm)
    hidden, orphaned = cast.rights(offer, 4_000), cast.rights(gone, 4_000)
    cast.answer(cast.grant(hidden, request, 1_000, cast.oak), writer=cast.elm)
    cast.grant(orphaned, request, 1_000, cast.oak)
    cast.hidden = [hidden, gone]


def slots_in_escrow(cast: Cast) -> None:
    """Rights to a slot are spent in that slot alone."""
    slots: Value = [[1_000, 2_000], [2_000, 3_000]]
    loan = cast.mill.write("offer", {**DRILL, "terms": "lend", "quantity": 2, "slots": slots})
    content: dict[str, Value] = {**DRILL, "quantity": 4, "urgency": "week"}
    request = cast.elm.write("request", content)
    rights = cast.rights(loan, 1, slot=1)
    cast.rights(loan, 1)
    for slot in (0, 1, 1):
        cast.oak.write("grant", {"quantity": 1, "slot": slot}, rights, request)
    for quantity, slot in ((2, 1), (2, 0), (1, 1)):
        cast.mill.write("grant", {"quantity": quantity, "slot": slot}, loan, request)


def decided_grants(cast: Cast) -> None:
    """A grant that names its decision is overdrawn like any other; it waits for no return."""
    offer, request = cast.offer(10_000), cast.request(20_000, cast.elm)
    decision = cast.mill.write("decision", decided(ROWS), offer)
    cast.grant(offer, request, 9_000, cast.mill, decision)
    cast.grant(offer, request, 2_000, cast.mill, decision)


SCENES: Final = scenes(
    ("ESC-1 ESC-5", ("Escrow", "Violation"), escrow),
    ("ESC-2", ("Escrow", "Ignored"), void_rights),
    ("ESC-2 ESC-3", ("Escrow", "Violation"), too_many_rights),
    ("ESC-1 ESC-4", ("Escrow", "Order"), wrong_log),
    ("ESC-4", ("Escrow", "Violation"), returned_rights),
    ("ESC-4", ("Escrow", "Ignored"), false_returns),
    ("ESC-5", ("Escrow", "Violation"), return_first),
    ("ESC-5", ("Escrow",), granted_and_returned),
    ("ESC-6", ("Escrow",), missing_return),
    ("ESC-6", ("Escrow",), missing_rights),
    ("ESC-3 DEC-5", ("Escrow", "Violation"), decided_grants),
    ("ESC-1 ESC-2", ("Escrow", "Violation"), slots_in_escrow),
)
