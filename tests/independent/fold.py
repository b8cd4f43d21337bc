"""Section 8: from a set of records to the state, computed anew and in no clever way."""

from collections.abc import Iterable
from functools import cached_property
from typing import Any

from independent.keys import h
from independent.records import Rec, read_body
from independent.text import read_charter
from independent.wire import encode

Order = tuple[int, bytes, int]


class Fold:
    """The state that follows from a charter and a set of records."""

    def __init__(self, charter: bytes, records: Iterable[Rec]) -> None:
        fields, self.commons = read_charter(charter)
        self.records = {record.id: record for record in records}
        self.roster: set[Any] = {fields[2]}
        while True:
            self.bodies = {record.id: body for record, body in self._taking_part()}
            vouched = {self.bodies[record.id]["key"] for record in self.every("vouch")}
            if vouched <= self.roster:
                break
            self.roster |= vouched

    def _taking_part(self) -> Iterable[tuple[Rec, dict[str, Any]]]:
        begun = {record.log for record in self.records.values() if record.seq == 0}
        for record in self.records.values():
            if record.author in self.roster and record.log in begun and record.body is not None:
                content = record.body[16:]
                body = read_body(record.kind, record.log[1], len(record.refs), content)
                if body is not None:
                    yield record, body

    @cached_property
    def depths(self) -> dict[tuple[bytes, bytes], int]:
        """How many older logs each log's incarnation names; 0 if that is malformed."""
        firsts = (record for record in self.records.values() if record.seq == 0)
        return {r.log: len(self.bodies.get(r.id, {"heads": []})["heads"]) for r in firsts}

    def order(self, record: Rec) -> Order:
        """Section 6.7."""
        return self.depths[record.log], record.log[1], record.seq

    def every(self, kind: str) -> list[Rec]:
        """Return the well-formed records of one kind, by id."""
        found = [self.records[each] for each in self.bodies if self.records[each].kind == kind]
        return sorted(found, key=lambda record: record.id)

    def first(self, kind: str, author: bytes, ref: bytes, **fields: Any) -> Rec | None:
        """Return the author's first record of a kind that refers to `ref` and has these fields."""
        fit = [
            record
            for record in self.every(kind)
            if record.author == author
            and ref in record.refs
            and fields.items() <= self.bodies[record.id].items()
        ]
        return min(fit, key=self.order, default=None)

    def target(self, grant: Rec, place: int, kind: str) -> Rec | None:
        """Return the offer or request of a grant, if it is there."""
        ref = grant.refs[place]
        return self.records[ref] if ref in self.bodies and self.records[ref].kind == kind else None

    # --- GRANT-1 to GRANT-5 ---

    @cached_property
    def sound(self) -> dict[bytes, tuple[Rec, Rec, Rec]]:
        """GRANT-1: sound grants by id, each with its offer and its request."""
        found = {}
        for grant in self.every("grant"):
            offer, request = self.target(grant, 0, "offer"), self.target(grant, 1, "request")
            if offer and request and self._is_sound(grant, offer, request):
                found[grant.id] = grant, offer, request
        return found

    def _is_sound(self, grant: Rec, offer: Rec, request: Rec) -> bool:
        mine, theirs = self.bodies[offer.id], self.bodies[request.id]
        quantity = self.bodies[grant.id]["quantity"]
        return (
            grant.author == offer.author
            and grant.author != request.author
            and mine["unit"] == theirs["unit"]
            and quantity % mine.get("lot", 1) == 0
            and self.amount_of(grant, offer) is not None
        )

    def amount_of(self, record: Rec, offer: Rec) -> int | None:
        """Return which amount of an offer a record with a slot is about, if it has that."""
        slots = self.bodies[offer.id].get("slots", [])
        slot = self.bodies[record.id].get("slot")
        if slot is None or not slots:
            return 0 if slot is None and not slots else None
        return int(slot) if slot < len(slots) else None

    @cached_property
    def cancelled(self) -> set[bytes]:
        """GRANT-2."""
        found = set()
        for grant, _, _ in self.sound.values():
            withdrawal = self.first("withdraw", grant.author, grant.id)
            handed = self.first("receipt", grant.author, grant.id, side="handed")
            if withdrawal and not (handed and self.order(handed) < self.order(withdrawal)):
                found.add(grant.id)
        return found

    def answer(self, grant: Rec, request: Rec) -> bool | None:
        """Return the requester's first answer, or None."""
        record = self.first("answer", request.author, grant.id)
        return self.bodies[record.id]["accept"] if record else None

    @cached_property
    def filling(self) -> tuple[dict[bytes, int], set[bytes], set[bytes]]:
        """GRANT-3: what each request was filled to, accepted grants, surplus grants."""
        filled = {request.id: 0 for request in self.every("request")}
        accepted, surplus = set(), set()
        for request in self.every("request"):
            firsts = []
            for grant, _, wanted in self.sound.values():
                record = self.first("answer", request.author, grant.id)
                if wanted is request and record and self.bodies[record.id]["accept"]:
                    firsts.append((self.order(record), grant))
            for _, grant in sorted(firsts, key=lambda pair: pair[0]):
                if grant.id in self.cancelled:
                    continue
                quantity = self.bodies[grant.id]["quantity"]
                if filled[request.id] + quantity > self.bodies[request.id]["quantity"]:
                    surplus.add(grant.id)
                else:
                    filled[request.id] += quantity
                    accepted.add(grant.id)
        return filled, accepted, surplus

    @cached_property
    def spending(self) -> tuple[dict[bytes, list[int]], dict[bytes, list[bytes]], dict[bytes, int]]:
        """GRANT-4: what is left of each offer in each slot, overdrawn grants, and what holds."""
        left, overdrawn, held = {}, {}, {}
        _, _, surplus = self.filling
        for offer in self.every("offer"):
            mine = self.bodies[offer.id]
            rest, bad = [mine["quantity"]] * max(1, len(mine.get("slots", []))), []
            held[offer.id] = 0
            end = self.first("withdraw", offer.author, offer.id)
            walk = [row for row in self.sound.values() if row[1] is offer]
            for grant, _, request in sorted(walk, key=lambda row: self.order(row[0])):
                is_released = grant.id in self.cancelled | surplus
                if is_released or self.answer(grant, request) is False:
                    continue
                quantity = self.bodies[grant.id]["quantity"]
                which = self.amount_of(grant, offer) or 0
                if quantity > rest[which] or (end and self.order(grant) > self.order(end)):
                    bad.append(grant.id)
                else:
                    held[offer.id] += quantity
                    rest[which] -= 0 if mine.get("inexhaustible") else quantity
            left[offer.id], overdrawn[offer.id] = [0] * len(rest) if end else rest, bad
        return left, overdrawn, held

    def grant_row(self, grant: Rec) -> list[Any]:
        """Return [id, status, handed, received]."""
        waiting = not (self.target(grant, 0, "offer") and self.target(grant, 1, "request"))
        if waiting or grant.id not in self.sound:
            return [grant.id, "waiting" if waiting else "void", None, None]
        _, offer, request = self.sound[grant.id]
        _, accepted, surplus = self.filling
        if grant.id in self.cancelled:
            return [grant.id, "cancelled", None, None]
        if grant.id in surplus:
            return [grant.id, "surplus", None, None]
        if self.answer(grant, request) is False:
            return [grant.id, "declined", None, None]
        if grant.id in self.spending[1][offer.id]:
            return [grant.id, "overdrawn", None, None]
        if grant.id not in accepted:
            return [grant.id, "offered", None, None]
        handed = self.first("receipt", grant.author, grant.id, side="handed")
        received = self.first("receipt", request.author, grant.id, side="received")
        status = "received" if received else "handed" if handed else "accepted"
        amounts = [r and self.bodies[r.id]["quantity"] for r in (handed, received)]
        return [grant.id, status, *amounts]

    def offer_row(self, offer: Rec) -> list[Any]:
        """Return [id, sum that holds, left in each slot, withdrawn, number overdrawn]."""
        left, overdrawn, held = self.spending
        withdrawn = self.first("withdraw", offer.author, offer.id) is not None
        return [offer.id, held[offer.id], left[offer.id], withdrawn, len(overdrawn[offer.id])]

    def request_row(self, request: Rec) -> list[Any]:
        """Return [id, filled, number surplus, withdrawn, receiver]."""
        withdrawn = self.first("withdraw", request.author, request.id) is not None
        filled = self.filling[0][request.id]
        receiver = self.receiver(request)
        return [request.id, filled, len(self.surplus(request)), withdrawn, receiver]

    def receiver(self, request: Rec) -> bytes:
        """PARTY-2."""
        named = self.bodies[request.id].get("on_behalf_of", b"")
        if named in self.bodies and self.records[named].kind == "party":
            party = self.records[named]
            if request.author in [party.author, *self.bodies[named].get("guardians", [])]:
                return party.id
        return request.author

    def claim_row(self, claim: Rec) -> list[Any]:
        """Return [id, whether it counts], by CLAIM-1."""
        offer, request = self.target(claim, 0, "offer"), self.target(claim, 1, "request")
        if offer is None or request is None or claim.author != request.author:
            return [claim.id, False]
        has_slot = "slot" not in self.bodies[claim.id] or self.amount_of(claim, offer) is not None
        return [claim.id, has_slot and self.first("withdraw", claim.author, claim.id) is None]

    def surplus(self, request: Rec) -> list[bytes]:
        """Return the ids of a request's surplus grants, sorted."""
        return sorted(each for each in self.filling[2] if self.sound[each][2] is request)

    def rows(self) -> dict[str, list[list[Any]]]:
        """Return the rows of section 8.4, kind by kind."""
        profiles: dict[bytes, Rec] = {}
        for profile in sorted(self.every("profile"), key=self.order):
            profiles[profile.author] = profile
        current = sorted(profiles.values(), key=lambda record: record.id)
        return {
            "claim": [self.claim_row(record) for record in self.every("claim")],
            "grant": [self.grant_row(record) for record in self.every("grant")],
            "offer": [self.offer_row(record) for record in self.every("offer")],
            "profile": [[record.author, record.id] for record in current],
            "request": [self.request_row(record) for record in self.every("request")],
            "vouch": [[r.id, r.author, self.bodies[r.id]["key"]] for r in self.every("vouch")],
        }

    def digest(self) -> bytes:
        """Section 8.4."""
        parts = [
            encode([kind, len(found)]) + b"".join(map(encode, found))
            for kind, found in self.rows().items()
        ]
        return h("state", self.commons, encode(sorted(self.roster)), *parts)
