"""Whether two stores hold the same, told in a few bytes. Spec: section 10.1.

Theory of operation. Each side says a digest of all heads in its store (DIGEST). Equal ones end the
exchange. Otherwise few heads are told at once; of many, the digests of buckets come first
(BUCKETS), then the heads of those buckets that differ. Every digest is keyed with the session's
hash: nobody can prepare two different sets of heads that look alike there.

Both remember when they last held the same. If both still know, each tells what moved since
(CHANGES), and names logs by their places among those that there were: a dozen bytes for each.

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
    BASE_ID_SIZE,
    BASES_MAX,
    BUCKET_DIGEST_SIZE,
    BUCKETS_FEW,
    BUCKETS_MANY,
    DIGEST_SIZE,
    HEADS_MARK_SIZE,
    LOGS_BUCKETED_MIN,
    LOGS_FINELY_BUCKETED_MIN,
)
from mycelia_protocol.logs import LogKey
from mycelia_protocol.messages import Buckets, Changes, Digest, HeadEntry, Heads

ROW_SIZE: Final = 56  # bytes that are hashed of each head: author, log, next_seq, prefix


class Vector:
    """The heads of all logs in a store at one moment; it does not change with the store.

    Attributes:
        heads: next_seq by log, in the order of (author, log).
        hidden: logs in the store of which there is no head, since they part at their beginning.
        moves: how often heads had moved in that store (`Logs.moves`).
    """

    def __init__(
        self, heads: Iterable[HeadEntry], keys: Iterable[LogKey] = (), moves: int = 0
    ) -> None:
        self.moves: Final = moves
        self.heads: Final[dict[LogKey, int]] = {}
        rows: list[bytes] = []
        for author, log, next_seq, prefix in sorted(heads):
            self.heads[author, log] = next_seq
            rows.append(author + log + next_seq.to_bytes(8, "big") + prefix)
        self._rows = b"".join(rows)
        self.hidden: Final = frozenset(key for key in keys if key not in self.heads)

    @cached_property
    def mark(self) -> bytes:
        """The short digest of all heads that anybody can compare (spec 10.7)."""
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


def name_changes(table: Sequence[LogKey], changes: Changes) -> tuple[HeadEntry, ...]:
    """Return the heads that CHANGES tell of logs at a base, which are in `table`, in order.

    Raises:
        SessionError: a place is that of no log.
    """
    if any(place >= len(table) for place, _, _ in changes.rows):
        raise SessionError("CHANGES of a log that was not there", requirement="REP-18")
    return tuple(HeadEntry(*table[place], seq, prefix) for place, seq, prefix in changes.rows)


def bucket_of(key: LogKey, count: int) -> int:
    """Return the bucket that a log is in: by the first byte of its id."""
    return key[1][0] * count // 256


def bucket_count(logs: int) -> int:
    """Return into how many buckets so many logs are put; 0 if their heads are told at once."""
    if logs <= LOGS_BUCKETED_MIN:
        return 0
    return BUCKETS_FEW if logs <= LOGS_FINELY_BUCKETED_MIN else BUCKETS_MANY


@dataclass(frozen=True, slots=True)
class Base:
    """A moment at which a member held the same: by what both name it, and what was held here.

    `hidden` and `moves` are those of the `Vector`.
    """

    id: bytes
    hidden: frozenset[LogKey]
    moves: int


@dataclass(slots=True)
class Exchange:
    """One link, and what is under way on it.

    Attributes:
        member: who is at its other end.
        key: the session's hash.
        vector: what the last DIGEST told; None while nothing is awaited.
        base: what that named.
        buckets: what was said by BUCKETS, once those of the peer are awaited.
        table: the logs at the base, in order, while CHANGES of the peer are awaited.
    """

    member: bytes
    key: bytes
    vector: Vector | None = None
    base: Base | None = None
    buckets: tuple[bytes, ...] = ()
    table: list[LogKey] | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """What a DIGEST or BUCKETS of a peer shows.

    Attributes:
        answers: what is said to that.
        common: logs that the peer holds just as far as this node; next_seq by log.
        differing: the logs of which heads are to be told; None if that is not known yet.
        table: the logs at the base, in order, if the heads are to be told as changes since then.
        is_same: whether the stores hold the same. Where a store lacks whole logs, or holds nothing,
            it has no head to tell, and they differ all the same.
    """

    answers: tuple[Digest | Buckets, ...]
    common: dict[LogKey, int]
    differing: Sequence[LogKey] | None
    table: Sequence[LogKey] | None = None
    is_same: bool = False


class Compare:
    """Knows what was said and is awaited on each link.

    Args:
        vector: gives the store's present heads.
        stored_at: `Logs.stored_at`.
    """

    def __init__(
        self, vector: Callable[[], Vector], stored_at: Callable[[int], dict[LogKey, bool]]
    ) -> None:
        self._vector = vector
        self._stored_at = stored_at
        self._exchanges: dict[int, Exchange] = {}
        self._bases: dict[bytes, Base] = {}  # by member, the one that was longest equal first

    def opened(self, link: int, member: bytes, key: bytes) -> Digest:
        """Begin with a member whose session has this hash."""
        self._exchanges[link] = Exchange(member, key)
        return self._begin(self._exchanges[link])

    def closed(self, link: int) -> None:
        """End with a member."""
        self._exchanges.pop(link, None)

    def again(self, link: int) -> list[Digest]:
        """Begin anew with a member, unless it owes an answer."""
        exchange = self._exchanges[link]
        is_free = exchange.vector is None and exchange.table is None
        return [self._begin(exchange)] if is_free else []

    def digest_came(self, link: int, said: Digest) -> Finding:
        """Take a DIGEST: an answer to the one that was said, or the beginning of an exchange.

        Raises:
            SessionError: BUCKETS had to come.
        """
        exchange = self._exchanges[link]
        if exchange.buckets or exchange.table is not None:
            raise SessionError("a DIGEST where something else is due", requirement="REP-14")
        answers = () if exchange.vector is not None else (self._begin(exchange),)
        own = exchange.vector
        assert own is not None
        if own.digest(exchange.key) == said.digest:
            exchange.vector = None
            self._remember(exchange.member, Base(said.digest[:BASE_ID_SIZE], own.hidden, own.moves))
            return Finding(answers, own.heads, (), is_same=True)
        if exchange.base is not None and said.base == exchange.base.id:
            return self._since(exchange, exchange.base, own, answers)
        count = bucket_count(max(len(own.heads), said.logs))
        if not count:
            exchange.vector = None
            return Finding(answers, {}, list(own.heads))
        exchange.buckets = own.buckets(exchange.key, count)
        return Finding((*answers, Buckets(exchange.buckets)), {}, None)

    def _remember(self, member: bytes, base: Base) -> None:
        self._bases.pop(member, None)
        self._bases[member] = base
        if len(self._bases) > BASES_MAX:
            del self._bases[next(iter(self._bases))]

    def _since(
        self, exchange: Exchange, base: Base, own: Vector, answers: tuple[Digest, ...]
    ) -> Finding:
        """Return what moved since both held the same."""
        stored = self._stored_at(base.moves)
        moved = {key: has for key, has in stored.items() if key not in base.hidden}
        common = {key: own.heads[key] for key, has in moved.items() if not has and key in own.heads}
        exchange.vector, exchange.table = None, list(moved)
        differing = [key for key in own.heads if key not in common]
        return Finding(answers, common, differing, exchange.table)

    def changes_came(self, link: int, changes: Changes) -> Heads:
        """Take CHANGES, and return them with the whole names of their logs.

        Raises:
            SessionError: they did not have to come, or name a log that was not there.
        """
        exchange = self._exchanges[link]
        if exchange.table is None:
            raise SessionError("CHANGES that are not due", requirement="REP-18")
        named = Heads(name_changes(exchange.table, changes), changes.complete)
        if changes.complete:
            exchange.table = None
        return named

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
        exchange.vector, exchange.base = self._vector(), self._bases.get(exchange.member)
        digest = exchange.vector.digest(exchange.key)
        base = b"" if exchange.base is None else exchange.base.id
        return Digest(digest, len(exchange.vector.heads), base)
