"""Section 8.8: a decision, with everybody scored anew before each part."""

from typing import Any

from independent.keys import h
from independent.policy import FACTORS, look_up

Thing = dict[str, Any]

CAPS = {"metres": 20_000_000, "seconds": 10**10, "members": 10**6, "received": 10**10}
SUM_MAX, MEMBERS_SUM_MAX, STEPS_MAX = 10**15, 10**12, 1000
FLOOR_GATE = {"urgent": "urgent-first", "ecology": "ecology-first"}


def secs(span: int) -> int:
    """Return whole seconds, from 0 to the cap."""
    return min(max(span, 0) // 1000, CAPS["seconds"])


class Scorer:
    """One decision; `policy` is a document, ids are bytes, everything else is as in 8.8.1."""

    def __init__(
        self,
        policy: Thing,
        policy_id: bytes,
        as_of: int,
        offer: Thing,
        requests: list[Thing],
        collectives: list[Thing],
    ) -> None:
        self.policy, self.policy_id, self.as_of, self.offer = policy, policy_id, as_of, offer
        self.requests = {each["id"]: each for each in requests}
        self.collectives = {each["id"]: each for each in collectives}
        lot = offer["lot"]
        self.available = offer["left"] // lot * lot
        self.first = max(1, (offer["minimum"] + lot - 1) // lot) * lot
        self.portion = lot * max(1, (self.available // lot + STEPS_MAX - 1) // STEPS_MAX)
        self.need = look_up(policy["person_days"], offer["category"], offer["unit"])
        self.total = min(sum(map(self.received, self.collectives.values())), SUM_MAX)
        heads = min(sum(map(self.members, self.collectives.values())), MEMBERS_SUM_MAX)
        worth = self.mpd(self.available)
        self.mean = (self.total + worth) * 1000 // heads if heads else 0
        living = [each for each in self.collectives.values() if each["is_ecosystem"]]
        theirs = min(sum(map(self.received, living)), SUM_MAX)
        due = -(-(self.total + worth) * policy["ecology_floor_pm"] // 1000)
        owed = min(max(due - theirs, 0), worth) if "ecology" in policy["floors"] else 0
        self.reserve = -(-owed * self.need // 1000)

    # --- 8.8.1 to 8.8.3 ---

    def mpd(self, quantity: int) -> int:
        """Return milli-person-days."""
        return quantity * 1000 // self.need

    def received(self, c: Thing) -> int:
        """Return what counts of what a collective received."""
        return min(int(c["received"]), CAPS["received"])

    def members(self, c: Thing) -> int:
        """Return the members that count."""
        return min(max(int(c["members"]), 1), CAPS["members"])

    def had(self, r: Thing, taken: int) -> int:
        """Return micro-person-days per member of a request's collective."""
        c = self.collectives[r["collective"]]
        got = min(self.received(c) + self.mpd(taken), CAPS["received"])
        return got * 1000 // self.members(c)

    def metres(self, r: Thing) -> int:
        """Return the distance that counts."""
        found = self.policy["distance_unknown_m"] if r["metres"] is None else r["metres"]
        return min(int(found), CAPS["metres"])

    def urgency(self, r: Thing) -> str:
        """Return the class that counts."""
        often = r["urgency"] == "now" and r["now_before"] >= self.policy["now_max"]
        return "days" if often else str(r["urgency"])

    def room(self, r: Thing) -> int:
        """Return what a request can take in whole lots."""
        return int(min(r["lacking"], r["grant_max"]) // self.offer["lot"] * self.offer["lot"])

    def gates(self, r: Thing) -> list[str]:
        """SCORE-1."""
        offer, failed = self.offer, []
        suits = {r["category"], *r["substitutes"]}
        begin = max(self.as_of, offer["from"] or 0)
        ends = [each for each in (offer["until"], r["needed_by"]) if each is not None]
        over = [each for each in (offer["expires"], r["expires"]) if each is not None]
        checks = {
            "live": all(each > self.as_of for each in over),
            "own": r["collective"] != offer["provider"],
            "category": offer["category"] in suits
            or offer["category"].split(".")[0] in r["substitutes"],
            "unit": r["unit"] == offer["unit"],
            "audience": not offer["audience"] or r["collective"] in offer["audience"],
            "window": all(begin <= end for end in ends),
            "distance": self.metres(r) <= self.policy["distance_max_m"],
            "portion": min(self.room(r), self.available) >= self.first,
        }
        failed += [name for name, passed in checks.items() if not passed]
        return failed

    def measures(self, r: Thing) -> Thing:
        """Section 8.8.3."""
        offer = self.offer
        grams = look_up(self.policy["masses"], offer["category"], offer["unit"])
        carriers = self.policy["carriers"]
        factor = carriers.get(offer["carrier"], carriers["unknown"])
        alike = ("collective", "category")
        wanted = sum(
            each["lacking"]
            for each in self.requests.values()
            if each["unit"] == offer["unit"] and all(each[name] == r[name] for name in alike)
        )
        return {
            "urgency": self.urgency(r),
            "metres": self.metres(r),
            "carbon_mg": self.metres(r) * grams * factor // 10**9,
            "waited_s": secs(self.as_of - r["first_posted"]),
            "wanted": min(wanted, SUM_MAX),
            "had": self.had(r, 0),
        }

    # --- 8.8.4 ---

    def equity(self, had: int) -> int:
        """Return how far below the mean somebody is."""
        return 1000 - min(1000, had * 500 // self.mean) if self.mean else 500

    def factors(self, r: Thing, taken: int = 0) -> dict[str, int]:
        """SCORE-2."""
        policy, found, offer = self.policy, self.measures(r), self.offer
        green = 1000 - min(1000, found["carbon_mg"] * 1000 // policy["carbon_cap_mg"])
        rescue = 0
        if offer["expires"] is not None:
            left = secs(offer["expires"] - self.as_of)
            rescue = 1000 - min(1000, left * 1000 // policy["rescue_horizon_s"])
        living = 1000 if self.collectives[r["collective"]]["is_ecosystem"] else 0
        far = min(1000, found["metres"] * 1000 // policy["distance_max_m"])
        wanted = found["wanted"]
        return {
            "urgency": policy["urgency"][found["urgency"]],
            "equity": self.equity(self.had(r, taken)),
            "ecology": (2 * green + rescue + living) // 4,
            "proximity": 1000 - far,
            "waiting": min(1000, found["waited_s"] * 1000 // policy["waiting_cap_s"]),
            "fill": min(self.available, wanted) * 1000 // wanted if wanted else 0,
        }

    def score(self, r: Thing, taken: int = 0) -> int:
        """SCORE-3."""
        found = self.factors(r, taken)
        return sum(self.policy["weights"][name] * found[name] for name in FACTORS)

    # --- 8.8.5 to 8.8.7 ---

    def tie(self, r: Thing) -> bytes:
        """Return what decides last."""
        return h("tie", self.policy_id, self.offer["id"], r["id"])

    def ordered(self, rows: list[Thing], taken: dict[bytes, int]) -> list[Thing]:
        """SCORE-4."""
        mode = self.policy["mode"]
        if mode == "lottery":
            return sorted(rows, key=self.tie)
        if mode == "score":
            return sorted(
                rows,
                key=lambda r: (
                    -self.score(r, taken.get(r["collective"], 0)),
                    r["first_posted"],
                    self.tie(r),
                ),
            )
        near = sorted(rows, key=lambda r: (self.metres(r), r["first_posted"], self.tie(r)))
        others = [r for r in near if r["collective"] != near[0]["collective"]]
        if not others:
            return near
        pair = [near[0], others[0]]
        pair.sort(key=lambda r: self.had(r, taken.get(r["collective"], 0)))
        return pair + [r for r in near if r not in pair]

    def phases(self) -> list[tuple[str, list[Thing]]]:
        """SCORE-5."""
        candidates = [r for r in self.requests.values() if not self.gates(r)]
        found = []
        for floor in self.policy["floors"]:
            if floor == "urgent":
                rows = [r for r in candidates if self.urgency(r) == "now"]
            else:
                rows = [r for r in candidates if self.is_living(r) and self.reserve > 0]
            found.append((floor, rows))
        return [*found, ("", candidates)]

    def is_living(self, r: Thing) -> bool:
        """Return whether a request is an ecosystem's."""
        return bool(self.collectives[r["collective"]]["is_ecosystem"])

    def standing(self) -> list[tuple[Thing, list[str]]]:
        """Return all requests in order, with the gates that they fail."""
        rows: list[tuple[Thing, list[str]]] = []
        behind: list[str] = []
        for floor, members in self.phases():
            fresh = [r for r in members if all(r is not row for row, _ in rows)]
            rows += [(r, list(behind)) for r in self.ordered(fresh, {})] if fresh else []
            if fresh and not behind and floor:
                behind = [FLOOR_GATE[floor]]
        out = [(r, self.gates(r)) for _, r in sorted(self.requests.items()) if self.gates(r)]
        return rows + out

    def given(self) -> dict[bytes, int]:
        """SCORE-6."""
        left = self.available
        given = dict.fromkeys(self.requests, 0)
        taken: dict[bytes, int] = {}
        living = 0
        for floor, rows in self.phases():
            while floor != "ecology" or living < self.reserve:
                fit = [
                    r
                    for r in rows
                    if min(self.room(r) - given[r["id"]], left)
                    >= (self.offer["lot"] if given[r["id"]] else self.first)
                ]
                if not fit:
                    break
                r = self.ordered(fit, taken)[0]
                part = self.portion if given[r["id"]] else max(self.portion, self.first)
                part = min(part, self.room(r) - given[r["id"]], left)
                given[r["id"]] += part
                taken[r["collective"]] = taken.get(r["collective"], 0) + part
                left -= part
                living += part if self.is_living(r) else 0
        return given

    def outcome(self) -> Thing:
        """Return everything that comes out of a decision."""
        given = self.given()
        rows = []
        for r, gates in self.standing():
            compares = not {"category", "unit"} & set(gates)
            rows.append(
                {
                    "request": r["id"],
                    "gates": gates,
                    "measures": self.measures(r) if compares else None,
                    "factors": [self.factors(r)[name] for name in FACTORS] if compares else None,
                    "score": self.score(r) if compares else None,
                    "tie": self.tie(r),
                    "given": given[r["id"]],
                }
            )
        return {
            "available": self.available,
            "portion": self.portion,
            "first": self.first,
            "mean": self.mean,
            "reserve": self.reserve,
            "candidates": rows,
        }
