"""Scenes of membership, of grants from own offers, and of what becomes of them."""

from typing import Final

from mycelia_protocol.encoding import Value
from vectors.cast import DRILL, WATER, Cast, scenes
from vectors.chains import Writer
from vectors.suite import KEYS, TIME_MS


def nothing(cast: Cast) -> None:
    """Hide everything."""
    cast.hidden = cast.records()


def whole_story(cast: Cast) -> None:
    """Offer, request, grant, answer, both receipts, profiles."""
    for writer, name in ((cast.mill, "Mill"), (cast.oak, "Oak")):
        writer.write("profile", {"name": name})
    grant = cast.grant(cast.offer(), cast.request())
    cast.answer(grant)
    cast.receipt(grant, "handed")
    cast.receipt(grant, "received", 4_800)


def chain_of_vouches(cast: Cast) -> None:
    """Mill for oak and elm, elm for ash, ash for elm again."""
    cast.elm.write("vouch", {"key": KEYS["ash"]})
    cast.ash.write("vouch", {"key": KEYS["elm"]})
    cast.offer(writer=cast.ash)


def strangers(cast: Cast) -> None:
    """Ash, for whom nobody vouched, vouches for itself and offers."""
    cast.ash.write("vouch", {"key": KEYS["ash"]})
    cast.offer(writer=cast.ash)
    cast.grant(cast.offer(), cast.request(writer=cast.ash))


def no_incarnation(cast: Cast) -> None:
    """All of oak is there but the first record of its log."""
    cast.request()
    cast.hidden = cast.oak.records[:1]


def two_incarnations(cast: Cast) -> None:
    """Mill's second log names the first; the order over both decides which grant is overdrawn."""
    second = Writer("mill", 1)
    cast.extra.append(second)
    offer, request = cast.offer(5_000), cast.request(20_000)
    cast.grant(offer, request, 3_000)
    second.begin(cast.mill.records[-1])
    cast.grant(offer, request, 3_000, second)
    cast.grant(offer, request, 2_000, second)
    second.write("profile", {"name": "Mill, after the flood"})
    cast.mill.write("profile", {"name": "Mill, from the old log, later by its clock"})


def new_generation(cast: Cast) -> None:
    """Mill's backup is older than its second log; the third names fewer, and comes last still."""
    second, third = Writer("mill", 1), Writer("mill", 2)
    cast.extra += [second, third]
    offer, request = cast.offer(5_000), cast.request(20_000)
    offered = cast.mill.records[-1]
    second.begin(offered)
    cast.grant(offer, request, 3_000, second)
    third.write("incarnation", {"heads": [], "generation": 1_800_000_000_000})
    third.write("withdraw", {}, offer)
    cast.grant(offer, request, 2_000, third)


def malformed_incarnation(cast: Cast) -> None:
    """A second log whose first record is malformed counts as one that names no older logs."""
    second = Writer("mill", 1)
    cast.extra.append(second)
    second.write("incarnation", {"heads": [[b"short", 0, bytes(32)]]})
    second.write("profile", {"name": "One"})
    cast.mill.write("profile", {"name": "Two"})


def two_profiles(cast: Cast) -> None:
    """The later one in the log counts."""
    for name in ("First", "Second", "Third"):
        cast.oak.write("profile", {"name": name})


def overdrawn(cast: Cast) -> None:
    """Three grants of 8 from an offer of 20; a smaller one after that fits again."""
    offer = cast.offer()
    for writer in (cast.oak, cast.elm, cast.oak):
        cast.grant(offer, cast.request(8_000, writer), 8_000)
    cast.grant(offer, cast.request(4_000), 4_000)


def overdrawn_and_accepted(cast: Cast) -> None:
    """The requester accepts an overdrawn grant: that neither holds nor fills anything."""
    offer = cast.offer(5_000)
    cast.grant(offer, cast.request(5_000, cast.elm), 5_000)
    request = cast.request(5_000)
    cast.answer(cast.grant(offer, request))
    cast.answer(cast.grant(cast.offer(5_000), request))


def declined(cast: Cast) -> None:
    """What one declines, another gets once the provider has put it back, and not before."""
    offer = cast.offer(5_000)
    grant = cast.grant(offer, cast.request())
    cast.answer(grant, accept=False)
    cast.grant(offer, cast.request(writer=cast.elm))
    cast.mill.write("withdraw", {}, grant)
    cast.grant(offer, cast.request(writer=cast.elm))


def lapsed(cast: Cast) -> None:
    """What is taken back at its deadline or after it has lapsed; before, it is cancelled."""
    offer = cast.offer()
    for late in (0, 1, None):
        content: dict[str, Value] = {"quantity": 5_000}
        if late is not None:
            moment = TIME_MS + 60_000 * (len(cast.mill.records) + 1)  # when the next but one comes
            content["accept_by_ms"] = moment + late
        grant = cast.mill.write("grant", content, offer, cast.request())
        cast.mill.write("withdraw", {"reason": "nobody came"}, grant)
        cast.answer(grant)


