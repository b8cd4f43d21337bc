"""Section 8.3.1: what of an offer is whose, walked anew for every question."""

from functools import cached_property
from typing import Any

from independent.facts import Facts, Order
from independent.records import Rec


def by_order(step: tuple[Order, str, Rec]) -> Order:
    """Return where a step stands."""
    return step[0]


class Accounts(Facts):
    """ESC-1 to ESC-6."""

    def amount_of(self, record: Rec, offer: Rec) -> int | None:
        """Return which amount of an offer a record with a slot is about, if it has that."""
        slots = self.bodies[offer.id].get("slots", [])
        slot = self.bodies[record.id].get("slot")
        if slot is None or not slots:
            return 0 if slot is None and not slots else None
        return int(slot) if slot < len(slots) else None

    def end_of_grant(self, grant: Rec) -> Rec | None:
        """GRANT-2: how it was taken back."""
        found = [each for each in self.naming("withdraw", grant.id) if each.author == grant.author]
        for withdrawal in sorted(found, key=self.order):
            if not self.said(grant, grant.author, "handed", self.order(withdrawal)):
                return withdrawal
        return None

    def said(self, grant: Rec, author: bytes, side: str, end: Order | None = None) -> int | None:
        """RECEIPT-1: what an author says was handed over, by this place in its order."""
        amount, counted = None, list[bytes]()
        found = [each for each in self.naming("receipt", grant.id) if each.author == author]
        for receipt in sorted(found, key=self.order):
            body = self.bodies[receipt.id]
            if body["side"] != side or (end and self.order(receipt) >= end):
                continue
            is_first = not counted and len(receipt.refs) == 1
            if is_first or (len(receipt.refs) == 2 and receipt.refs[1] in counted):
                counted.append(receipt.id)
                amount = body["quantity"]
        return amount

    def renewals(self, thing: Rec) -> list[Rec]:
        """RENEW-2: renewals that count, in order."""
        last = self.first("withdraw", thing.author, thing.id)
        found = [each for each in self.naming("renew", thing.id) if each.author == thing.author]
        found = [each for each in found if not last or self.order(each) < self.order(last)]
        return sorted(found, key=self.order)

    def times(self, thing: Rec, *names: str) -> list[int | None]:
        """RENEW-2: what was said last of each of these times."""
        bodies = [self.bodies[each.id] for each in (thing, *self.renewals(thing))]
        return [[None, *(b[name] for b in bodies if name in b)][-1] for name in names]

    def naming(self, kind: str, ref: bytes) -> list[Rec]:
        """Return the records of a kind whose first reference this is."""
        return [record for record in self.every(kind) if record.refs[0] == ref]

    def steps(self, spends: list[Rec]) -> list[tuple[Order, str, Rec]]:
        """Return where each is spent, and where grants are taken back, in order."""
        rows = [(self.order(spend), "spend", spend) for spend in spends]
        ends = [(self.end_of_grant(each), each) for each in spends if each.kind == "grant"]
        backs = [(self.order(end), "back", each) for end, each in ends if end]
        return sorted([*rows, *backs], key=by_order)

    def sound_returns(self, rights: Rec, lot: int) -> list[Rec]:
        """ESC-4: returns by the holder, in whole lots."""
        return [
            each
            for each in self.naming("return", rights.id)
            if each.author == self.bodies[rights.id]["to"]
            and self.bodies[each.id]["quantity"] % lot == 0
        ]

    @cached_property
    def accounts(self) -> dict[bytes, dict[str, Any]]:
        """ESC-3: of each offer what is free, and what became of what was spent."""
        return {offer.id: self._account(offer) for offer in self.every("offer")}

    def _account(self, offer: Rec) -> dict[str, Any]:
        mine = self.bodies[offer.id]
        free = [mine["quantity"]] * max(1, len(mine.get("slots", [])))
        became: dict[bytes, str] = {}
        named: set[bytes] = set()
        credit: dict[bytes, int] = {}
        lacks = False
        last = self.first("withdraw", offer.author, offer.id)
        spends = [*self.naming("grant", offer.id), *self.naming("rights", offer.id)]
        steps = self.steps([s for s in spends if self._is_spend(s, offer)])
        more = [each for each in self.renewals(offer) if self._adds(each, mine)]
        for order, what, spend in sorted([*steps, *map(self._more, more)], key=by_order):
            if what == "more":
                free[0] += self.bodies[spend.id]["quantity"]
                continue
            which, wanted = self.amount_of(spend, offer) or 0, self.bodies[spend.id]["quantity"]
            cost = 0 if mine.get("inexhaustible") else wanted
            if what == "back":
                free[which] += cost if became[spend.id] == "held" else 0
                became[spend.id] = "back" if became[spend.id] == "held" else became[spend.id]
                continue
            for ref in spend.refs[2 if spend.kind == "grant" else 1 :]:
                if ref in self.bodies and self.records[ref].kind == "decision":
                    continue
                rights = self._returned(ref)
                lacks = lacks or rights is None
                if rights and became.get(rights.id) == "held" and ref not in named:
                    named.add(ref)
                    amount = self._credit(rights, ref, credit, mine.get("lot", 1))
                    free[self.amount_of(rights, offer) or 0] += amount
            is_late = last is not None and order > self.order(last)
            if is_late or wanted > free[which]:
                became[spend.id] = "waiting" if lacks and not is_late else "overdrawn"
            else:
                became[spend.id] = "held"
                free[which] -= cost
        burnt = sum(free) if last else 0
        rest = [0] * len(free) if last else free
        supply = mine["quantity"] * len(free)
        supply += sum(self.bodies[each.id]["quantity"] for each in more)
        found = {"supply": supply, "free": rest, "burnt": burnt}
        return {**found, "became": became, "credit": credit}

    def _adds(self, renewal: Rec, offer: dict[str, Any]) -> bool:
        amount = self.bodies[renewal.id].get("quantity", 0)
        return bool(amount and offer.get("renewing") and amount % offer.get("lot", 1) == 0)

    def _more(self, renewal: Rec) -> tuple[Order, str, Rec]:
        return self.order(renewal), "more", renewal

    def _credit(self, rights: Rec, ref: bytes, credit: dict[bytes, int], lot: int) -> int:
        """ESC-4: what a named return brings."""
        amount = int(self.bodies[ref]["quantity"])
        total = credit.get(rights.id, 0) + amount
        good = any(each.id == ref for each in self.sound_returns(rights, lot))
        if not good or total > self.bodies[rights.id]["quantity"]:
            return 0
        credit[rights.id] = total
        return amount

    def _is_spend(self, spend: Rec, offer: Rec) -> bool:
        mine, body = self.bodies[offer.id], self.bodies[spend.id]
        return (
            spend.author == offer.author
            and body["quantity"] % mine.get("lot", 1) == 0
            and self.amount_of(spend, offer) is not None
            and (spend.kind == "grant" or body["to"] != offer.author)
            and (spend.kind == "grant" or not mine.get("inexhaustible"))
        )

    def _returned(self, ref: bytes) -> Rec | None:
        """Return the rights that a return of this id gives back, if both are there."""
        if ref not in self.bodies or self.records[ref].kind != "return":
            return None
        return self.target(self.records[ref], 0, "rights")

    @cached_property
    def purses(self) -> dict[bytes, dict[str, Any]]:
        """ESC-5: of rights whether they hold, what is free, and what became of grants."""
        return {rights.id: self._purse(rights) for rights in self.every("rights")}

    def _purse(self, rights: Rec) -> dict[str, Any]:
        nothing: dict[str, Any] = {"free": 0, "returned": 0, "became": {}}
        offer, body = self.target(rights, 0, "offer"), self.bodies[rights.id]
        if offer is None:
            return {"is": "waiting", **nothing}
        outcome = self.accounts[offer.id]["became"].get(rights.id, "void")
        if outcome != "held":
            return {"is": outcome, **nothing}
        lot = self.bodies[offer.id].get("lot", 1)
        returns = [self.bodies[each.id]["quantity"] for each in self.sound_returns(rights, lot)]
        free = max(0, body["quantity"] - sum(returns))
        returned = body["quantity"] - free
        became: dict[bytes, str] = {}
        spends = [
            grant
            for grant in self.naming("grant", rights.id)
            if grant.log == (body["to"], body["log"])
            and self.bodies[grant.id].get("slot") == body.get("slot")
            and self.bodies[grant.id]["quantity"] % lot == 0
        ]
        for spend in sorted(spends, key=self.order):
            cost = self.bodies[spend.id]["quantity"]
            if self.end_of_grant(spend):
                became[spend.id] = "back"
            else:
                became[spend.id] = "held" if cost <= free else "overdrawn"
                free -= cost if cost <= free else 0
        return {"is": "held", "free": free, "returned": returned, "became": became}

    def taken(self, grant: Rec) -> str:
        """ESC-6: what a grant takes from its purse."""
        if self.target(grant, 0, "offer"):
            return str(self.accounts[grant.refs[0]]["became"].get(grant.id, "void"))
        if not self.target(grant, 0, "rights"):
            return "waiting"
        purse = self.purses[grant.refs[0]]
        if purse["is"] == "held":
            return str(purse["became"].get(grant.id, "void"))
        return "waiting" if purse["is"] == "waiting" else "void"

    def offer_row(self, offer: Rec) -> list[Any]:
        """Return the row of an offer."""
        account = self.accounts[offer.id]
        became = account["became"]
        held = [each for each, what in became.items() if what == "held"]
        sums = {"grant": 0, "rights": -sum(account["credit"].values())}
        for each in held:
            sums[self.records[each].kind] += self.bodies[each]["quantity"]
        withdrawn = self.first("withdraw", offer.author, offer.id) is not None
        ends = [account["free"], account["burnt"], withdrawn]
        overdrawn = list(became.values()).count("overdrawn")
        row = [offer.id, account["supply"], *sums.values(), *ends, overdrawn, self.side(offer)]
        return [*row, *self.times(offer, "expires_ms", "until_ms")]

    def side(self, thing: Rec) -> bytes:
        """PARTY-2."""
        named = self.bodies[thing.id].get("on_behalf_of", b"")
        if named in self.bodies and self.records[named].kind == "party":
            party = self.records[named]
            if thing.author in [party.author, *self.bodies[named].get("guardians", [])]:
                return party.id
        return thing.author

    def rights_row(self, rights: Rec) -> list[Any]:
        """Return [id, outcome, granted, free, returned, number overdrawn]."""
        purse = self.purses[rights.id]
        became = purse["became"]
        held = sum(self.bodies[each]["quantity"] for each in became if became[each] == "held")
        overdrawn = list(became.values()).count("overdrawn")
        return [rights.id, purse["is"], held, purse["free"], purse["returned"], overdrawn]
