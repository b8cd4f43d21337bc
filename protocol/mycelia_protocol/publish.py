"""The own log: where this node writes, and when a new log begins. Spec: 6.6.

Own records are written in batches: one batch at a time is with the store, and what is asked for
meanwhile makes the next. So a record is never built on one that the store then fails to keep, and
the group commit comes by itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from mycelia_protocol.body import write_body
from mycelia_protocol.crypto import public_key
from mycelia_protocol.encoding import Value
from mycelia_protocol.errors import LimitExceeded, LocalError, RemoteError, SchemaError
from mycelia_protocol.limits import (
    ID_SIZE,
    LOG_ID_SIZE,
    PUBLISH_QUEUE_MAX,
    SALT_SIZE,
)
from mycelia_protocol.logs import Head, LogKey, Logs
from mycelia_protocol.record import Record, build_record
from mycelia_protocol.rng import Rng
from mycelia_protocol.schema import check
from mycelia_protocol.types import KINDS
from mycelia_protocol.types.incarnation import Head as OldHead
from mycelia_protocol.types.incarnation import content as incarnation_content

SPENDING_KINDS = frozenset({"grant", "return", "rights"})  # kinds that the restore gate holds back


@dataclass(frozen=True, slots=True)
class Draft:
    """A record to be written.

    Attributes:
        token: who asked, or None if this node itself did.
        follows: whether the record also names the last decision before it in the same batch.
    """

    token: int | None
    kind: str
    content: dict[str, Value]
    refs: tuple[bytes, ...] = ()
    follows: bool = False


class Publisher:
    """Turns drafts into records of the own log."""

    def __init__(self, commons: bytes, seed: bytes, logs: Logs, rng: Rng) -> None:
        self.key = public_key(seed)
        self.log: bytes | None = None  # the log that is written on, None before the first record
        self.generation = 0  # of the logs that it opens
        self.in_flight: tuple[Record, ...] = ()  # with the store now
        self._commons = commons
        self._seed = seed
        self._logs = logs
        self._rng = rng
        self._queue: list[Draft] = []
        self._tokens: tuple[int | None, ...] = ()  # of in_flight, one each

    @property
    def is_idle(self) -> bool:
        """Whether the state holds all that this node wrote."""
        return not self.in_flight and not self._queue

    def resume(self, log: bytes | None) -> None:
        """Write on in this log, or open a new one with the next record (None)."""
        self.log = log

    def ask(self, draft: Draft) -> None:
        """Queue a draft.

        Raises:
            SchemaError: the body does not fit its kind; the message names the field.
            LocalError: the kind is unknown or not for users, or too much is waiting.
        """
        kind = KINDS.get(draft.kind)
        if kind is None or kind.name == "incarnation":
            raise LocalError(f"nobody can write records of kind {draft.kind!r}")
        if len(self._queue) >= PUBLISH_QUEUE_MAX:
            raise LocalError("too many records wait to be written; try again in a moment")
        kind.check_refs(len(draft.refs) + draft.follows)
        if len(set(draft.refs)) < len(draft.refs):
            raise SchemaError(f"a {kind.name} refers to different records")
        kind.read(check(draft.content, kind.fields, is_draft=True), self._outline(draft))
        try:
            write_body(bytes(SALT_SIZE), draft.content)
        except LimitExceeded as error:
            raise SchemaError(str(error)) from None
        self._queue.append(draft)

    def ask_all(self, drafts: Sequence[Draft]) -> None:
        """Queue drafts that belong together, all or none; raises as `ask`."""
        before = len(self._queue)
        try:
            for draft in drafts:
                self.ask(draft)
        except (LocalError, RemoteError):
            del self._queue[before:]
            raise

    def flush(self, now_ms: int) -> tuple[Record, ...]:
        """Build the next batch for the store; empty while one is there or nothing waits."""
        if self.in_flight or not self._queue:
            return ()
        records: list[Record] = []
        tokens: list[int | None] = []
        if self.log is None:
            records.append(self._open_log(now_ms))
            tokens.append(None)
        decision: tuple[bytes, ...] = ()
        for draft in self._queue:
            refs = (*draft.refs, *decision) if draft.follows else draft.refs
            records.append(self._build(draft.kind, draft.content, refs, now_ms))
            tokens.append(draft.token)
            if draft.kind == "decision":
                decision = (records[-1].id,)
        self._queue = []
        self.in_flight, self._tokens = tuple(records), tuple(tokens)
        return self.in_flight

    def stored(self) -> list[tuple[int, bytes]]:
        """Note that the batch is on disk; return (token, record id) of what users asked for."""
        pairs = zip(self._tokens, self.in_flight, strict=True)
        done = [(token, record.id) for token, record in pairs if token is not None]
        self.in_flight, self._tokens = (), ()
        return done

    def failed(self) -> list[int]:
        """Note that the batch was not written; return the tokens of those who asked for it."""
        tokens = [token for token in self._tokens if token is not None]
        if self.log is not None and not self._logs.stored((self.key, self.log)).next_seq:
            self.log = None
        self.in_flight, self._tokens = (), ()
        return tokens

    def own_logs(self) -> list[LogKey]:
        """Return the keys of all stored logs of this node's key."""
        return [key for key in self._logs.stored_logs() if key[0] == self.key]

    def _outline(self, draft: Draft) -> Record:
        """Return the record that a draft is to become, unsigned and nowhere: a family reads it."""
        log, head = self.log or bytes(LOG_ID_SIZE), bytes(ID_SIZE)
        return Record(
            head, b"", None, None, self._commons, self.key, log, 1, head, draft.kind, 0, 0, head,
            draft.refs,
        )  # fmt: skip

    def _open_log(self, now_ms: int) -> Record:
        """Begin a new log that names the heads of the older ones."""
        heads = []
        for key in self.own_logs():
            head = self._logs.stored(key)
            assert head.id is not None
            heads.append(OldHead(key[1], head.next_seq - 1, head.id))
        self.log = self._rng.randbytes(LOG_ID_SIZE)
        return self._build("incarnation", incarnation_content(heads, self.generation), (), now_ms)

    def _build(
        self, kind: str, content: dict[str, Value], refs: tuple[bytes, ...], now_ms: int
    ) -> Record:
        """Sign one record at the end of the own log."""
        assert self.log is not None
        head: Head = self._logs.accepted((self.key, self.log))
        record = build_record(
            commons=self._commons,
            seed=self._seed,
            author=self.key,
            log=self.log,
            seq=head.next_seq,
            prev=head.id,
            kind=kind,
            time_ms=max(now_ms, 0),
            content=content,
            salt=self._rng.randbytes(SALT_SIZE),
            refs=refs,
        )
        self._logs.append(record)
        return record
