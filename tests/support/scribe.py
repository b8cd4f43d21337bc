"""Writing records by hand: collectives with fixed keys, for tests of the fold and of logs."""

import random

from mycelia_protocol.charter import Charter
from mycelia_protocol.crypto import public_key
from mycelia_protocol.encoding import Value
from mycelia_protocol.record import Record, build_record
from mycelia_protocol.types.incarnation import Head
from mycelia_protocol.types.incarnation import content as incarnation

WATER: dict[str, Value] = {"category": "food.water", "title": "Water", "unit": "mL"}


class Scribe:
    """One collective that writes; its log opens by itself with the first record."""

    def __init__(self, seed: bytes, charter: Charter, rng: random.Random) -> None:
        self.seed = seed
        self.key = public_key(seed)
        self.charter = charter
        self.commons = charter.commons
        self.rng = rng
        self.written: list[Record] = []
        self.log = b""

    def reincarnate(self) -> None:
        """Open a new log that names the heads of the older ones."""
        last = {record.log: record for record in self.written}
        heads = [Head(log, record.seq, record.id) for log, record in sorted(last.items())]
        self.log = self.rng.randbytes(8)
        self._append("incarnation", incarnation(heads))

    def write(self, kind: str, content: dict[str, Value], *refs: bytes) -> Record:
        """Append a record to the present log."""
        if not self.log:
            self.reincarnate()
        return self._append(kind, content, *refs)

    def offer(self, quantity: int, lot: int = 1, renewing: bool = False) -> Record:
        """Offer water."""
        content: dict[str, Value] = {**WATER, "quantity": quantity, "lot": lot}
        return self.write("offer", {**content, "renewing": True} if renewing else content)

    def loan(self, quantity: int, slots: Value) -> Record:
        """Lend buckets in some slots."""
        thing: dict[str, Value] = {**WATER, "unit": "1", "terms": "lend", "slots": slots}
        return self.write("offer", {**thing, "quantity": quantity})

    def request(self, quantity: int, unit: str = "mL") -> Record:
        """Ask for water, or for buckets."""
        thing: dict[str, Value] = {**WATER, "unit": unit, "quantity": quantity}
        return self.write("request", {**thing, "urgency": "now"})

    def grant(
        self,
        quantity: int,
        purse: Record,
        request: Record,
        slot: int | None = None,
        *returns: Record,
    ) -> Record:
        """Promise some of an offer, or of rights, perhaps with what came back."""
        content: dict[str, Value] = {"quantity": quantity}
        if slot is not None:
            content["slot"] = slot
        refs = (purse.id, request.id, *(each.id for each in returns))
        return self.write("grant", content, *refs)

    def rights(
        self, quantity: int, offer: Record, holder: "Scribe", slot: int | None = None
    ) -> Record:
        """Let somebody else grant some of an offer, in its present log."""
        content: dict[str, Value] = {"to": holder.key, "log": holder.log, "quantity": quantity}
        if slot is not None:
            content["slot"] = slot
        return self.write("rights", content, offer.id)

    def give_back(self, quantity: int, rights: Record) -> Record:
        """Return rights."""
        return self.write("return", {"quantity": quantity}, rights.id)

    def answer(self, accept: bool, grant: Record) -> Record:
        """Accept or decline."""
        return self.write("answer", {"accept": accept}, grant.id)

    def receipt(self, side: str, quantity: int, grant: Record) -> Record:
        """Confirm a hand-over."""
        return self.write("receipt", {"side": side, "quantity": quantity}, grant.id)

    def withdraw(self, target: Record) -> Record:
        """Take something back."""
        return self.write("withdraw", {}, target.id)

    def _append(self, kind: str, content: dict[str, Value], *refs: bytes) -> Record:
        mine = [record for record in self.written if record.log == self.log]
        record = build_record(
            commons=self.commons,
            seed=self.seed,
            author=self.key,
            log=self.log,
            seq=len(mine),
            prev=mine[-1].id if mine else None,
            kind=kind,
            time_ms=1_700_000_000_000 + len(self.written),
            content=content,
            salt=self.rng.randbytes(16),
            refs=refs,
        )
        self.written.append(record)
        return record


def village(count: int = 3, seed: int = 1) -> tuple[Charter, list[Scribe]]:
    """Return a charter and its members; the first is the founder and has vouched for the others."""
    rng = random.Random(seed)
    seeds = [rng.randbytes(32) for _ in range(count)]
    charter = Charter("Village", public_key(seeds[0]), 1, rng.randbytes(16))
    scribes = [Scribe(one, charter, rng) for one in seeds]
    for scribe in scribes[1:]:
        scribes[0].write("vouch", {"key": scribe.key})
    return charter, scribes
