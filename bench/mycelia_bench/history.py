"""A made-up history of decisions, by the code that nodes decide with, without nodes.

Collectives live on two sides of a river. What one writes all on its side know at once; the other
side hears of it every so often. So most views are comparable and some are not, as among real nodes,
and only two states have to be kept for any number of collectives. The policy looks back a week; so
these states begin anew now and then, from what is younger, and a long history fits into memory.
"""

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from mycelia_protocol.charter import Charter
from mycelia_protocol.crypto import public_key
from mycelia_protocol.encoding import Value
from mycelia_protocol.gatherer import Gatherer
from mycelia_protocol.policies import in_force
from mycelia_protocol.purses import stock_of
from mycelia_protocol.record import Record, build_record
from mycelia_protocol.sharing.baselines import baseline, document
from mycelia_protocol.sharing.decide import decide
from mycelia_protocol.sharing.policy import write_policy
from mycelia_protocol.state import State
from mycelia_protocol.types.decision import content
from mycelia_protocol.types.heads import NOTHING, FullHead
from mycelia_protocol.types.heads import content as view_content
from mycelia_protocol.types.place import place_content, snap

BEGIN_MS: Final = 1_700_000_000_000
STEP_MS: Final = 60_000  # between two decisions
FERRY_EVERY: Final = 10  # decisions, then each side hears of the other
LIST_MS: Final = 2 * 3_600_000  # how long a request stands
WINDOW_S: Final = 7 * 86_400  # how far the policy looks back
KEPT_MS: Final = (WINDOW_S + 86_400) * 1_000  # what is older counts for no decision any more
RENEW_EVERY: Final = 20_000  # decisions
THINGS: Final = (("food.dry", "g", 500), ("food.water", "mL", 1_000), ("food.meal", "1", 1))
CLASSES: Final = ("now", "days", "days", "week", "anytime")


@dataclass(slots=True)
class Collective:
    """Somebody who writes.

    Attributes:
        kept: its records that may still count for a decision, by seq.
        fresh: its records that nobody took yet.
    """

    seed: bytes
    key: bytes
    log: bytes
    kept: list[Record] = field(default_factory=list)
    fresh: list[Record] = field(default_factory=list)
    view: bytes = NOTHING
    told: dict[bytes, int] = field(default_factory=dict)  # seq, by author


class Side:
    """What everybody on one side knows.

    Args:
        records: what they know already.
    """

    def __init__(self, charter: Charter, records: Iterable[Record] = ()) -> None:
        self.state: Final = State(charter)
        self.gatherer: Final = Gatherer(self.state)
        self.known: dict[bytes, Record] = {}  # last record, by author
        for record in records:
            self.learn(record)

    def learn(self, record: Record) -> None:
        """Take in one record, after those before it in its log."""
        before = self.known.get(record.author)
        if before is None or before.seq < record.seq:
            self.state.add(record)
            self.known[record.author] = record


