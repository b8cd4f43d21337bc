"""Section 8: from a set of records to the state, computed anew and in no clever way."""

from functools import cached_property
from typing import Any

from independent.accounts import Accounts
from independent.keys import h
from independent.records import Rec
from independent.wire import LARGEST, encode


class Fold(Accounts):
    """The state that follows from a charter and a set of records."""

    def fits(self, grant: Rec, request: Rec) -> bool:
        """GRANT-1."""
        rights = self.target(grant, 0, "rights")
        offer = self.target(rights or grant, 0, "offer")
        assert offer is not None
        units = {self.bodies[each.id]["unit"] for each in (offer, request)}
        return len(units) == 1 and grant.author != request.author

    def answer(self, grant: Rec, request: Rec) -> bool | None:
        """Return the requester's first answer, or None."""
        record = self.first("answer", request.author, grant.id)
        return self.bodies[record.id]["accept"] if record else None

    @cached_property
    def filling(self) -> tuple[dict[bytes, int], set[bytes], dict[bytes, int]]:
        """GRANT-3: what each request was filled to, accepted grants, number surplus."""
        filled, accepted, surplus = {}, set(), {}
        for request in self.every("request"):
            firsts = []
            for grant in self.every("grant"):
                if grant.refs[1] != request.id or self.taken(grant) != "held":
                    continue
                record = self.first("answer", request.author, grant.id)
                if record and self.bodies[record.id]["accept"] and self.fits(grant, request):
                    firsts.append((self.order(record), grant))
            filled[request.id] = surplus[request.id] = 0
            for _, grant in sorted(firsts, key=lambda pair: pair[0]):
                quantity = self.bodies[grant.id]["quantity"]
                if filled[request.id] + quantity > self.bodies[request.id]["quantity"]:
                    surplus[request.id] += 1
                else:
                    filled[request.id] += quantity
                    accepted.add(grant.id)
        return filled, accepted, surplus

    def grant_row(self, grant: Rec) -> list[Any]:
        """Return [id, status, holds, handed, received, brought, returned]."""
        taken, request = self.taken(grant), self.target(grant, 1, "request")
        row = [grant.id, self._status(grant, taken, request), taken == "held"]
        if row[1] != "accepted" or request is None:
            return [*row, None, None, None, None]
        giver, taker = grant.author, request.author
        handed, received = self.said(grant, giver, "handed"), self.said(grant, taker, "received")
        brought, returned = (self.said(grant, each, "returned") for each in (taker, giver))
        steps = [("handed", handed), ("received", received), ("returned", returned)]
        row[1] = ["accepted", *(name for name, amount in steps if amount is not None)][-1]
        for dispute in self.naming("dispute", grant.id):
            is_party = dispute.author in (giver, taker)
            if is_party and not self.first("withdraw", dispute.author, dispute.id):
                row[1] = "disputed"
        return [*row, handed, received, brought, returned]

    def _status(self, grant: Rec, taken: str, request: Rec | None) -> str:
        if taken in ("waiting", "void", "overdrawn"):
            return taken
        if request is None or not self.fits(grant, request):
            return "waiting" if request is None else "void"
        answer = self.answer(grant, request)
        if answer is False:
            return "declined"
        if taken == "back":
            withdrawal = self.end_of_grant(grant)
            limit = self.bodies[grant.id].get("accept_by_ms", LARGEST + 1)
            assert withdrawal is not None
            return "lapsed" if withdrawal.fields[7] >= limit else "cancelled"
        if grant.id in self.filling[1]:
            return "accepted"
        return "surplus" if answer else "offered"

    def request_row(self, request: Rec) -> list[Any]:
        """Return [id, filled, number surplus, withdrawn, for whom, expires, needed by]."""
        withdrawn = self.first("withdraw", request.author, request.id) is not None
        filled, _, surplus = self.filling
        row = [request.id, filled[request.id], surplus[request.id], withdrawn]
        return [*row, self.side(request), *self.times(request, "expires_ms", "needed_by_ms")]

    def observation_row(self, seen: Rec) -> list[Any]:
        """Return [id, whether it counts], by OBS-1."""
        party = self.target(seen, 0, "party")
        is_living = party is not None and self.bodies[party.id]["form"] == "ecosystem"
        return [seen.id, is_living and self.first("withdraw", seen.author, seen.id) is None]

    def claim_row(self, claim: Rec) -> list[Any]:
        """Return [id, whether it counts], by CLAIM-1."""
        offer, request = self.target(claim, 0, "offer"), self.target(claim, 1, "request")
        if offer is None or request is None or claim.author != request.author:
            return [claim.id, False]
        has_slot = "slot" not in self.bodies[claim.id] or self.amount_of(claim, offer) is not None
        return [claim.id, has_slot and self.first("withdraw", claim.author, claim.id) is None]

    def rows(self) -> dict[str, list[list[Any]]]:
        """Return the rows of section 8.4, kind by kind."""
        profiles: dict[bytes, Rec] = {}
        for profile in sorted(self.every("profile"), key=self.order):
            profiles[profile.author] = profile
        current = sorted(profiles.values(), key=lambda record: record.id)
        forks = sorted(self.contested.items())
        return {
            "claim": [self.claim_row(record) for record in self.every("claim")],
            "fork": [[*log, seq] for log, seq in forks],
            "grant": [self.grant_row(record) for record in self.every("grant")],
            "observation": [self.observation_row(each) for each in self.every("observation")],
            "offer": [self.offer_row(record) for record in self.every("offer")],
            "profile": [[record.author, record.id] for record in current],
            "request": [self.request_row(record) for record in self.every("request")],
            "rights": [self.rights_row(record) for record in self.every("rights")],
            "vouch": [[r.id, r.author, self.bodies[r.id]["key"]] for r in self.every("vouch")],
        }

    def digest(self) -> bytes:
        """Section 8.4."""
        parts = [
            encode([kind, len(found)]) + b"".join(map(encode, found))
            for kind, found in self.rows().items()
        ]
        return h("state", self.commons, encode(sorted(self.roster)), *parts)