def surplus(cast: Cast) -> None:
    """Two providers grant all; the second acceptance is surplus, and its provider puts it back."""
    request = cast.request()
    other = cast.offer(5_000, writer=cast.elm)
    first = cast.grant(cast.offer(), request)
    second = cast.grant(other, request, writer=cast.elm)
    cast.answer(second)
    cast.answer(first)
    cast.mill.write("withdraw", {}, first)
    cast.grant(other, cast.request(writer=cast.oak), writer=cast.elm)


def first_answer_counts(cast: Cast) -> None:
    """Yes after no stays no; no after yes stays yes; others' answers are nothing."""
    offer = cast.offer()
    one, two, three = (cast.grant(offer, cast.request()) for _ in range(3))
    cast.answer(one, accept=False)
    cast.answer(one)
    cast.answer(two)
    cast.answer(two, accept=False)
    cast.answer(three, writer=cast.elm)
    cast.answer(three, writer=cast.mill)


def cancelled(cast: Cast) -> None:
    """Grants are withdrawn, before an answer and after an acceptance; the request is free again."""
    offer, request = cast.offer(10_000), cast.request()
    one = cast.grant(offer, request)
    cast.mill.write("withdraw", {}, one)
    two = cast.grant(offer, request)
    cast.answer(one)
    cast.answer(two)
    cast.mill.write("withdraw", {"reason": "spilt"}, two)
    three = cast.grant(offer, request, 4_000)
    cast.answer(three)


def cancelled_too_late(cast: Cast) -> None:
    """What was handed over can't be withdrawn; a hand-over after the withdrawal is nothing."""
    offer = cast.offer()
    one, two = (cast.grant(offer, cast.request()) for _ in range(2))
    for grant in (one, two):
        cast.answer(grant)
    cast.receipt(one, "handed")
    cast.mill.write("withdraw", {}, one)
    cast.mill.write("withdraw", {}, two)
    cast.receipt(two, "handed")


def withdrawn_offer(cast: Cast) -> None:
    """Grants before the withdrawal stand, one after it is overdrawn, and nothing is left."""
    offer = cast.offer()
    cast.answer(cast.grant(offer, cast.request()))
    cast.mill.write("withdraw", {"reason": "all used"}, offer)
    cast.grant(offer, cast.request(writer=cast.elm))


def withdrawn_request(cast: Cast) -> None:
    """A request taken back: what was accepted stands."""
    request = cast.request()
    cast.answer(cast.grant(cast.offer(), request, 2_000))
    cast.oak.write("withdraw", {}, request)


def others_withdraw(cast: Cast) -> None:
    """Only the author withdraws; others' withdrawals are nothing."""
    offer, request = cast.offer(), cast.request()
    grant = cast.grant(offer, request)
    for record in (offer, request, grant):
        cast.elm.write("withdraw", {}, record)
    cast.oak.write("withdraw", {}, grant)


def void(cast: Cast) -> None:
    """From another's offer, to oneself, in another unit, in broken lots: four void grants."""
    offer, request = cast.offer(), cast.request()
    cast.grant(offer, request, writer=cast.elm)
    cast.grant(offer, cast.request(writer=cast.mill))
    cast.grant(offer, cast.request(unit="g"))
    broken = cast.grant(offer, request, 1_500)
    cast.answer(broken)


def waiting(cast: Cast) -> None:
    """A grant whose offer, one whose request is not there, and one that refers to wrong kinds."""
    offer, gone = cast.offer(), cast.offer()
    request, missing = cast.request(), cast.request()
    cast.answer(cast.grant(gone, request))
    cast.grant(offer, missing)
    cast.grant(request, offer)
    cast.hidden = [gone, missing]


def receipts(cast: Cast) -> None:
    """Receipts of others, of the wrong side, twice, and without an acceptance."""
    offer = cast.offer()
    one, two, three = (cast.grant(offer, cast.request()) for _ in range(3))
    cast.answer(one)
    cast.answer(two)
    cast.receipt(one, "handed", 5_000, cast.elm)
    cast.receipt(one, "handed", 5_000, cast.oak)
    cast.receipt(one, "received", 5_000, cast.mill)
    cast.receipt(two, "received", 0)
    cast.receipt(two, "received", 5_000)
    cast.receipt(three, "handed")
    cast.receipt(three, "received")


def ignored(cast: Cast) -> None:
    """Unknown kinds and malformed bodies change nothing, wherever they stand in a log."""
    cast.mill.write("x-later", {"anything": [1, 2, {"three": 3}]})
    bad: dict[str, Value] = {**WATER, "quantity": 10, "lot": 3}
    offer = cast.mill.write("offer", bad)
    cast.grant(offer, cast.request())
    cast.mill.write("vouch", {"key": bytes([1]) + bytes(31)})
    cast.mill.write("grant", {"quantity": 1}, offer)
    cast.mill.write("profile", {"name": "", "later": True})
    cast.offer()