class History:
    """Writes one decision after another, with all that goes before and after.

    Attributes:
        open: how many requests were open, all decisions together.
    """

    def __init__(self, collectives: int = 24, seed: int = 1) -> None:
        self._rng: Final = random.Random(seed)  # noqa: S311  # a made-up history, the same each time
        seeds = [self._rng.randbytes(32) for _ in range(collectives)]
        self.charter: Final = Charter("Two sides", public_key(seeds[0]), BEGIN_MS, seeds[0][:16])
        self._sides = [Side(self.charter), Side(self.charter)]
        self.open = 0
        self.members: Final = [
            Collective(each, public_key(each), self._rng.randbytes(8)) for each in seeds
        ]
        self._now_ms = BEGIN_MS
        self._promised: list[tuple[Collective, Collective, Record, int]] = []
        founder = self.members[0]
        for member in self.members:
            self._write(member, "incarnation", {"heads": ()})
        for member in self.members[1:]:
            self._write(founder, "vouch", {"key": member.key})
        policy = {**document("balanced"), "epoch": 1, "previous": baseline("fifo").id}
        policy["window_s"] = WINDOW_S
        self._write(founder, "policy", {"document": write_policy(policy)})
        self._ferry()

    def decide(self, count: int) -> Iterator[int]:
        """Write so many decisions; yield after each how many there are."""
        for number in range(1, count + 1):
            self._now_ms += STEP_MS
            self._round()
            if number % FERRY_EVERY == 0:
                self._ferry()
            if number % RENEW_EVERY == 0:
                self._renew()
            yield number

    def take(self) -> list[Record]:
        """Return what was written since this was last asked for."""
        taken = [record for member in self.members for record in member.fresh]
        for member in self.members:
            member.fresh.clear()
        return taken

    def _round(self) -> None:
        """Let two ask and one offer, decide, and hand over what was promised before."""
        rng = self._rng
        category, unit, lot = rng.choice(THINGS)
        thing: dict[str, Value] = {"category": category, "title": "x", "unit": unit, "lot": lot}
        giver = rng.choice(self.members)
        near = [each for each in self.members if self._side(each) is self._side(giver)]
        for asking in rng.sample([each for each in near if each is not giver], 2):
            kind, of, least = rng.choice(THINGS)
            wanted: dict[str, Value] = {"category": kind, "title": "x", "unit": of}
            wanted |= {"quantity": rng.randint(1, 6) * least, "urgency": rng.choice(CLASSES)}
            wanted |= {"expires_ms": self._now_ms + LIST_MS, **self._place()}
            self._write(asking, "request", wanted)
        offered = {**thing, "quantity": rng.randint(4, 24) * lot, **self._place()}
        self._decide(giver, self._write(giver, "offer", offered))
        for granter, taker, grant, quantity in self._promised:
            self._write(taker, "answer", {"accept": True}, grant.id)
            self._write(granter, "receipt", {"side": "handed", "quantity": quantity}, grant.id)
            self._write(taker, "receipt", {"side": "received", "quantity": quantity}, grant.id)
        self._promised.clear()

    def _decide(self, giver: Collective, offer: Record) -> None:
        side = self._side(giver)
        stock = stock_of(side.state, giver.key, giver.log, offer.id, None, self._now_ms)
        assert stock is not None
        policy = in_force(side.state)
        inputs = side.gatherer.gather(giver.key, stock, policy, self._now_ms)
        self.open += len(inputs.requests)
        found = decide(policy, inputs.offer, inputs.requests, inputs.collectives, self._now_ms)
        body = content(found, self._heads(giver, side), stock.left)
        decision = self._write(giver, "decision", body, offer.id)
        owners = {each.id: each.collective for each in inputs.requests}
        for request, quantity in found.grants:
            refs = (offer.id, request, decision.id)
            grant = self._write(giver, "grant", {"quantity": quantity}, *refs)
            taker = next(each for each in self.members if each.key == owners[request])
            if self._side(taker) is side:
                self._promised.append((giver, taker, grant, quantity))

    def _heads(self, giver: Collective, side: Side) -> dict[str, Value]:
        changed = [
            FullHead(last.author, last.log, last.seq, last.id)
            for last in side.known.values()
            if last.author != giver.key and giver.told.get(last.author) != last.seq
        ]
        giver.told |= {each.author: each.seq for each in changed}
        body = view_content(giver.view, changed)
        assert isinstance(body["view"], bytes)
        giver.view = body["view"]
        return body

    def _side(self, member: Collective) -> Side:
        return self._sides[self.members.index(member) % 2]

    def _ferry(self) -> None:
        """Let each side hear of all that the other wrote."""
        for member in self.members:
            for side in self._sides:
                last = side.known.get(member.key)
                unknown = len(member.kept) if last is None else member.kept[-1].seq - last.seq
                for record in member.kept[len(member.kept) - unknown :]:
                    side.learn(record)

    def _renew(self) -> None:
        """Forget what counts for no decision any more, but for who is who and the policy."""
        since_ms = self._now_ms - KEPT_MS
        for member in self.members:
            member.kept = [r for r in member.kept if not BEGIN_MS < r.time_ms < since_ms]
        for number, side in enumerate(self._sides):
            known = {author: last.seq for author, last in side.known.items()}
            kept = (record for member in self.members for record in member.kept)
            heard = [record for record in kept if record.seq <= known[record.author]]
            self._sides[number] = Side(self.charter, heard)

    def _place(self) -> dict[str, Value]:
        north, east = self._rng.randint(0, 2_000_000), self._rng.randint(0, 2_000_000)
        return place_content(snap(449_000_000 + north, -932_000_000 + east))

    def _write(self, who: Collective, kind: str, body: dict[str, Value], *refs: bytes) -> Record:
        last = who.kept[-1] if who.kept else None
        record = build_record(
            commons=self.charter.commons,
            seed=who.seed,
            author=who.key,
            log=who.log,
            seq=0 if last is None else last.seq + 1,
            prev=None if last is None else last.id,
            kind=kind,
            time_ms=self._now_ms,
            content=body,
            salt=self._rng.randbytes(16),
            refs=refs,
        )
        who.kept.append(record)
        who.fresh.append(record)
        self._side(who).learn(record)
        return record
