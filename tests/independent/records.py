"""Sections 6.2 to 6.4 and 7: envelopes, bodies, and which records a log takes."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from independent import bodies, decisions
from independent.bodies import WORDS, open_body, read_words
from independent.keys import h, is_large, prefix, verify
from independent.text import is_bytes, is_integer, is_text
from independent.wire import LARGEST, Refused, decode


@dataclass(frozen=True)
class Rec:
    """A record whose structure is right."""

    id: bytes
    header: bytes
    signature: bytes | None
    body: bytes | None
    fields: list[Any]

    @property
    def author(self) -> bytes:
        """Field 2."""
        return bytes(self.fields[2])

    @property
    def log(self) -> tuple[bytes, bytes]:
        """Fields 2 and 3: which log."""
        return self.fields[2], self.fields[3]

    @property
    def seq(self) -> int:
        """Field 4."""
        return int(self.fields[4])

    @property
    def prev(self) -> bytes | None:
        """Field 5."""
        return self.fields[5]  # type: ignore[no-any-return]  # checked by `structure`

    @property
    def kind(self) -> str:
        """Field 6."""
        return str(self.fields[6])

    @property
    def refs(self) -> list[bytes]:
        """Field 10."""
        return list(self.fields[10])

    def is_signed(self) -> bool:
        """Say whether the record's own signature verifies."""
        message = prefix("signature") + self.id
        return self.signature is not None and verify(self.author, message, self.signature)


def read_envelope(envelope: object) -> Rec:
    """Go through the list of section 6.3."""
    match envelope:
        case [bytes(header), bytes() | None as signature, bytes() | None as body]:
            pass
        case _:
            raise Refused("record", "REC-1")
    if len(header) > 1_024:
        raise Refused("record", "REC-1")
    fields = decode(header)
    if not isinstance(fields, list) or len(fields) != 11:
        raise Refused("record", "REC-2")
    if not is_integer(fields[0], 1, 1):
        raise Refused("version", "REC-2")
    structure(fields)
    if signature is not None and len(signature) != 64:
        raise Refused("record", "REC-8")
    if body is not None:
        blind, facts, words = open_body(body)
        if h("body", blind, facts) != fields[9] or (words is not None and len(body) != fields[8]):
            raise Refused("record", "REC-9")
    return Rec(h("record", header), header, signature, body, fields)


def structure(fields: list[Any]) -> None:
    """Check fields 1 to 10 of a header."""
    _, commons, author, log, seq, prev, kind, time, size, digest, refs = fields
    rules = {
        "REC-3": is_bytes(commons, 32) and is_bytes(author, 32) and is_bytes(log, 8),
        "REC-4": is_integer(seq) and (prev is None if seq == 0 else is_bytes(prev, 32)),
        "REC-5": isinstance(kind, str)
        and re.fullmatch("[a-z-]{1,24}", kind) is not None
        and (kind == "incarnation") == (seq == 0),
        "REC-6": is_integer(time) and is_integer(size, 25, 16_384) and is_bytes(digest, 32),
        "REC-7": isinstance(refs, list)
        and len(refs) <= 16
        and all(is_bytes(ref, 32) for ref in refs)
        and len(set(refs)) == len(refs),
    }
    for name, holds in rules.items():
        if not holds:
            raise Refused("record", name)


