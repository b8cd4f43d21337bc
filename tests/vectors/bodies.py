"""A good body of each kind, and what its fields may be; vectors of bodies are made from these."""

from mycelia_protocol.crypto import digest
from mycelia_protocol.encoding import Value, encode
from mycelia_protocol.sharing.baselines import document
from mycelia_protocol.sharing.policy import write_policy
from vectors import forked
from vectors.suite import KEYS, TIME_MS, derived

Content = dict[str, Value]

INCARNATION: Content = {"heads": [[bytes(8), 3, bytes(32)], [bytes(7) + b"\1", 0, bytes(32)]]}
VOUCH: Content = {"key": KEYS["oak"], "invite": bytes(32)}
PLACE: Content = {"lat_e7": 449_700_000, "lon_e7": -932_700_000, "cell_e7": 100_000}
PROFILE: Content = {
    "name": "Mill",
    "about": "By the river",
    "addresses": ["127.0.0.1:7946"],
    "members": 12,
    "seal_key": derived("seal key of mill"),
    **PLACE,
}
THING: Content = {
    "category": "food.water",
    "title": "Water",
    "quantity": 20_000,
    "unit": "mL",
    "note": "in cans",
    "expires_ms": TIME_MS,
}
SOME_KEYS: list[Value] = [*sorted((KEYS["elm"], KEYS["oak"]))]
OFFER: Content = {
    **THING,
    "terms": "consume",
    "lot": 5_000,
    "minimum": 10_000,
    "from_ms": TIME_MS,
    "until_ms": TIME_MS + 1,
    "carrier": "cargo-bike",
    "audience": SOME_KEYS,
    "on_behalf_of": derived("a party"),
    "renewing": True,
    "inexhaustible": False,
    "ask": True,
    **PLACE,
}
LOAN: Content = {
    **THING,
    "terms": "lend",
    "quantity": 2,
    "unit": "1",
    "slots": [[TIME_MS, TIME_MS + 10], [TIME_MS + 10, TIME_MS + 11]],
}
REQUEST: Content = {
    **THING,
    "urgency": "days",
    "needed_by_ms": TIME_MS,
    "people": 4,
    "on_behalf_of": derived("a party"),
    "substitutes": ["food.dry", "health"],
    **PLACE,
}
PARTY: Content = {
    "form": "ecosystem",
    "name": "The creek",
    "about": "from the spring to the mill",
    "members": 40,
    "guardians": SOME_KEYS,
    **PLACE,
}
VIEW: Content = {
    "view": derived("a view"),
    "heads": [[bytes(8), 3, bytes(8)], [b"\1" * 8, 0, bytes(8)]],
}
ROWS: list[Value] = [
    [derived("first"), 0, [1_000, 500, 0, 999, 1, 0], 1_000_000, 5_000],
    [derived("second"), 1_023, [0] * 6, 0, 0],
    [derived("third"), 4, None, None, 0],
]
OVERRIDE: Content = {
    "chosen": derived("second"),
    "quantity": 5_000,
    "reason": "they have a clinic",
    "approver": KEYS["oak"],
}


def decided(rows: list[Value], **fields: Value) -> Content:
    """Return a decision with these rows, and their digest."""
    return {
        **VIEW,
        "policy": derived("a policy"),
        "as_of_ms": TIME_MS,
        "slot": 1,
        "left": 20_000,
        "total": len(rows),
        "rows": rows[:64],
        "digest": digest("rows", *map(encode, rows)),
        "ground": "score",
        "margin": 1_000_000,
        **fields,
    }


