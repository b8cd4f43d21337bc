"""Whether two stores hold the same, told in a few bytes. Spec: section 10.1.

Theory of operation. Each side says a digest of all heads in its store (DIGEST). Equal ones end the
exchange. Otherwise few heads are told at once; of many, the digests of buckets come first
(BUCKETS), then the heads of those buckets that differ. Every digest is keyed with the session's
hash: nobody can prepare two different sets of heads that look alike there.

Each DIGEST is answered by one, and links keep order. So the nth of one side and the nth of the
other belong together, and both sides come to the same verdict, whatever was stored meanwhile.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from mycelia_protocol.crypto import HEADS, digest, keyed_digest
from mycelia_protocol.errors import SessionError
from mycelia_protocol.limits import (
    BUCKET_DIGEST_SIZE,
    BUCKETS_FEW,
    BUCKETS_MANY,
    DIGEST_SIZE,
    HEADS_MARK_SIZE,
    LOGS_BUCKETED_MIN,
    LOGS_FINELY_BUCKETED_MIN,
)
from mycelia_protocol.logs import LogKey
from mycelia_protocol.messages import Buckets, Digest, HeadEntry

ROW_SIZE: Final = 56  # bytes that are hashed of each head: author, log, next_seq, prefix


class Vector:
    """The heads of all logs in a store at one moment; it does not change with the store.

    Attributes:
        heads: next_seq by log, in the order of (author, log).
    """

    def __init__(self, heads: Iterable[HeadEntry]) -> None:
        self.heads: Final[dict[LogKey, int]] = {}
        rows: list[bytes] = []
        for author, log, next_seq, prefix in sorted(heads):
            self.heads[author, log] = next_seq
            rows.append(author + log + next_seq.to_bytes(8, "big") + prefix)
        self._rows = b"".join(rows)

    @cached_property
    def mark(self) -> bytes:
        """The short digest of all heads that anybody can compare (spec 10.6)."""
        return digest(HEADS, self._rows)[:HEADS_MARK_SIZE]

    def digest(self, key: bytes) -> bytes:
        """Return the digest of all heads."""
        return keyed_digest(key, self._rows, DIGEST_SIZE)

    def buckets(self, key: bytes, count: int) -> tuple[bytes, ...]:
        """Return the digests of so many buckets."""
        parts: list[list[bytes]] = [[] for _ in range(count)]
        for at, log in enumerate(self.heads):
            parts[bucket_of(log, count)].append(self._rows[at * ROW_SIZE : (at + 1) * ROW_SIZE])
        return tuple(keyed_digest(key, b"".join(part), BUCKET_DIGEST_SIZE) for part in parts)


def bucket_of(key: LogKey, count: int) -> int:
    """Return the bucket that a log is in: by the first byte of its id."""
    return key[1][0] * count // 256


def bucket_count(logs: int) -> int:
    """Return into how many buckets so many logs are put; 0 if their heads are told at once."""
    if logs <= LOGS_BUCKETED_MIN:
        return 0
    return BUCKETS_FEW if logs <= LOGS_FINELY_BUCKETED_MIN else BUCKETS_MANY


@dataclass(slots=True)
class Exchange:
    """One link, and what is under way on it.

    Attributes:
        key: the session's hash.
        vector: what the last DIGEST told; None while nothing is awaited.
        buckets: what was said by BUCKETS, once those of the peer are awaited.
    """

    key: bytes
    vector: Vector | None = None
    buckets: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """What a DIGEST or BUCKETS of a peer shows.

    Attributes:
        answers: what is said to that.
        common: logs that the peer holds just as far as this node; next_seq by log.
        differing: the logs of which heads are to be told; None if that is not known yet.
    """

    answers: tuple[Digest | Buckets, ...]
    common: dict[LogKey, int]
    differing: Sequence[LogKey] | None

    @property
    def is_same(self) -> bool:
        """Whether the stores hold the same."""
        return self.differing is not None and not self.differing


class Compare:
    """Knows what was said and is awaited on each link; `vector` gives the store's present heads."""

    def __init__(self, vector: Callable[[], Vector]) -> None:
        self._vector = vector
        self._exchanges: dict[int, Exchange] = {}

    def opened(self, link: int, key: bytes) -> Digest:
        """Begin with a member whose session has this hash."""
        self._exchanges[link] = Exchange(key)
        return self._begin(self._exchanges[link])

    def closed(self, link: int) -> None:
        """End with a member."""
        self._exchanges.pop(link, None)

    def again(self, link: int) -> list[Digest]:
        """Begin anew with a member, unless it owes an answer."""
        exchange = self._exchanges[link]
        return [self._begin(exchange)] if exchange.vector is None else []

    def digest_came(self, link: int, said: Digest) -> Finding:
        """Take a DIGEST: an answer to the one that was said, or the beginning of an exchange.

        Raises:
            SessionError: BUCKETS had to come.
        """
        exchange = self._exchanges[link]
        if exchange.buckets:
            raise SessionError("a DIGEST where BUCKETS are due", requirement="REP-14")
        answers = () if exchange.vector is not None else (self._begin(exchange),)
        own = exchange.vector
        assert own is not None
        if own.digest(exchange.key) == said.digest:
            exchange.vector = None
            return Finding(answers, own.heads, ())
        count = bucket_count(max(len(own.heads), said.logs))
        if not count:
            exchange.vector = None
            return Finding(answers, {}, list(own.heads))
        exchange.buckets = own.buckets(exchange.key, count)
        return Finding((*answers, Buckets(exchange.buckets)), {}, None)

    def buckets_came(self, link: int, buckets: Buckets) -> Finding:
        """Take BUCKETS, which follow unequal digests of many logs.

        Raises:
            SessionError: they did not have to come, or are another number of them.
        """
        exchange = self._exchanges[link]
        count = len(buckets.digests)
        if exchange.vector is None or count != len(exchange.buckets):
            raise SessionError("BUCKETS that are not due", requirement="REP-14")
        pairs = zip(exchange.buckets, buckets.digests, strict=True)
        is_equal = [here == there for here, there in pairs]
        common: dict[LogKey, int] = {}
        differing: list[LogKey] = []
        for key, next_seq in exchange.vector.heads.items():
            if is_equal[bucket_of(key, count)]:
                common[key] = next_seq
            else:
                differing.append(key)
        exchange.vector, exchange.buckets = None, ()
        return Finding((), common, differing)

    def _begin(self, exchange: Exchange) -> Digest:
        exchange.vector = self._vector()
        return Digest(exchange.vector.digest(exchange.key), len(exchange.vector.heads))
