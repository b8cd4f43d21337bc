"""What members told of their stores, kept for bundles that leave out what somebody holds.

It is a hint: what was told may be old, and may be lost. A bundle that leaves out too much shows its
gaps where it is read; one that leaves out too little is only longer.
"""

from dataclasses import dataclass

from mycelia_protocol.encoding import Value, decode, encode
from mycelia_protocol.errors import EncodingError
from mycelia_protocol.limits import PEER_HEADS_MAX
from mycelia_protocol.logs import LogKey

NOTE_SIZE_MAX = 64 * PEER_HEADS_MAX  # bytes; an entry takes at most 54


@dataclass(frozen=True, slots=True)
class Heard:
    """What a member held, by its own word: log -> how many of its records; and when it told."""

    told_ms: int
    heads: dict[LogKey, int]


def note_name(peer: bytes) -> str:
    """Return the name under which the store keeps what a member told."""
    return f"heads {peer.hex()}"


def heads_note(peer: bytes, told_ms: int, heads: dict[LogKey, int]) -> tuple[str, bytes]:
    """Return name and value of the note that keeps what a member told."""
    rows: list[Value] = [[*key, next_seq] for key, next_seq in sorted(heads.items())]
    return note_name(peer), encode([told_ms, rows])


def read_note(value: bytes | None) -> Heard | None:
    """Return what such a note says; None if there is none, or none that can be read."""
    if value is None:
        return None
    try:
        match decode(value, size_max=NOTE_SIZE_MAX, length_max=PEER_HEADS_MAX):
            case [int(told_ms), tuple(rows)]:
                heads: dict[LogKey, int] = {}
                for row in rows:
                    match row:
                        case [bytes(author), bytes(log), int(next_seq)]:
                            heads[author, log] = next_seq
                        case _:
                            return None
                return Heard(told_ms, heads)
            case _:
                return None
    except EncodingError:
        return None
