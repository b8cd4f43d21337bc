"""Made-up histories of a village in which members do what they like, honest or not."""

from collections import defaultdict
from typing import cast

from hypothesis import strategies as st

from mycelia_protocol.charter import Charter
from mycelia_protocol.encoding import Value
from mycelia_protocol.record import Record
from support.scribe import Scribe, village

Step = tuple[str, int, int, int, int]
KINDS = [
    *("offer", "loan", "request", "grant", "answer", "receipt", "withdraw"),
    *("rights", "return", "reincarnate"),
]
OFTEN = [
    *KINDS,
    *["request", "grant", "grant", "grant", "answer", "answer", "withdraw", "rights", "return"],
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
    """Write what the steps say; members overspend, over-accept and contradict themselves freely."""
    charter, scribes = village(3)
    made: dict[str, list[Record]] = defaultdict(list)
    for step in steps:
        _write(scribes, made, step)
    return charter, [record for scribe in scribes for record in scribe.written]


def _write(scribes: list[Scribe], made: dict[str, list[Record]], step: Step) -> None:
    kind, who, first, second, quantity = step
    purses, requests, grants = made["offer"] + made["rights"], made["request"], made["grant"]

    def pick(records: list[Record], number: int = first) -> Record:
        return records[number % len(records)]

    def owner(record: Record) -> Scribe:
        """Mostly return who may speak for a record, sometimes anybody."""
        key = content_of(record).get("to", record.author)
        owners = [scribe for scribe in scribes if scribe.key == key]
        return owners[0] if (first + second) % 5 else scribes[who]

    def slot_of(purse: Record) -> int | None:
        """Mostly return a slot that a purse has, sometimes any or none."""
        content = content_of(purse)
        lent = second % 2 if "slots" in content else content.get("slot")
        return (None, 0, 1)[who] if second % 7 == 0 else cast("int | None", lent)

    def offer_of(back: Record) -> Record:
        rights = next(each for each in made["rights"] if each.id == back.refs[0])
        return next(each for each in made["offer"] if each.id == rights.refs[0])

    def asked(grant: Record) -> Record:
        return next(each for each in requests if each.id == grant.refs[1])

    match kind:
        case "offer":
            made["offer"].append(scribes[who].offer(4 * quantity, second % 2 + 1))
        case "loan":
            made["offer"].append(scribes[who].loan(2 * quantity, SLOTS))
        case "request":
            unit = "1" if second % 4 == 0 else "mL"
            made["request"].append(scribes[who].request(quantity, unit))
        case "reincarnate":
            scribes[who].reincarnate()
        case "grant" if purses and requests:
            purse, named = pick(purses), made["return"][: first % 2]
            if made["return"] and quantity % 3 == 0:  # grant again what came back
                named = [pick(made["return"])]
                purse = offer_of(named[0])
            request = pick(requests, second)
            grant = owner(purse).grant(quantity, purse, request, slot_of(purse), *named)
            made["grant"].append(grant)
        case "rights" if made["offer"]:
            offer = pick(made["offer"])
            others = [each for each in scribes if each.key != offer.author]
            holder = (others if first % 8 else scribes)[second % 2]
            if not holder.log:
                holder.reincarnate()
            rights = owner(offer).rights(2 * (quantity // 4 + 1), offer, holder, slot_of(offer))
            made["rights"].append(rights)
        case "return" if made["rights"]:
            rights = pick(made["rights"])
            made["return"].append(owner(rights).give_back(quantity, rights))
        case "answer" if grants:
            grant = pick(grants)
            owner(asked(grant)).answer(bool(second % 4), grant)
        case "receipt" if grants:
            grant, side = pick(grants), ("handed", "received")[second % 2]
            writer = owner(grant if side == "handed" else asked(grant))
            writer.receipt(side, quantity, grant)
        case "withdraw" if everything := purses + requests + 2 * grants:
            target = pick(everything, second)
            owner(target).withdraw(target)


def content_of(record: Record) -> dict[str, Value]:
    """Return what a record says."""
    content = record.content
    assert isinstance(content, dict)
    return content
