"""One virtual node: the unchanged engine on a virtual disk and wire. The world's executor.

What `mycelia_node.driver` does with sockets and SQLite, this does in virtual time; the two are the
only executors of the engine's outputs.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Protocol, assert_never

from mycelia_protocol import events, form_events
from mycelia_protocol.encoding import Value
from mycelia_protocol.engine import Engine
from mycelia_protocol.events import Event, Output
from mycelia_protocol.notices import Notice
from mycelia_protocol.record import Record
from mycelia_sim.virtual.disk import MemoryStore
from mycelia_sim.virtual.loop import MS, Loop
from mycelia_sim.virtual.wire import Network

EPOCH_MS: Final = 1_700_000_000_000  # what a right clock shows when the world begins


@dataclass(slots=True)
class Clock:
    """A node's own clock: how far off it is, and how fast it runs."""

    offset_ms: int = 0
    drift_ppm: int = 0

    def read(self, now_us: int) -> int:
        """Return what the clock shows, in ms."""
        return EPOCH_MS + self.offset_ms + (now_us + now_us * self.drift_ppm // 1_000_000) // MS

    def drift(self, ppm: int, now_us: int) -> None:
        """Let the clock run faster by so much from now on; what it shows now stays."""
        before_ms = self.read(now_us)
        self.drift_ppm += ppm
        self.offset_ms += before_ms - self.read(now_us)

    def when_us(self, shows_ms: int, now_us: int) -> int:
        """Return when the clock will show at least this."""
        ahead_us = (shows_ms - self.read(now_us)) * MS
        return now_us + max(0, ahead_us - ahead_us * self.drift_ppm // 1_000_000)


class Watcher(Protocol):
    """Who wants to know what happens on a node."""

    def noticed(self, node: "VirtualNode", notice: Notice) -> None:
        """Take a notice."""
        ...

    def acknowledged(self, node: "VirtualNode", token: int, record: bytes | None) -> None:
        """Take note that a user was told that a record is saved."""
        ...

    def carried(self, node: "VirtualNode", answer: events.Carried) -> None:
        """Take note of what became of records that somebody brought."""
        ...

    def refused(self, node: "VirtualNode", token: int, code: str) -> None:
        """Take note that a user was refused."""
        ...

    def resolve(self, address: str) -> "VirtualNode | None":
        """Return the node at an address."""
        ...

    def fell(self, node: "VirtualNode", error: Exception) -> None:
        """Take note that a node's process ends by an error of its own."""
        ...

    def shortens(self, node: "VirtualNode", wanted: form_events.Shorten) -> None:
        """Take note that a node lets go of records."""
        ...

    def lived(self, node: "VirtualNode", what: str) -> None:
        """Take note of a turn in the node's life: start, crash, pause, resume, timer."""
        ...


LOSES: Final = ("wipe", "bitflip", "restore_old")  # what a disk at a restart may have lost


@dataclass(slots=True)
class Costs:
    """What a node's engine did."""

    events: int = 0
    outputs: int = 0


class VirtualNode:
    """A node that can crash, pause, run slowly and lose its disk.

    Args:
        make_engine: makes a fresh engine for a start; its argument counts the starts.
    """

    def __init__(
        self,
        node_id: str,
        loop: Loop,
        network: Network,
        store: MemoryStore,
        make_engine: Callable[[int], Engine],
        watcher: Watcher,
    ) -> None:
        self.id = node_id
        self.store: Final = store
        self.clock = Clock()
        self.costs = Costs()
        self.engine: Engine | None = None
        self.starts = 0
        self.resumable_log: bytes | None = None
        self.is_restored = False  # whether its disk is not what it was: a backup, or a new one
        self.known_since = 0  # what `SaveDoubt` said; it lies on the disk
        self.hearing = 0  # the link of which it read a frame last
        self.slow_us = 0  # time that every event takes, when the machine is busy with other things
        self._loop = loop
        self._network = network
        self._make_engine = make_engine
        self._watcher = watcher
        self._timer_ms: int | None = None
        self._timer_life = 0
        self._is_paused = False
        self._inbox: deque[Event] = deque()  # what came and waits its turn, in order
        self._is_working = False  # whether the next of them has a time at which it is handled
        store.report = self._handle_report

    # --- life ---

    @property
    def is_up(self) -> bool:
        """Whether the process runs."""
        return self.engine is not None

    def start(self) -> None:
        """Start the process from what is on the disk."""
        assert self.engine is None
        self._watcher.lived(self, "start")
        self.starts += 1
        self.engine = self._make_engine(self.starts)
        self._is_paused = self._is_working = False
        self._inbox.clear()
        self._timer_ms = None
        for chunk in self.store.load():
            self.give(events.RecordsLoaded(chunk))
        if self.store.compact:
            self.give(form_events.CompactLoaded(dict(self.store.compact)))
        self.give(events.InvitesLoaded(dict(self.store.invites)))
        loaded = events.StoreLoaded(self.resumable_log, self.is_restored, self.known_since)
        self.resumable_log, self.is_restored = None, False
        self.give(loaded)

    def crash(self) -> int:
        """End the process at once; return how many records were not durable."""
        self._watcher.lived(self, "crash")
        self.engine = None
        self._timer_life += 1
        self._network.crash(self)
        return self.store.crash()

    def stop(self) -> None:
        """End the process politely: neighbours are told, and the log can be resumed."""
        if self.engine is None:
            return
        self.give(events.ShutdownRequested())
        resumable_log = self.engine.resumable_log
        self.crash()
        self.resumable_log = resumable_log

    def pause(self) -> None:
        """Stop the process, if it runs, without ending it; what comes in waits."""
        if self.engine is None:
            return
        self._watcher.lived(self, "pause")
        self._is_paused = True
        self.store.pause()

    def resume(self) -> None:
        """Let a paused process go on; it finds that time has passed."""
        if not self._is_paused:
            return
        self._watcher.lived(self, "resume")
        self._is_paused = False
        self.store.resume()
        self._work()
        self._arm()

    def publish(
        self, token: int, kind: str, content: dict[str, Value], refs: tuple[bytes, ...] = ()
    ) -> None:
        """Let the node's user write a record."""
        self.give(events.PublishRequested(token, kind, content, refs))

    def records(self) -> Iterator[Record]:
        """Yield what is on the disk."""
        return self.store.records()

    # --- Endpoint ---

    def listens(self) -> bool:
        """Say whether somebody answers here."""
        return self.engine is not None

    def opened(self, link: int, outbound: bool, address: str) -> None:
        """Take note of a new link."""
        self.give(events.LinkOpened(link, outbound, address))

    def received(self, link: int, data: bytes) -> None:
        """Take a message."""
        self.give(events.FrameReceived(link, data))

    def closed(self, link: int, reason: str) -> None:
        """Take note that a link has ended."""
        self.give(events.LinkClosed(link, reason))

    def dial_failed(self, address: str, reason: str) -> None:
        """Take note that a dial led to nothing."""
        self.give(events.DialFailed(address, reason))

    # --- the executor ---

    def give(self, event: Event) -> None:
        """Let the engine handle an event now, or when the process gets to it."""
        if self.engine is None:
            return
        if self._is_paused or self.slow_us or self._inbox:
            self._inbox.append(event)
            self._work()
            return
        self._handle(event)

    def _handle_report(self, event: Event) -> None:
        """Handle what the store reports at once.

        A store hands its reports over when the process gets to them, and fails with a failed batch
        all that were submitted up to that moment; a report that waited in a queue would lie.
        """
        if self.engine is not None:
            self._handle(event)

    def _work(self) -> None:
        """Set the time at which the next of what waits is handled."""
        if self._inbox and not self._is_paused and not self._is_working:
            self._is_working = True
            self._loop.after(self.slow_us, self._handle_next, self.starts)

    def _handle_next(self, life: int) -> None:
        if self.engine is None or life != self.starts:
            return
        self._is_working = False
        if not self._is_paused:
            self._handle(self._inbox.popleft())
            self._work()

    def _handle(self, event: Event) -> None:
        engine = self.engine
        assert engine is not None
        self.costs.events += 1
        if isinstance(event, events.FrameReceived):
            self.hearing = event.link
        try:
            outputs = engine.handle(event, self.clock.read(self._loop.now_us))
        except Exception as error:  # a bug in the node ends its process, not the world
            self._watcher.fell(self, error)
            self.crash()
            return
        self.costs.outputs += len(outputs)
        for output in outputs:
            self._perform(output)
            if self.engine is not engine:
                return
        self._arm()

    def _perform(self, output: Output) -> None:
        match output:
            case events.SendFrame(link, data):
                self._network.send(link, data)
            case events.CloseLink(link, _, reason):
                self._network.close(link, reason)
            case events.Dial(address):
                self._network.dial(self, self._watcher.resolve(address), address)
            case events.StoreRecords(batch, records, _, erased):
                self.store.submit(batch, records, erased)
            case form_events.ReadForms():
                self.store.read_forms(output)
            case form_events.Shorten():
                self._watcher.shortens(self, output)
                self.store.shorten(output)
            case events.ReadRecords(token, ranges, size_max):
                self.store.read(token, ranges, size_max)
            case events.SaveInvite(digest, expires_ms):
                self.store.invites[digest] = expires_ms
            case events.DeleteInvite(digest):
                self.store.invites.pop(digest, None)
            case events.SaveDoubt(known_since):
                self.known_since = known_since
            case events.SaveHeads():
                pass  # the sticks here carry all there is
            case events.Carried():
                self._watcher.carried(self, output)
            case events.Accepted(token, record):
                self._watcher.acknowledged(self, token, record)
            case events.Refused(token, code, _):
                self._watcher.refused(self, token, code)
            case events.Notify(notice):
                self._watcher.noticed(self, notice)
            case _:
                assert_never(output)

    def rearm(self) -> None:
        """Set the timer anew, because the clock was changed."""
        self._timer_ms = None
        self._arm()

    def _arm(self) -> None:
        """Set the one timer to what the engine waits for."""
        if self.engine is None or self._is_paused:
            return
        due_ms = self.engine.due_ms
        if due_ms == self._timer_ms:
            return
        self._timer_ms = due_ms
        self._timer_life += 1
        if due_ms is not None:
            when_us = self.clock.when_us(due_ms, self._loop.now_us)
            self._loop.at(when_us, self._wake, self._timer_life)

    def _wake(self, life: int) -> None:
        if life == self._timer_life:
            self._timer_ms = None
            self._watcher.lived(self, "timer")
            self.give(events.TimerFired())
