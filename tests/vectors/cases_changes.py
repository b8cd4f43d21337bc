"""Vectors of section 10.1.2: heads told as changes since both sides held the same."""

from mycelia_protocol.compare import name_changes
from mycelia_protocol.errors import SessionError
from mycelia_protocol.logs import LogKey
from mycelia_protocol.messages import Changes, encode_message
from vectors.suite import KEYS, Json, Suite, derived

NOTES = {
    "Place": "Places count from 0 in the order of author, then log, however the logs are given.",
    "Beyond": "A place of no log: the session ends.",
}


def build() -> Suite:
    """Return the suite."""
    suite = Suite("changes", NOTES)
    authors = [derived(f"author {number}") for number in range(7)]
    many = [(authors[at % 7], derived(f"log {at}", 8)) for at in range(300)]
    few = [(KEYS[name], derived(f"log of {name}", 8)) for name in ("mill", "oak", "elm")]
    last = len(many) - 1
    rows = ((0, 4, bytes(8)), (128, 2**53 - 1, b"\1" * 8), (last, 9, b"\2" * 8))
    _add(suite, "of nothing", many, Changes((), complete=True))
    _add(suite, "of three logs of 300", many, Changes(rows, complete=True))
    _add(suite, "with more to come", few, Changes(((2, 1, bytes(8)),), complete=False))
    _add(suite, "of a log that was not there", few, Changes(((3, 1, bytes(8)),), complete=True))
    _add(suite, "where nothing was there", [], Changes(((0, 1, bytes(8)),), complete=True))
    return suite


def _add(suite: Suite, comment: str, then: list[LogKey], changes: Changes) -> None:
    inputs: dict[str, Json] = {
        "then": [[author.hex(), log.hex()] for author, log in then],
        "bytes": encode_message(changes).hex(),
    }
    try:
        named = name_changes(sorted(then), changes)
    except SessionError:
        suite.invalid(f"changes {comment}", "REP-18", inputs, "session", "Beyond")
        return
    heads: list[Json] = [
        [head.author.hex(), head.log.hex(), str(head.next_seq), head.prefix.hex()] for head in named
    ]
    suite.valid(f"changes {comment}", "REP-18", inputs, {"heads": heads}, "Place")
