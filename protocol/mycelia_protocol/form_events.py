"""What enters and leaves the engine about logs in compact form; part of `events.py`."""

from dataclasses import dataclass
from typing import TypeAlias

from mycelia_protocol.record import Record

# --- inputs ---


@dataclass(frozen=True, slots=True)
class CompactLoaded:
    """The store read at start how much of some logs it holds in compact form; before `StoreLoaded`.

    Attributes:
        logs: (author, log) -> the seq before which there is some.
    """

    logs: dict[tuple[bytes, bytes], int]


@dataclass(frozen=True, slots=True)
class FormsRead:
    """What `ReadForms` asked for; nothing if the log is not held so far."""

    token: int
    records: tuple[Record, ...]
    proof: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Shortened:
    """What `Shorten` asked for is done, or could not be done."""

    author: bytes
    log: bytes
    is_done: bool


@dataclass(frozen=True, slots=True)
class FormsCarried:
    """Somebody brought part of a log in whatever form; answered by `Carried`.

    Attributes:
        checkpoint: sums up the log before it.
        first: the seq of the first record.
        records: one at least; they follow each other, all before the checkpoint.
        proof: the roots beside them.
    """

    token: int
    checkpoint: Record
    first: int
    records: tuple[Record, ...]
    proof: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class EvidenceCarried:
    """Somebody brought vouches and acknowledgements to be looked at; answered by `Carried`.

    Attributes:
        bundle: the id of the bundle that they were in.
        place: which part of its evidence they are, from 0 on.
        is_last: no part has a greater place.
    """

    token: int
    bundle: bytes
    place: int
    is_last: bool
    records: tuple[Record, ...]


FormInput: TypeAlias = CompactLoaded | FormsRead | Shortened | FormsCarried | EvidenceCarried

# --- outputs ---


@dataclass(frozen=True, slots=True)
class ReadForms:
    """Read a log from `first` on, whole records or compact ones; report `FormsRead`.

    Attributes:
        until: the log is read up to before this seq, and has to be held so far.
        size_max: bytes after which no more are given.
        is_proved: whether what proves them under the sum of the log up to `until` is wanted.
    """

    token: int
    author: bytes
    log: bytes
    until: int
    first: int
    size_max: int
    is_proved: bool


@dataclass(frozen=True, slots=True)
class Shorten:
    """Keep of these records of one log no more than their compact forms; report `Shortened`.

    Attributes:
        until: the seq before which the log will be in compact form, in part.
        places: (first, last), both included.
    """

    author: bytes
    log: bytes
    until: int
    places: tuple[tuple[int, int], ...]