# Field tables of section 7: name -> (type, least, most or choices); "?" marks optional fields.
MOST = 1_000_000_000
THING = {
    "category": (str, 3, 40),
    "title": (str, 1, 80),
    "quantity": (int, 1, MOST),
    "unit": (str, ("1", "W.h", "g", "mL", "min")),
    "note?": (str, 0, 2_000),
    "expires_ms?": (int, 0, LARGEST),
}
PLACE = {
    "lat_e7?": (int, -900_000_000, 900_000_000),
    "lon_e7?": (int, -1_800_000_000, 1_800_000_000),
    "cell_e7?": (int, 100_000, 100_000_000),
}
MOMENT, PEOPLE, SLOT = (int, 0, LARGEST), (int, 1, 1_000_000), (int, 0, 255)
TERMS = {
    "terms?": (str, ("consume", "lend", "service")),
    "lot?": (int, 1, MOST),
    "minimum?": (int, 0, MOST),
    "slots?": (list, 0, 256),
    "from_ms?": MOMENT,
    "until_ms?": MOMENT,
    "carrier?": (str, 1, 24),
    "audience?": (list, 0, 128),
    "on_behalf_of?": (bytes, 32, 32),
    "renewing?": (bool,),
    "inexhaustible?": (bool,),
    "ask?": (bool,),
}
NEED = {
    "urgency": (str, ("now", "days", "week", "anytime")),
    "needed_by_ms?": MOMENT,
    "people?": PEOPLE,
    "on_behalf_of?": (bytes, 32, 32),
    "substitutes?": (list, 0, 8),
}
MATTERS = ("not-received", "not-as-described", "not-returned", "damaged", "other")
REFS_MOST = {"decision": 2, "grant": 16, "rights": 16, "receipt": 2, "message": 16}
TABLES: dict[str, tuple[int, dict[str, tuple[Any, ...]]]] = {
    "incarnation": (0, {"heads": (list, 0, 256), "generation?": (int, 0, 2**53 - 1)}),
    "vouch": (0, {"key": (bytes, 32, 32), "invite?": (bytes, 32, 32)}),
    "profile": (
        0,
        {
            "name": (str, 1, 80),
            "about?": (str, 0, 2_000),
            "addresses?": (list, 0, 8),
            "members?": PEOPLE,
            "seal_key?": (bytes, 32, 32),
            **PLACE,
        },
    ),
    "offer": (0, {**THING, **PLACE, **TERMS}),
    "request": (0, {**THING, **PLACE, **NEED}),
    "withdraw": (1, {"reason?": (str, 0, 2_000), "met_elsewhere?": (bool,)}),
    "consent": (2, {"quantity": (int, 1, MOST), "slot?": SLOT}),
    "claim": (2, {"quantity": (int, 1, MOST), "rank": (int, 1, 99), "slot?": SLOT}),
    "party": (
        0,
        {
            "form": (str, ("ecosystem", "people")),
            "name": (str, 1, 80),
            "about?": (str, 0, 2_000),
            "members?": PEOPLE,
            "guardians?": (list, 0, 32),
            **PLACE,
        },
    ),
    "grant": (2, {"quantity": (int, 1, MOST), "slot?": SLOT, "accept_by_ms?": MOMENT}),
    "rights": (
        1,
        {
            "to": (bytes, 32, 32),
            "log": (bytes, 8, 8),
            "quantity": (int, 1, MOST),
            "slot?": SLOT,
            "until_ms?": MOMENT,
            "reason?": (str, 0, 2_000),
        },
    ),
    "message": (
        0,
        {"to": (bytes, 32, 32), "enc": (bytes, 32, 32), "sealed": (bytes, 16, 12_288)},
    ),
    "return": (1, {"quantity": (int, 1, MOST)}),
    "answer": (1, {"accept": (bool,)}),
    "receipt": (
        1,
        {
            "side": (str, ("handed", "received", "returned")),
            "quantity": (int, 0, MOST),
            "condition?": (str, 0, 80),
        },
    ),
    "renew": (
        1,
        {
            "expires_ms?": MOMENT,
            "until_ms?": MOMENT,
            "needed_by_ms?": MOMENT,
            "quantity?": (int, 1, MOST),
        },
    ),
    "checkpoint": (0, {"root": (bytes, 32, 32)}),
    "acknowledge": (0, {"checkpoints": (list, 1, 256)}),
    "erase": (0, {"log": (bytes, 8, 8), "ranges": (list, 1, 256)}),
    "fork": (0, {"ends": (list, 2, 2)}),
    "dispute": (1, {"matter": (str, MATTERS), "text?": (str, 0, 2_000)}),
    "observation": (
        1,
        {
            "indicator": (str, ("soil", "water", "biodiversity", "canopy", "waste")),
            "value_pm": (int, 0, 1_000),
            "method?": (str, 0, 2_000),
            "evidence?": (bytes, 32, 32),
        },
    ),
}
TABLES |= decisions.TABLES


def read_body(
    kind: str, log: bytes, refs: int, content: bytes, words: bytes | None
) -> dict[str, Any] | None:
    """Return the fields of a well-formed body of a known kind, or None."""
    if kind not in TABLES or refs < TABLES[kind][0]:
        return None
    if refs > REFS_MOST.get(kind, TABLES[kind][0]):
        return None
    try:
        found = decode(content, maps=True)
    except Refused:
        return None
    if not isinstance(found, dict):
        return None
    found = {key: value for key, value in found.items() if key not in WORDS}
    told = read_words(words)
    for name, rule in TABLES[kind][1].items():
        key = name.rstrip("?")
        if key in WORDS:
            if key in told and _fits(told[key], rule):
                found[key] = told[key]
        elif key in found:
            if not _fits(found[key], rule):
                return None
        elif key == name:
            return None
    if kind == "decision" and refs == 2 and "approver" not in found:
        return None
    return found if _further_rules(kind, log, found) else None


def _fits(value: Any, rule: tuple[Any, ...]) -> bool:
    match rule:
        case (form, least, most):
            size = value if form is int else len(value) if type(value) is form else 0
            return type(value) is form and bool(least <= size <= most)
        case (form, choices):
            return type(value) is form and value in choices
        case _:
            return type(value) is rule[0]


