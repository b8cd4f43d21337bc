"""Vectors of section 10.1.1: digests by which two stores are compared."""

from mycelia_protocol.compare import Vector
from mycelia_protocol.limits import BUCKETS_FEW, BUCKETS_MANY
from mycelia_protocol.messages import HeadEntry
from vectors.suite import KEYS, Json, Suite, derived

NOTES = {
    "Empty": "A store that holds nothing, or buckets without a log.",
    "Order": "Heads are sorted by author, then log, whatever order they are held in.",
    "Key": "The same heads in another session: another digest.",
    "Head": "One seq, or one id, makes the difference.",
    "Many": "Several logs share a bucket.",
}


def build() -> Suite:
    """Return the suite."""
    suite = Suite("digest", NOTES)
    mill, oak = KEYS["mill"], KEYS["oak"]
    first = HeadEntry(mill, derived("log 1", 8), 3, derived("head 1", 8))
    second = HeadEntry(oak, derived("log 2", 8), 2**53 - 1, derived("head 2", 8))
    edges = [HeadEntry(mill, bytes([at]) + bytes(7), 1, bytes(8)) for at in (0, 3, 4, 255)]
    authors = [derived(f"author {number}") for number in range(40)]
    many = [
        HeadEntry(authors[at % 40], derived(f"log {at}", 8), at + 1, derived(f"head {at}", 8))
        for at in range(300)
    ]
    _add(suite, "nothing", [], "Empty")
    _add(suite, "one log", [first], "Empty")
    _add(suite, "two logs", [first, second], "Order")
    _add(suite, "two logs, the other way round", [second, first], "Order")
    _add(suite, "one record more", [first._replace(next_seq=4)], "Head")
    _add(suite, "another record at the same place", [first._replace(prefix=bytes(8))], "Head")
    _add(suite, "one log in another session", [first], "Key", session="another session")
    _add(suite, "first bytes of logs at the edges of buckets", edges, "Empty")
    _add(suite, "300 logs of 40 authors", many, "Many")
    return suite


def _add(
    suite: Suite, comment: str, heads: list[HeadEntry], flag: str, session: str = "session"
) -> None:
    key, vector = derived(session), Vector(heads)
    inputs: dict[str, Json] = {
        "session": key.hex(),
        "heads": [[h.author.hex(), h.log.hex(), str(h.next_seq), h.prefix.hex()] for h in heads],
    }
    steps: dict[str, Json] = {
        "digest": vector.digest(key).hex(),
        "few": b"".join(vector.buckets(key, BUCKETS_FEW)).hex(),
        "many": b"".join(vector.buckets(key, BUCKETS_MANY)).hex(),
    }
    suite.valid(comment, "REP-13 REP-14", inputs, steps, flag)
