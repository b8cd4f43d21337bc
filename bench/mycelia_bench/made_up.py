"""A commons that shares every day, made up: the records of all its members, a day at a time.

Each collective writes ten records a day on average. Each day it offers something; on one day it
then gives a part to two others, on the next to one, each time with a request, a grant, an answer
and the receipts of both sides; and on every other day it writes three messages. What is handed over
is settled within the day, so what lives is small beside what has been.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from typing import Final

from mycelia_protocol.charter import Charter
from mycelia_protocol.compact import compact
from mycelia_protocol.crypto import public_key
from mycelia_protocol.encoding import Value
from mycelia_protocol.limits import ACKNOWLEDGED_MAX
from mycelia_protocol.merkle import Tree
from mycelia_protocol.record import Record, build_record

DAY_MS: Final = 86_400_000
MEMBERS: Final = 300
RECORDS_A_DAY: Final = 10  # of each collective, on average over two days
CELL_E7: Final = 100_000  # about a kilometre
LIFE_DAYS: Final = 7  # after which an offer or a request drops off the list
GOODS: Final = (
    ("food.fresh", "g", "Potatoes and carrots from the garden behind the school", 20_000, 500),
    ("food.water", "mL", "Drinking water in cans of ten litres", 200_000, 10_000),
    ("shelter.bedding", "1", "Blankets, washed", 40, 1),
    ("energy.electric", "W.h", "A charged battery from the solar roof", 5_000, 100),
)
NOTE: Final = (
    "Ring at the blue door in the yard between nine and five. Bring something to carry it."
)


class Collective:
    """One member: a key and one log, of which only the end is kept."""

    def __init__(self, seed: bytes, charter: Charter, rng: random.Random) -> None:
        self.key: Final = public_key(seed)
        self._seed = seed
        self._commons = charter.commons
        self._log = rng.randbytes(8)
        self._rng = rng
        self._seq = 0
        self._last: bytes | None = None

    def write(self, kind: str, time_ms: int, content: dict[str, Value], *refs: bytes) -> Record:
        """Write and sign the next record of the log."""
        record = build_record(
            commons=self._commons,
            seed=self._seed,
            author=self.key,
            log=self._log,
            seq=self._seq,
            prev=self._last,
            kind=kind,
            time_ms=time_ms,
            content=content,
            salt=self._rng.randbytes(16),
            refs=refs,
        )
        self._seq, self._last = self._seq + 1, record.id
        return record


class Town:
    """All members, in the order in which they write."""

    def __init__(self, founder_seed: bytes, first_ms: int, members: int = MEMBERS) -> None:
        """Found the commons; the same arguments give the same records."""
        self._rng = random.Random(first_ms)  # noqa: S311  made up, and the same every time
        self.charter = Charter(
            "A made-up town", public_key(founder_seed), first_ms, self._rng.randbytes(16)
        )
        seeds = [founder_seed, *(self._rng.randbytes(32) for _ in range(members - 1))]
        self._members = [Collective(seed, self.charter, self._rng) for seed in seeds]
        self._first_ms = first_ms

    def begin(self) -> Iterator[Record]:
        """Yield the logs' first records, the vouches for all and everybody's profile."""
        founder, *others = self._members
        for member in self._members:
            yield member.write("incarnation", self._first_ms, {"heads": ()})
        for member in others:
            yield founder.write("vouch", self._first_ms, {"key": member.key})
        for number, member in enumerate(self._members):
            profile: dict[str, Value] = {"name": f"House {number}", "members": 3 + number % 40}
            yield member.write("profile", self._first_ms, profile)

    def day(self, number: int) -> Iterator[Record]:
        """Yield what is written on a day, counted from 0."""
        time_ms = self._first_ms + number * DAY_MS
        count = len(self._members)
        offers = [
            member.write("offer", time_ms, self._thing(each + number, time_ms))
            for each, member in enumerate(self._members)
        ]
        yield from offers
        for part in range(1 if number % 2 else 2):
            for each, giver in enumerate(self._members):
                taker = self._members[(each + 1 + (number + part * 7) % (count - 1)) % count]
                yield from self._hand_over(giver, taker, each + number, time_ms, offers[each])
        if number % 2:
            for each, member in enumerate(self._members):
                for part in range(3):
                    to = self._members[(each + 1 + (number + part) % (count - 1)) % count]
                    sealed: dict[str, Value] = {
                        "to": to.key,
                        "enc": self._rng.randbytes(32),
                        "sealed": self._rng.randbytes(225),
                    }
                    yield member.write("message", time_ms, sealed, offers[each].id)

    def sum_up(self, number: int, records: Iterable[Record]) -> Iterator[Record]:
        """Yield checkpoints of all logs on a day, and what each member says of the others'.

        Args:
            number: the day, counted from 0.
            records: all that were written so far.
        """
        time_ms = self._first_ms + number * DAY_MS
        sums = {member.key: Tree() for member in self._members}
        for record in records:
            sums[record.author].add(compact(record))
        checkpoints = {
            member.key: member.write("checkpoint", time_ms, {"root": sums[member.key].root()})
            for member in self._members
        }
        yield from checkpoints.values()
        for member in self._members:
            others = sorted(one.id for key, one in checkpoints.items() if key != member.key)
            for start in range(0, len(others), ACKNOWLEDGED_MAX):
                named = tuple(others[start : start + ACKNOWLEDGED_MAX])
                yield member.write("acknowledge", time_ms, {"checkpoints": named})

    def _thing(self, choice: int, time_ms: int) -> dict[str, Value]:
        category, unit, title, quantity, lot = GOODS[choice % len(GOODS)]
        return {
            "category": category,
            "title": title,
            "quantity": quantity,
            "unit": unit,
            "lot": lot,
            "note": NOTE,
            "lat_e7": 449_700_000 + choice % 4 * CELL_E7,
            "lon_e7": -932_600_000,
            "cell_e7": CELL_E7,
            "expires_ms": time_ms + LIFE_DAYS * DAY_MS,
        }

    def _hand_over(
        self, giver: Collective, taker: Collective, choice: int, time_ms: int, offer: Record
    ) -> Iterator[Record]:
        """Yield five records: somebody asks for a part of an offer, and has it in the end."""
        thing = self._thing(choice, time_ms)
        quantity = GOODS[choice % len(GOODS)][3] // 2
        del thing["lot"]
        request = taker.write(
            "request", time_ms, {**thing, "quantity": quantity, "urgency": "days"}
        )
        grant = giver.write("grant", time_ms, {"quantity": quantity}, offer.id, request.id)
        yield from (request, grant)
        yield taker.write("answer", time_ms, {"accept": True}, grant.id)
        receipt: dict[str, Value] = {"side": "handed", "quantity": quantity}
        yield giver.write("receipt", time_ms, receipt, grant.id)
        yield taker.write("receipt", time_ms, {**receipt, "side": "received"}, grant.id)
