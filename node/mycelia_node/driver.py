"""The executor of the engine's outputs: sockets, SQLite and one timer. Knows no protocol.

    links, store, users ──event──> Engine.handle ──outputs──> links, store, users

Events are handled one at a time, in the order in which they came; the outputs of one are all begun
before the next is looked at. The engine never waits: what takes time comes back as an event.
"""

import asyncio
import gc
from collections import deque
from collections.abc import Callable
from typing import Final, Protocol, assert_never

from mycelia_node.clock import Clock
from mycelia_node.heard import heads_note
from mycelia_node.pending import Pending
from mycelia_node.store import SqliteStore
from mycelia_protocol.engine import Engine
from mycelia_protocol.events import (
    Accepted,
    Carried,
    CloseLink,
    DeleteInvite,
    Dial,
    Event,
    InvitesLoaded,
    Notify,
    Output,
    ReadRecords,
    RecordsLoaded,
    Refused,
    SaveDoubt,
    SaveHeads,
    SaveInvite,
    SendFrame,
    SnapshotLoaded,
    StoreLoaded,
    StoreRecords,
    TimerFired,
)
from mycelia_protocol.form_events import CompactLoaded, ReadForms, Shorten
from mycelia_protocol.notices import Notice
from mycelia_protocol.snapshot import Snapshot

SLEEP_MAX_MS: Final = 30_000  # looks at the clock at least so often, in case it was set
BACKLOG_MAX: Final = 16 * 1024 * 1024  # bytes waiting for the disk; then links are not read


class Links(Protocol):
    """What the driver asks of a transport."""

    def send(self, link: int, data: bytes) -> None:
        """Send a frame."""
        ...

    def close_link(self, link: int, code: int, reason: str) -> None:
        """Send what waits, then close."""
        ...

    def dial(self, address: str) -> None:
        """Try to open a link once."""
        ...


class Driver:
    """Runs one engine.

    Args:
        on_notice: told of every notice, for logs and watchers.
        on_crash: told of an exception that left the engine; nothing is handled afterwards.
        on_doubt: keeps what `SaveDoubt` says.
    """

    def __init__(
        self,
        engine: Engine,
        store: SqliteStore,
        clock: Clock,
        on_notice: Callable[[Notice], None],
        on_crash: Callable[[BaseException], None],
        on_doubt: Callable[[int], None],
    ) -> None:
        self.engine: Final = engine
        self._store = store
        self._clock = clock
        self._on_notice = on_notice
        self._on_crash = on_crash
        self._on_doubt = on_doubt
        self._links: Links | None = None
        self._loop = asyncio.get_running_loop()
        self._events: deque[Event] = deque()
        self._is_handling = False
        self.is_over = False
        self._timer: asyncio.TimerHandle | None = None
        self._timer_ms: int | None = None
        self.pending: Final = Pending()
        self._room = asyncio.Event()
        self._room.set()
        store.report = self.deliver
        store.crashed = self._crash

    def load(self, loaded: StoreLoaded, snapshot: Snapshot | None = None) -> None:
        """Give the engine all that is on disk; nothing is sent before.

        Args:
            loaded: what the files beside the store tell of it.
            snapshot: of the store; then only what came since is read.

        Raises:
            StoreError: the database is damaged.
        """
        gc.disable()  # there are a million objects to make, and none of them is garbage
        try:
            if snapshot is not None:
                self.deliver(SnapshotLoaded(snapshot))
            covered = (lambda _: 0) if snapshot is None else snapshot.length_of
            for records in self._store.load(covered):
                self.deliver(RecordsLoaded(records))
        finally:
            gc.enable()
        if compact := self._store.load_compact():
            self.deliver(CompactLoaded(compact))
        self.deliver(InvitesLoaded(self._store.load_invites()))
        self.deliver(loaded)

    def connect(self, links: Links) -> None:
        """Name the transport; before, the engine has nobody to talk to."""
        self._links = links

    def deliver(self, event: Event) -> None:
        """Let the engine handle an event and begin what it asks for."""
        self._events.append(event)
        if self._is_handling or self.is_over:
            return
        self._is_handling = True
        try:
            while self._events:
                now_ms = self._clock.now_ms()
                for output in self.engine.handle(self._events.popleft(), now_ms):
                    self._perform(output)
        except Exception as error:
            self._crash(error)
        finally:
            self._is_handling = False
        self._schedule()
        self._update_room()

    async def room(self) -> None:
        """Wait until the disk has caught up; links are read no faster than that."""
        await self._room.wait()

    def _crash(self, error: BaseException) -> None:
        """Handle nothing any more, and be loud."""
        self.stop()
        self._on_crash(error)

    def stop(self) -> None:
        """Handle nothing any more and let nobody wait for ever."""
        self.is_over = True
        self._events.clear()
        if self._timer is not None:
            self._timer.cancel()
        self.pending.refuse_all("stopping", "the node is stopping")

    def _perform(self, output: Output) -> None:
        """Begin what one output asks for."""
        match output:
            case SendFrame(link, data) if self._links:
                self._links.send(link, data)
            case CloseLink(link, code, reason) if self._links:
                self._links.close_link(link, code, reason)
            case Dial(address) if self._links:
                self._links.dial(address)
            case SendFrame() | CloseLink() | Dial():
                raise AssertionError(f"{output} before there is a transport")
            case StoreRecords(batch, records, source, erased):
                self._store.submit(batch, records, source, self._clock.now_ms(), erased)
            case ReadRecords(token, ranges, size_max):
                self._store.read(token, ranges, size_max)
            case ReadForms():
                self._store.read_forms(output)
            case Shorten():
                self._store.shorten(output)
            case SaveInvite(digest, expires_ms):
                self.pending.saving(self._store.save_invite(digest, expires_ms))
            case DeleteInvite(digest):
                self._store.delete_invite(digest)  # if it fails, the vouch in the log stands in
            case SaveDoubt(known_since):
                self._on_doubt(known_since)
            case SaveHeads(peer, heads):
                self._store.save_note(*heads_note(peer, self._clock.now_ms(), heads))
            case Carried():
                self.pending.carried(output)
            case Accepted(token, record):
                self.pending.accept(token, record)
            case Refused(token, code, reason):
                self.pending.refuse(token, code, reason)
            case Notify(notice):
                self._on_notice(notice)
            case _:
                assert_never(output)

    def _schedule(self) -> None:
        """Set the one timer to what the engine waits for."""
        due_ms = None if self.is_over else self.engine.due_ms
        if due_ms == self._timer_ms and self._timer is not None:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._timer_ms = None, due_ms
        if due_ms is not None:
            wait_ms = min(max(due_ms - self._clock.now_ms(), 0), SLEEP_MAX_MS)
            self._timer = self._loop.call_later(wait_ms / 1000, self._wake)

    def _wake(self) -> None:
        """Tell the engine that its time has come, or sleep on if it has not."""
        self._timer = None
        if self._timer_ms is not None and self._clock.now_ms() >= self._timer_ms:
            self.deliver(TimerFired())
        else:
            self._schedule()

    def _update_room(self) -> None:
        if self._store.backlog > BACKLOG_MAX:
            self._room.clear()
        else:
            self._room.set()
