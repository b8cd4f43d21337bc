"""Vectors of section 10.7: members' words about themselves, and the digest that they carry."""

from dataclasses import replace

from mycelia_protocol.compare import Vector
from mycelia_protocol.crypto import PRESENCE, domain
from mycelia_protocol.encoding import encode
from mycelia_protocol.messages import HeadEntry, encode_message
from mycelia_protocol.presence import Presence, speak
from vectors.suite import KEYS, SEEDS, TIME_MS, Json, Suite, derived

NOTES = {
    "Word": "What a member says, and what exactly it signs.",
    "Moved": "A word of another commons: what is signed names it.",
    "Forged": "Something was changed after signing, or somebody else signed. The session ends.",
    "Mark": "The short digest of all heads, which is not keyed: all members can compare it.",
}
COMMONS = derived("commons of the words")
HEADS = [
    HeadEntry(KEYS["mill"], derived("log 1", 8), 3, derived("head 1", 8)),
    HeadEntry(KEYS["oak"], derived("log 2", 8), 2**53 - 1, derived("head 2", 8)),
]


def build() -> Suite:
    """Return the suite."""
    suite = Suite("presence", NOTES)
    for comment, heads in (("nothing", []), ("one log", HEADS[:1]), ("two logs", HEADS)):
        rows: list[Json] = [
            [h.author.hex(), h.log.hex(), str(h.next_seq), h.prefix.hex()] for h in heads
        ]
        inputs: dict[str, Json] = {"op": "mark", "heads": rows}
        suite.valid(
            f"mark of {comment}", "PRES-1", inputs, {"mark": Vector(heads).mark.hex()}, "Mark"
        )
    mark = Vector(HEADS).mark
    awake = speak(COMMONS, SEEDS["mill"], KEYS["mill"], TIME_MS, mark, is_resting=False)
    rest = speak(COMMONS, SEEDS["oak"], KEYS["oak"], TIME_MS + 1, mark, is_resting=True)
    _add(suite, "is there", awake, "Word")
    _add(suite, "is about to rest", rest, "Word")
    _refuse(suite, "of another commons", awake, "Moved", derived("another commons"))
    changes = (
        ("in another's name", replace(awake, author=KEYS["oak"])),
        ("a millisecond later", replace(awake, time_ms=TIME_MS + 1)),
        ("of another store", replace(awake, heads=bytes(8))),
        ("that rests all of a sudden", replace(awake, is_resting=True)),
        ("with another version more", replace(awake, versions=(1, 2))),
        ("with a feature more", replace(awake, features=("x-fast",))),
        ("with the signature of another word", replace(awake, signature=rest.signature)),
    )
    for comment, changed in changes:
        _refuse(suite, comment, changed, "Forged")
    return suite


def _inputs(said: Presence, commons: bytes) -> dict[str, Json]:
    return {"op": "word", "commons": commons.hex(), "bytes": encode_message(said).hex()}


def _add(suite: Suite, comment: str, said: Presence, flag: str) -> None:
    signed = domain(PRESENCE) + encode([COMMONS, *said.fields()[:-1]])
    steps: dict[str, Json] = {"signed": signed.hex(), "author": said.author.hex()}
    suite.valid(f"a member {comment}", "PRES-1", _inputs(said, COMMONS), steps, flag)


def _refuse(
    suite: Suite, comment: str, said: Presence, flag: str, commons: bytes = COMMONS
) -> None:
    suite.invalid(f"a word {comment}", "PRES-3", _inputs(said, commons), "forged", flag)
