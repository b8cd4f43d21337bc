"""The scenes of the state vectors: small stories, each about one rule of section 8."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from mycelia_protocol.encoding import Value
from mycelia_protocol.record import Record
from vectors.chains import Writer
from vectors.suite import KEYS

WATER: Final[dict[str, Value]] = {"category": "food.water", "title": "Water", "unit": "mL"}


class Cast:
    """The logs of the four collectives; mill, the founder, has vouched for oak and elm."""

    def __init__(self) -> None:
        self.mill, self.oak, self.elm, self.ash = (Writer(n) for n in ("mill", "oak", "elm", "ash"))
        for writer in (self.mill, self.oak, self.elm, self.ash):
            writer.begin()
        self.extra: list[Writer] = []
        self.hidden: list[Record] = []
        for name in ("oak", "elm"):
            self.mill.write("vouch", {"key": KEYS[name], "invite": bytes(32)})

    def offer(
        self, quantity: int = 20_000, lot: int = 1_000, writer: Writer | None = None
    ) -> Record:
        """Let mill, or somebody else, offer water."""
        return (writer or self.mill).write("offer", {**WATER, "quantity": quantity, "lot": lot})

    def request(
        self, quantity: int = 5_000, writer: Writer | None = None, unit: str = "mL"
    ) -> Record:
        """Let oak, or somebody else, request water."""
        content: dict[str, Value] = {**WATER, "quantity": quantity, "unit": unit, "urgency": "days"}
        return (writer or self.oak).write("request", content)

    def grant(
        self, offer: Record, request: Record, quantity: int = 5_000, writer: Writer | None = None
    ) -> Record:
        """Let mill, or somebody else, grant."""
        return (writer or self.mill).write("grant", {"quantity": quantity}, offer, request)

    def answer(self, grant: Record, accept: bool = True, writer: Writer | None = None) -> Record:
        """Let oak, or somebody else, answer."""
        return (writer or self.oak).write("answer", {"accept": accept}, grant)

    def receipt(
        self, grant: Record, side: str, quantity: int = 5_000, writer: Writer | None = None
    ) -> Record:
        """Let mill (handed) or oak (received), or somebody else, confirm a hand-over."""
        usual = self.mill if side == "handed" else self.oak
        return (writer or usual).write("receipt", {"side": side, "quantity": quantity}, grant)

    def records(self) -> list[Record]:
        """Return all records that were written and not hidden."""
        writers = [self.mill, self.oak, self.elm, self.ash, *self.extra]
        everything = [record for writer in writers for record in writer.records]
        hidden = {record.id for record in self.hidden}
        return [record for record in everything if record.id not in hidden]


@dataclass(frozen=True, slots=True)
class Scene:
    """One story.

    Attributes:
        comment: what it is about.
        req: requirements that it exercises.
        flags: names of notes.
        play: writes the records.
    """

    comment: str
    req: str
    flags: tuple[str, ...]
    play: Callable[[Cast], object]

    def records(self) -> list[Record]:
        """Play the story and return its records."""
        cast = Cast()
        self.play(cast)
        return cast.records()


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
    """The requester accepts an overdrawn grant: it fills the request, and still holds nothing."""
    offer = cast.offer(5_000)
    cast.grant(offer, cast.request(5_000, cast.elm), 5_000)
    request = cast.request(5_000)
    cast.answer(cast.grant(offer, request))
    cast.answer(cast.grant(cast.offer(5_000), request))


def declined(cast: Cast) -> None:
    """What one declines, another gets."""
    offer = cast.offer(5_000)
    cast.answer(cast.grant(offer, cast.request()), accept=False)
    cast.grant(offer, cast.request(writer=cast.elm))


def surplus(cast: Cast) -> None:
    """Two providers grant all; the second acceptance is surplus, and its offer has it back."""
    request = cast.request()
    other = cast.offer(5_000, writer=cast.elm)
    first = cast.grant(cast.offer(), request)
    second = cast.grant(other, request, writer=cast.elm)
    cast.answer(second)
    cast.answer(first)
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


DRILL: Final[dict[str, Value]] = {"category": "tool.hand", "title": "Drill", "unit": "1"}


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


SCENES: Final = tuple(
    Scene(" ".join((play.__doc__ or "").split()), req, flags, play)
    for req, flags, play in (
        ("FOLD-1", ("Roster",), nothing),
        ("FOLD-1", ("Promise",), whole_story),
        ("FOLD-2", ("Roster",), chain_of_vouches),
        ("FOLD-2", ("Roster",), strangers),
        ("FOLD-2", ("Roster",), no_incarnation),
        ("GRANT-4 GRANT-5", ("Order", "Violation"), two_incarnations),
        ("FOLD-1 BODY-3", ("Order", "Ignored"), malformed_incarnation),
        ("FOLD-1", ("Order",), two_profiles),
        ("GRANT-4 GRANT-5", ("Violation",), overdrawn),
        ("GRANT-3 GRANT-4", ("Violation",), overdrawn_and_accepted),
        ("GRANT-4", ("Promise",), declined),
        ("GRANT-3 GRANT-4", ("Promise",), surplus),
        ("GRANT-3", ("Promise", "Ignored"), first_answer_counts),
        ("GRANT-2 GRANT-3", ("Promise",), cancelled),
        ("GRANT-2", ("Promise",), cancelled_too_late),
        ("GRANT-4", ("Violation",), withdrawn_offer),
        ("GRANT-3", ("Promise",), withdrawn_request),
        ("GRANT-2", ("Ignored",), others_withdraw),
        ("GRANT-1", ("Promise",), void),
        ("GRANT-1", ("Promise",), waiting),
        ("GRANT-3", ("Promise", "Ignored"), receipts),
        ("BODY-3 BODY-4", ("Ignored",), ignored),
        ("GRANT-3 GRANT-4", ("Promise",), mixed_lots),
        ("GRANT-1 GRANT-4", ("Promise", "Violation"), lent),
        ("GRANT-4", ("Promise", "Violation"), endless),
        ("PARTY-2", ("Party",), parties),
        ("CLAIM-1", ("Party", "Ignored"), claims),
    )
)
