"""Made-up histories of a village in which members do what they like, mostly sensible things."""

from collections import defaultdict
from typing import cast

from hypothesis import strategies as st

from mycelia_protocol.charter import Charter
from mycelia_protocol.encoding import Value
from mycelia_protocol.record import Record
from support.scribe import Scribe, village

Step = tuple[str, int, int, int, int]  # kind, and what to choose by: who, first, second, quantity
KINDS = [
    *("offer", "loan", "request", "grant", "answer", "receipt", "withdraw", "reincarnate"),
    *("rights", "return", "renew", "dispute", "correct"),
]
OFTEN = [
    *KINDS,
    *("offer", "request", "request", "grant", "grant", "grant", "answer", "answer", "answer"),
    *("receipt", "receipt", "withdraw", "rights", "return"),
]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(OFTEN),
        st.integers(0, 2),
        st.integers(0, 30),
        st.integers(0, 30),
        st.integers(1, 12),
    ),
    max_size=40,
)
SLOTS: Value = [[1, 2], [2, 3]]


def history(steps: list[Step]) -> tuple[Charter, list[Record]]:
    """Write what the steps say; every fourth thing may break any rule."""
    charter, scribes = village(3)
    story = _Story(scribes)
    for step in steps:
        story.write(step)
    return charter, [record for scribe in scribes for record in scribe.written]


class _Story:
    """Who wrote what so far."""

    def __init__(self, scribes: list[Scribe]) -> None:
        self.scribes = scribes
        self.made: dict[str, list[Record]] = defaultdict(list)

    def write(self, step: Step) -> None:
        """Write one more record, if there is something that it can be about."""
        kind, who, first, second, quantity = step
        made, scribe = self.made, self.scribes[who]
        is_sensible = (first + 3 * second) % 4 > 0
        match kind:
            case "offer":
                offer = scribe.offer(4 * quantity, second % 2 + 1, second % 3 == 0)
                made["offer"].append(offer)
            case "loan":
                made["offer"].append(scribe.loan(quantity, SLOTS))
            case "request":
                made["request"].append(scribe.request(quantity, "1" if second % 3 == 0 else "mL"))
            case "reincarnate":
                scribe.reincarnate()
            case "grant" | "rights" | "return" | "renew":
                self._move(kind, first, second, quantity, self.scribes if is_sensible else [scribe])
            case "answer" | "receipt" | "dispute" | "correct" | "withdraw":
                self._react(kind, first, second, quantity, is_sensible)
            case _:
                raise AssertionError(kind)

    def _move(self, kind: str, first: int, second: int, amount: int, who: list[Scribe]) -> None:
        """Spend, give back, or add; `who` has one member only if that may not be the right one."""
        made = self.made
        purses = made["rights" if first % 3 == 0 and made["rights"] else "offer"]
        if not purses:
            return
        purse = purses[first % len(purses)]
        offer, writer = self._offer_of(purse), _owner(who, purse)
        lot = cast("int", content_of(offer).get("lot", 1))
        amount, slot = amount // lot * lot or lot, self._slot(purse, second)
        if kind == "rights":
            holder = [each for each in self.scribes if each.key != offer.author][second % 2]
            if not holder.log:
                holder.reincarnate()
            rights = _owner(who, offer).rights(amount, offer, holder, self._slot(offer, second))
            made["rights"].append(rights)
        elif kind == "return" and made["rights"]:
            rights = made["rights"][second % len(made["rights"])]
            made["return"].append(_owner(who, rights).give_back(amount, rights))
        elif kind == "renew":
            _owner(who, offer).write("renew", {"quantity": amount}, offer.id)
        elif kind == "grant" and made["request"]:
            back = made["return"][second % 3 :][:1]
            purse = self._offer_of(back[0]) if back and first % 2 else purse
            request = self._request_for(self._offer_of(purse), writer, second, len(who) > 1)
            spender, slot = _owner(who, purse), self._slot(purse, second)
            made["grant"].append(spender.grant(amount, purse, request, slot, *back))

    def _react(self, kind: str, first: int, second: int, amount: int, is_sensible: bool) -> None:
        """Say something about what is there already."""
        made = self.made
        targets = {
            "answer": made["grant"],
            "receipt": made["accepted"] or made["grant"],
            "dispute": made["accepted"],
            "correct": made["receipt"],
            "withdraw": made["grant"] + made["dispute"] + made["offer"][:1] + made["request"][:1],
        }[kind]
        if not targets:
            return
        target = targets[first % len(targets)]
        about = (target.id, *target.refs)
        grant = next((each for each in made["grant"] if each.id in about), target)
        giver, taker = _owner(self.scribes, grant), self._requester(grant)
        if not is_sensible:
            giver, taker = taker, giver
        if kind == "answer":
            taker.answer(second % 4 > 0, grant)
            made["accepted"] += [grant] if second % 4 else []
        elif kind == "receipt":
            side = ("handed", "received", "returned", "returned")[second % 4]
            writer = giver if second % 4 in (0, 3) else taker
            made["receipt"].append(writer.receipt(side, amount, grant))
        elif kind == "dispute":
            writer = giver if second % 2 else taker
            made["dispute"].append(writer.write("dispute", {"matter": "other"}, grant.id))
        elif kind == "correct":
            content: dict[str, Value] = {**content_of(target), "quantity": amount % 4}
            writer = _owner(self.scribes, target) if is_sensible else taker
            made["receipt"].append(writer.write("receipt", content, target.refs[0], target.id))
        else:
            (_owner(self.scribes, target) if is_sensible else taker).withdraw(target)

    def _offer_of(self, record: Record) -> Record:
        """Return the offer behind rights or a return; of an offer that itself."""
        while record.kind != "offer":
            record = next(each for each in self._everything() if each.id == record.refs[0])
        return record

    def _everything(self) -> list[Record]:
        return [record for scribe in self.scribes for record in scribe.written]

    def _request_for(self, offer: Record, giver: Scribe, number: int, fits: bool) -> Record:
        """Return a request that an offer may serve, or any."""
        unit, requests = content_of(offer)["unit"], self.made["request"]
        good = [
            each
            for each in requests
            if content_of(each)["unit"] == unit and each.author != giver.key
        ]
        found = good if good and fits else requests
        return found[number % len(found)]

    def _requester(self, grant: Record) -> Scribe:
        asked = [each for each in self.made["request"] if each.id in grant.refs]
        return _owner(self.scribes, asked[0] if asked else grant)

    def _slot(self, purse: Record, number: int) -> int | None:
        """Mostly return a slot that a purse has, sometimes any or none."""
        content = content_of(purse)
        lent = number % 2 if "slots" in content else content.get("slot")
        return (None, 0, 1)[number % 3] if number % 7 == 0 else cast("int | None", lent)


def _owner(scribes: list[Scribe], record: Record) -> Scribe:
    """Return who may speak for a record: its author, of rights their holder; else the first."""
    key = content_of(record).get("to", record.author)
    return next((scribe for scribe in scribes if scribe.key == key), scribes[0])


def content_of(record: Record) -> dict[str, Value]:
    """Return what a record says."""
    content = record.content
    assert isinstance(content, dict)
    return content