GOOD: dict[str, Content] = {
    "incarnation": INCARNATION,
    "vouch": VOUCH,
    "profile": PROFILE,
    "offer": OFFER,
    "request": REQUEST,
    "grant": {"quantity": 5_000, "slot": 1, "accept_by_ms": TIME_MS},
    "rights": {
        "to": KEYS["oak"],
        "log": derived("log of rights", 8),
        "quantity": 5_000,
        "slot": 1,
        "until_ms": TIME_MS,
        "reason": "for the east bank",
    },
    "return": {"quantity": 5_000},
    "claim": {"quantity": 5_000, "rank": 2, "slot": 1},
    "party": PARTY,
    "message": {"to": KEYS["oak"], "enc": derived("enc"), "sealed": bytes(16)},
    "answer": {"accept": True},
    "receipt": {"side": "handed", "quantity": 5_000, "condition": "two cans dented"},
    "withdraw": {"reason": "spilt", "met_elsewhere": True},
    "renew": {"expires_ms": TIME_MS, "until_ms": TIME_MS, "needed_by_ms": TIME_MS, "quantity": 5},
    "fork": forked.GOOD,
    "dispute": {"matter": "damaged", "text": "it leaks"},
    "observation": {
        "indicator": "water",
        "value_pm": 640,
        "method": "kick sampling",
        "evidence": bytes(32),
    },
    "policy": {"document": write_policy(document("balanced"))},
    "view": VIEW,
    "erase": {"log": derived("log of an erasure", 8), "ranges": [[0, 0], [2, 5], [7, 7]]},
    "decision": decided(ROWS),
    "checkpoint": {"root": derived("root")},
    "consent": {"quantity": 5_000, "slot": 1},
    "acknowledge": {"checkpoints": sorted(derived(f"checkpoint {n}") for n in range(3))},
}
LATER = ("checkpoint", "acknowledge", "consent")  # kinds whose cases stand behind all others
REFS = {
    "answer": 1,
    "claim": 2,
    "consent": 2,
    "decision": 1,
    "grant": 2,
    "dispute": 1,
    "observation": 1,
    "receipt": 1,
    "renew": 1,
    "return": 1,
    "rights": 1,
    "withdraw": 1,
}
MORE_REFS = {"grant": 16, "rights": 16, "receipt": 2, "message": 16}  # with what else they may name
OPTIONAL = {
    *("invite", "about", "addresses", "note", "expires_ms", "needed_by_ms", "reason", "lot"),
    *("terms", "minimum", "from_ms", "until_ms", "carrier", "audience", "renewing"),
    *("inexhaustible", "people", "on_behalf_of", "substitutes", "members", "guardians", "slot"),
    *("accept_by_ms", "condition", "met_elsewhere", "seal_key", "text", "method", "evidence"),
    *("margin", "ask"),
}
LARGEST = 1_000_000_000
# For each field the values just inside and just outside of its bounds.
BOUNDS: dict[str, tuple[list[Value], list[Value]]] = {
    "category": (["a.b", "a" * 19 + "." + "b" * 20], ["a.", "a" * 20 + "." + "b" * 20]),
    "title": (["t", "ü" * 80], ["", "t" * 81]),
    "name": (["n", "ü" * 80], ["", "n" * 81]),
    "note": (["", "ü" * 2_000], ["n" * 2_001]),
    "about": (["", "ü" * 2_000], ["a" * 2_001]),
    "reason": (["", "ü" * 2_000], ["r" * 2_001]),
    "expires_ms": ([0, 2**53 - 1], [-1]),
    "needed_by_ms": ([0, 2**53 - 1], [-1]),
    "addresses": ([[], ["a" * 200] * 8], [["a"] * 9, [""], ["a" * 201], [b"a"], [None]]),
    "key": ([KEYS["elm"]], [KEYS["oak"][:31], KEYS["oak"] + b"\0"]),
    "invite": ([b"\xff" * 32], [bytes(31), bytes(33)]),
    "members": ([1, 1_000_000], [0, 1_000_001]),
    "people": ([1, 1_000_000], [0, 1_000_001]),
    "on_behalf_of": ([bytes(32)], [bytes(31), bytes(33)]),
    "substitutes": ([[], ["a.b"], [*"abcdefgh"]], [[*"abcdefghi"]]),
    "audience": ([[], [KEYS["oak"]]], [[n.to_bytes(32, "big") for n in range(129)]]),
    "guardians": ([[], [KEYS["oak"]]], [[n.to_bytes(32, "big") for n in range(33)]]),
    "carrier": (["a", "a" * 24], ["", "a" * 25]),
    "from_ms": ([0], [-1]),
    "until_ms": ([2**53 - 1], []),
    "minimum": ([0, 20_000], [-1]),
    "rank": ([1, 99], [0, 100]),
    "slot": ([0, 255], [-1, 256]),
    "accept_by_ms": ([0, 2**53 - 1], [-1]),
    "seal_key": ([bytes(32)], [bytes(31), bytes(33)]),
    "enc": ([bytes(32)], [bytes(31), bytes(33)]),
    "sealed": ([b"\1" * 16, bytes(12_288)], [bytes(15), bytes(12_289)]),
    "view": ([bytes(32)], [bytes(31), bytes(33)]),
    "policy": ([bytes(32)], [bytes(31), bytes(33)]),
    "as_of_ms": ([0, 2**53 - 1], [-1]),
    "left": ([0, 1_000_000_000], [-1, 1_000_000_001]),
    "margin": ([-1_000_000, 0], [-1_000_001, 1_000_001]),
    "to": ([bytes(32)], [bytes(31), bytes(33)]),
    "log": ([bytes(8)], [bytes(7), bytes(9)]),
    "value_pm": ([0, 1_000], [-1, 1_001]),
    "condition": (["", "ü" * 80], ["c" * 81]),
    "evidence": ([b"\xff" * 32], [bytes(31), bytes(33)]),
}
CHOICES = {
    "ground": ["nobody", "alone", "floor", "score", "posted", "tie", "lot", "had", "nearer"],
    "unit": ["1", "W.h", "g", "mL", "min"],
    "urgency": ["now", "days", "week", "anytime"],
    "side": ["handed", "received", "returned"],
    "matter": ["not-received", "not-as-described", "not-returned", "damaged", "other"],
    "indicator": ["soil", "water", "biodiversity", "canopy", "waste"],
    "form": ["ecosystem", "people"],
}
