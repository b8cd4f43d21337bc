"""Which heads this node has to tell, and when. Spec: section 10.

Heads that move in the store are gathered for a moment and told together, to each peer those that it
can't know of. What is pushed through the commons is only announced.
"""

from collections.abc import Callable, Collection, Iterable

from mycelia_protocol.clock import earliest
from mycelia_protocol.compare import Vector
from mycelia_protocol.limits import ANNOUNCE_DELAY_MS, HEADS_DELAY_MS
from mycelia_protocol.logs import LogKey, Logs
from mycelia_protocol.messages import Announce, HeadEntry, Heads, TaggedHead
from mycelia_protocol.rng import Rng
from mycelia_protocol.told import Peer, head_frames
from mycelia_protocol.types.heads import tag_of


class Telling:
    """Knows what the store holds, and of what nobody was told yet.

    Args:
        parts_at: gives the least seq at which a log is proven to part.
        rng: draws how long moved heads are gathered.
    """

    def __init__(self, logs: Logs, parts_at: Callable[[LogKey], int | None], rng: Rng) -> None:
        self._heads_ms: int | None = None
        self._announce_ms: int | None = None
        self._logs = logs
        self._parts_at = parts_at
        self._rng = rng
        self._vector: Vector | None = None  # what the store holds, until it changes
        self._changed: set[LogKey] = set()  # logs whose heads are to be told
        self._spread: set[LogKey] = set()  # logs whose heads are to be announced

    @property
    def due_ms(self) -> int | None:
        """When `take` should next be called (ms), or None."""
        return earliest(self._heads_ms, self._announce_ms)

    def stored(
        self, keys: Iterable[LogKey], peers: Collection[Peer], now_ms: int, *, is_spread: bool
    ) -> None:
        """Note whose heads moved in the store.

        Args:
            peers: who may have to be told; where all are level nothing waits.
            is_spread: what was stored is pushed through the commons, so heads are only announced.
        """
        self._vector = None
        moved = self._spread if is_spread else self._changed
        for key in keys:
            next_seq = self._logs.stored(key).next_seq
            if not all(peer.is_level(key, next_seq) for peer in peers):
                moved.add(key)
        if not moved:
            return
        # Drawn, so that mostly one end of a link tells first and the other need not.
        share = (1 + 3 * self._rng.random()) / 4
        if is_spread and self._announce_ms is None:
            self._announce_ms = now_ms + int(ANNOUNCE_DELAY_MS * share)
        elif not is_spread and self._heads_ms is None:
            self._heads_ms = now_ms + int(HEADS_DELAY_MS * share)

    def held(self) -> Vector:
        """Return the heads in the store."""
        if self._vector is None:
            keys = self._logs.stored_logs()
            self._vector = Vector(self.entries(keys), keys, self._logs.moves)
        return self._vector

    @property
    def mark(self) -> bytes | None:
        """The short digest of the heads in the store; None if they moved since `held`."""
        return None if self._vector is None else self._vector.mark

    def entries(self, keys: Iterable[LogKey]) -> list[HeadEntry]:
        """Return heads to be told; of a log that is proven to part, the last one before that."""
        entries: list[HeadEntry] = []
        for key in keys:
            next_seq, parts_at = self._logs.stored(key).next_seq, self._parts_at(key)
            if parts_at is not None:
                next_seq = min(next_seq, parts_at)
            if next_seq:
                prefix = self._logs.prefix(key, next_seq - 1)
                entries.append(HeadEntry(*key, next_seq, prefix))
        return entries

    def take(
        self, peers: Iterable[tuple[int, Peer]], now_ms: int
    ) -> list[tuple[int, Heads | Announce]]:
        """Return frames with the heads that are due, for each peer's link; they count as told."""
        changed: list[HeadEntry] = []
        spread: list[HeadEntry] = []
        self._spread -= self._changed
        if self._heads_ms is not None and now_ms >= self._heads_ms:
            changed, self._heads_ms = self.entries(sorted(self._changed)), None
            self._changed.clear()
        if self._announce_ms is not None and now_ms >= self._announce_ms:
            spread, self._announce_ms = self.entries(sorted(self._spread)), None
            self._spread.clear()
        frames: list[tuple[int, Heads | Announce]] = []
        # One frame for all who lack the same.
        said: dict[tuple[HeadEntry | TaggedHead, ...], Announce] = {}
        for link, peer in peers:
            if fresh := _lacked(changed, peer):
                frames.extend((link, Heads(chunk, False)) for chunk in head_frames(fresh))
            if fresh := _lacked(spread, peer):
                named = [_shortest(entry, peer) for entry in fresh]
                frames.extend((link, said.setdefault(c, Announce(c))) for c in head_frames(named))
        return frames


def _lacked(entries: list[HeadEntry], peer: Peer) -> list[HeadEntry]:
    """Return the heads that a peer can't know of."""
    return [e for e in entries if not peer.is_level((e.author, e.log), e.next_seq)]


def _shortest(entry: HeadEntry, peer: Peer) -> HeadEntry | TaggedHead:
    """Return the entry by the log's tag, if the peer told of the log and so knows whose that is."""
    if (entry.author, entry.log) not in peer.told:
        return entry
    return TaggedHead(tag_of(entry.author, entry.log), entry.next_seq, entry.prefix)