def mixed_lots(cast: Cast) -> None:
    """Several requests from one offer, partly filled, partly handed over."""
    offer, request = cast.offer(12_000, 500), cast.request(9_000)
    one, two = cast.grant(offer, request, 4_500), cast.grant(offer, request, 4_500)
    cast.answer(two)
    cast.receipt(two, "handed", 4_500)
    cast.grant(offer, cast.request(3_000, cast.elm), 3_000)
    cast.answer(one)
    cast.receipt(one, "received", 4_400)


def lent(cast: Cast) -> None:
    """Two drills in two slots: each slot has its own amount; no slot, or one too many, is void."""
    slots: Value = [[1_000, 2_000], [2_000, 3_000]]
    loan = cast.mill.write("offer", {**DRILL, "terms": "lend", "quantity": 2, "slots": slots})
    wants = [
        writer.write("request", {**DRILL, "quantity": 2, "urgency": "week"})
        for writer in (cast.oak, cast.elm, cast.oak)
    ]
    for slot, quantity, request in ((0, 1, 0), (0, 1, 1), (0, 1, 2), (1, 2, 2), (2, 1, 0)):
        content: dict[str, Value] = {"quantity": quantity, "slot": slot}
        cast.mill.write("grant", content, loan, wants[request])
    cast.grant(loan, wants[0], 1)
    usual = cast.offer()
    cast.mill.write("grant", {"quantity": 1_000, "slot": 0}, usual, cast.request())


def endless(cast: Cast) -> None:
    """What is inexhaustible is granted again and again, each time at most as much as it says."""
    content: dict[str, Value] = {**WATER, "quantity": 6_000, "inexhaustible": True}
    spring = cast.mill.write("offer", content)
    for quantity in (6_000, 5_000, 6_001):
        cast.grant(spring, cast.request(9_000), quantity)
    cast.mill.write("withdraw", {}, spring)
    cast.grant(spring, cast.request(9_000), 1_000)


def parties(cast: Cast) -> None:
    """A creek asks through its guardians; who is none asks for itself, whatever it says."""
    content: dict[str, Value] = {"form": "ecosystem", "name": "Creek", "guardians": [KEYS["oak"]]}
    creek = cast.mill.write("party", content)
    need: dict[str, Value] = {**WATER, "quantity": 5_000, "urgency": "week"}
    for writer in (cast.mill, cast.oak, cast.elm):
        writer.write("request", {**need, "on_behalf_of": creek.id})
    cast.oak.write("request", {**need, "on_behalf_of": KEYS["elm"]})


def claims(cast: Cast) -> None:
    """Claims by the requester count until they are taken back; others, and wrong slots, don't."""
    offer, request = cast.offer(), cast.request()
    one = cast.oak.write("claim", {"quantity": 5_000, "rank": 2}, offer, request)
    cast.oak.write("claim", {"quantity": 5_000, "rank": 1}, offer, request)
    cast.oak.write("claim", {"quantity": 5_000, "rank": 1, "slot": 0}, offer, request)
    cast.elm.write("claim", {"quantity": 5_000, "rank": 1}, offer, request)
    cast.oak.write("claim", {"quantity": 5_000, "rank": 1}, request, offer)
    cast.oak.write("withdraw", {}, one)


SCENES: Final = scenes(
    ("FOLD-1", ("Roster",), nothing),
    ("FOLD-1", ("Promise",), whole_story),
    ("FOLD-2", ("Roster",), chain_of_vouches),
    ("FOLD-2", ("Roster",), strangers),
    ("FOLD-2", ("Roster",), no_incarnation),
    ("ESC-3", ("Order", "Violation"), two_incarnations),
    ("INC-5 ESC-3", ("Order", "Violation"), new_generation),
    ("FOLD-1 BODY-3", ("Order", "Ignored"), malformed_incarnation),
    ("FOLD-1", ("Order",), two_profiles),
    ("ESC-3 ESC-6", ("Violation",), overdrawn),
    ("GRANT-3 ESC-6", ("Violation",), overdrawn_and_accepted),
    ("GRANT-2 ESC-3", ("Promise", "Violation"), declined),
    ("GRANT-2", ("Promise",), lapsed),
    ("GRANT-3 ESC-3", ("Promise",), surplus),
    ("GRANT-3", ("Promise", "Ignored"), first_answer_counts),
    ("GRANT-2 GRANT-3", ("Promise",), cancelled),
    ("GRANT-2", ("Promise",), cancelled_too_late),
    ("ESC-3", ("Violation",), withdrawn_offer),
    ("GRANT-3", ("Promise",), withdrawn_request),
    ("GRANT-2", ("Ignored",), others_withdraw),
    ("GRANT-1 ESC-1", ("Promise",), void),
    ("GRANT-1 ESC-6", ("Promise",), waiting),
    ("GRANT-3", ("Promise", "Ignored"), receipts),
    ("BODY-3 BODY-4", ("Ignored",), ignored),
    ("GRANT-3", ("Promise",), mixed_lots),
    ("ESC-1 ESC-3", ("Promise", "Violation"), lent),
    ("ESC-3", ("Promise", "Violation"), endless),
    ("PARTY-2", ("Party",), parties),
    ("CLAIM-1", ("Party", "Ignored"), claims),
)