def _further_rules(kind: str, log: bytes, body: dict[str, Any]) -> bool:
    return _is_on_grid(kind, body) and (kind not in RULES or RULES[kind](body, log))


def _is_on_grid(kind: str, body: dict[str, Any]) -> bool:
    place = [body.get(name) for name in PLACE_NAMES]
    if kind not in ("profile", "offer", "request", "party") or place == [None] * 3:
        return True
    lat, lon, cell = place
    return None not in place and not lat % cell and not lon % cell  # type: ignore[operator]


def _offer(body: dict[str, Any], log: bytes) -> bool:
    terms, slots = body.get("terms", "consume"), body.get("slots", [])
    if not all(isinstance(slot, list) and len(slot) == 2 for slot in slots):
        return False
    times = [time for slot in slots for time in slot]
    if not all(is_integer(time) for time in times):
        return False
    first, last = body.get("from_ms", -1), body.get("until_ms", LARGEST + 1)
    return (
        re.fullmatch(CATEGORY, body["category"]) is not None
        and body["quantity"] % body.get("lot", 1) == 0
        and body.get("minimum", 0) <= body["quantity"]
        and bool(slots) == (terms == "lend")
        and times == sorted(times)
        and all(start < end for start, end in slots)
        and body["unit"] == {"lend": "1", "service": "min"}.get(terms, body["unit"])
        and first < last
        and re.fullmatch(WORD, body.get("carrier", "unknown")) is not None
        and _are_keys(body.get("audience", []))
        and [body.get("renewing"), body.get("inexhaustible"), terms == "lend"].count(True) < 2
    )


def _request(body: dict[str, Any], log: bytes) -> bool:
    others = body.get("substitutes", [])
    return (
        re.fullmatch(CATEGORY, body["category"]) is not None
        and all(isinstance(each, str) and len(each) <= 40 for each in others)
        and all(re.fullmatch(f"{WORD}|{CATEGORY}", each) for each in others)
        and len(set(others)) == len(others)
    )


def _are_keys(items: list[Any]) -> bool:
    return all(is_bytes(item, 32) for item in items) and items == sorted(set(items))


def _incarnation(body: dict[str, Any], log: bytes) -> bool:
    heads = body["heads"]
    if not all(isinstance(head, list) and len(head) == 3 for head in heads):
        return False
    fit = all(is_bytes(a, 8) and is_integer(b) and is_bytes(c, 32) for a, b, c in heads)
    logs = [head[0] for head in heads]
    return fit and logs == sorted(set(logs)) and log not in logs


PLACE_NAMES = ("lat_e7", "lon_e7", "cell_e7")
WORD = "[a-z-]+"
CATEGORY = r"[a-z-]+\.[a-z-]+"
RULES: dict[str, Callable[[dict[str, Any], bytes], bool]] = {
    "acknowledge": lambda body, log: _are_keys(body["checkpoints"]),
    "erase": bodies.erase,
    "offer": _offer,
    "request": _request,
    "incarnation": _incarnation,
    **decisions.RULES,
    "vouch": lambda body, _: is_large(body["key"]),
    "profile": lambda body, _: all(is_text(each, 1, 200) for each in body.get("addresses", [])),
    "renew": lambda body, _: any(name.rstrip("?") in body for name in TABLES["renew"][1]),
    "party": lambda body, _: _are_keys(body.get("guardians", [])),
}


class Chains:
    """Section 6.4: what a reader has accepted of each log."""

    def __init__(self) -> None:
        self.accepted: dict[tuple[bytes, bytes], list[Rec]] = {}
        self.held: list[Rec] = []
        self.contrary: set[bytes] = set()
        self.is_forged = False

    def take(self, batch: list[Rec]) -> None:
        """Take what one message brought."""
        authentic: dict[bytes, Rec] = {}
        wanted: set[tuple[bytes, bytes, bytes | None]] = set()
        for record in sorted(batch, key=lambda each: -each.seq):
            if record.is_signed() or (*record.log, record.id) in wanted:
                authentic[record.id] = record
                wanted.add((*record.log, record.prev))
        known = {record.id for chain in self.accepted.values() for record in chain}
        self.is_forged |= any(r.id not in authentic and r.id not in known for r in batch)
        self.held = [*self.held, *authentic.values()]
        self.held.sort(key=lambda each: each.seq)
        waiting = []
        for record in self.held:
            chain = self.accepted.setdefault(record.log, [])
            head = chain[-1].id if chain else None
            if record.seq == len(chain) and record.prev == head:
                chain.append(record)
            elif record.seq > len(chain):
                waiting.append(record)
            elif record.seq == len(chain) or chain[record.seq].id != record.id:
                self.contrary.add(record.id)
        self.held = waiting
