"""Views for tests of decisions: small worlds by hand, drawn ones, and their plain form.

In the vectors a name stands for an id; the id is the SHA-256 of a fixed text and the name.
"""

import hashlib
import random
from collections.abc import Sequence
from typing import Any

from mycelia_protocol.sharing.decide import Decision
from mycelia_protocol.sharing.policy import FACTORS
from mycelia_protocol.sharing.views import CollectiveView, OfferView, RequestView

NOW_MS = 1_700_000_000_000
DAY_MS = 86_400_000


def key(name: str) -> bytes:
    """Return 32 bytes that stand for a name."""
    return hashlib.sha256(b"mycelia test vectors: " + name.encode()).digest()


def offer(left: int = 10_000, **fields: Any) -> OfferView:
    """Return an offer of water by Mill, in lots of 500 mL."""
    given: dict[str, Any] = {"lot": 500, "carrier": "van", **fields}
    return OfferView(key("offer"), key("mill"), "food.water", "mL", left, **given)


def request(name: str, collective: str, lacking: int = 5_000, **fields: Any) -> RequestView:
    """Return a request for water, two days old and 5 km away."""
    given: dict[str, Any] = {
        "urgency": "days",
        "first_posted_ms": NOW_MS - 2 * DAY_MS,
        "metres": 5_000,
        "category": "food.water",
        "unit": "mL",
        **fields,
    }
    return RequestView(id=key(name), collective=key(collective), lacking=lacking, **given)


def collectives(*names: str, **received: int) -> list[CollectiveView]:
    """Return Mill and these collectives, of 20 members each, with what they received."""
    found = ["mill", *names, *(name for name in received if name not in names)]
    return [CollectiveView(key(name), 20, received.get(name, 0)) for name in found]


def plain_inputs(
    offered: OfferView, requests: Sequence[RequestView], everybody: Sequence[CollectiveView]
) -> dict[str, Any]:
    """Return views under the names of spec section 8.8.1."""
    return {
        "offer": {
            **{name: getattr(offered, name) for name in ("id", "provider", "category", "unit")},
            **{name: getattr(offered, name) for name in ("left", "lot", "minimum", "carrier")},
            "from": offered.from_ms,
            "until": offered.until_ms,
            "expires": offered.expires_ms,
            "audience": list(offered.audience),
        },
        "requests": [
            {
                **{name: getattr(each, name) for name in ("id", "collective", "category", "unit")},
                **{name: getattr(each, name) for name in ("lacking", "grant_max", "urgency")},
                **{name: getattr(each, name) for name in ("now_before", "metres")},
                "first_posted": each.first_posted_ms,
                "substitutes": list(each.substitutes),
                "needed_by": each.needed_by_ms,
                "expires": each.expires_ms,
            }
            for each in requests
        ],
        "collectives": [
            {name: getattr(each, name) for name in ("id", "members", "received", "is_ecosystem")}
            for each in everybody
        ],
    }


def plain_outcome(decision: Decision) -> dict[str, Any]:
    """Return what came out under the names of the vectors."""
    return {
        "available": decision.available,
        "portion": decision.portion,
        "first": decision.first,
        "mean": decision.mean,
        "reserve": decision.reserve,
        "candidates": [
            {
                "request": each.request,
                "gates": list(each.gates),
                "measures": each.measures._asdict() if each.measures else None,
                "factors": list(each.factors) if each.factors else None,
                "score": each.score,
                "tie": each.tie,
                "given": each.given,
            }
            for each in decision.candidates
        ],
    }


assert len(FACTORS) == 6

# --- drawn worlds: few values each, so that ties, caps and equal shares come up often ---

NAMES = ("mill", "oak", "elm", "ash", "fir", "river")
World = tuple[OfferView, list[RequestView], list[CollectiveView]]
AGES_MS = (0, 1, 999, 1_000, DAY_MS, DAY_MS, 13 * DAY_MS, 14 * DAY_MS, 400 * DAY_MS)
METRES = (None, 0, 400, 5_000, 5_000, 5_001, 5_010, 20_000, 49_999)
RECEIVED = (0, 0, 0, 3, 40, 500, 1_000, 4_000)


class Drawing:
    """One drawn world: mostly requests that compete, and, if odd, every gate and cap besides."""

    def __init__(self, seed: int, is_odd: bool, requests_max: int = 12) -> None:
        self.rng = random.Random(seed)
        self.is_odd = is_odd
        self.requests_max = requests_max

    def rarely(self, usual: Any, *others: Any) -> Any:
        """Return the usual value, in an odd world one time in eight another."""
        is_other = self.is_odd and self.rng.random() < 1 / 8
        return self.rng.choice(others) if is_other else usual

    def moment(self) -> int | None:
        """Return an end: mostly none, then later, now or just over."""
        spans = (-1, 0, 1, 999, DAY_MS, 8 * DAY_MS)
        return self.rarely(None, *[NOW_MS + span for span in spans])  # type: ignore[no-any-return]

    def offer(self) -> OfferView:
        """Return an offer of some dozens of lots, in odd worlds of thousands or of none."""
        lot = self.rng.choice((1, 3, 500))
        lots = self.rarely(self.rng.randint(1, 60), 0, 1_001, 2_500)
        return OfferView(
            key("offer"),
            key("mill"),
            "food.water",
            self.rng.choice(("mL", "1")),
            lots * lot + self.rarely(0, lot - 1),
            lot,
            self.rng.choice((0, 0, 0, 1, 4, 1_200)),
            self.rng.choice(("van", "foot", "airship")),
            self.moment(),
            self.moment(),
            self.rng.choice((None, NOW_MS + DAY_MS, self.moment())),
            self.rarely((), (key("oak"), key("river"), key("elm"))),
        )

    def request(self, number: int, offered: OfferView) -> RequestView:
        """Return a request for a part or for more than all of the offer."""
        lots = max(offered.left // offered.lot, 1)
        return RequestView(
            key(f"request {number}"),
            key(self.rng.choice(NAMES[1:] if self.rng.random() < 0.9 else NAMES)),
            self.rarely("food.water", "food.dry", "wash.water"),
            self.rarely(offered.unit, "g"),
            self.rng.randint(1, 2 * lots) * offered.lot // self.rng.choice((1, 2, 5)),
            self.rng.choice(("now", "days", "days", "week", "anytime")),
            NOW_MS - self.rng.choice(AGES_MS),
            self.rarely(self.rng.choice(METRES), 50_001, 10**9),
            self.rarely((), ("food",), ("food.water", "work")),
            self.moment(),
            self.moment(),
            self.rng.choice((0, 0, 9, 10)),
            self.rarely(10**9, 7, 700),
        )

    def world(self) -> World:
        """Return an offer, some requests, and six collectives."""
        offered = self.offer()
        requests = [self.request(n, offered) for n in range(self.rng.randint(0, self.requests_max))]
        everybody = [
            CollectiveView(
                key(name),
                self.rarely(self.rng.choice((1, 7, 20)), 0, 10**7),
                self.rarely(self.rng.choice(RECEIVED), 10**11),
                name == "river",
            )
            for name in NAMES
        ]
        return offered, requests, everybody
