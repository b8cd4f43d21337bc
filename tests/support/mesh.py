"""Several real engines in one process, joined by links that lose nothing and know no time.

The smallest executor of engine outputs: frames are queued in order, the store is a list that
"fsyncs" at once unless told to hold or to fail. For tests of the core; the node and the harness
have executors of their own.
"""

import random
from collections import deque
from dataclasses import dataclass, field

from mycelia_protocol import events, form_events
from mycelia_protocol.charter import Charter
from mycelia_protocol.compact import shorten
from mycelia_protocol.crypto import public_key
from mycelia_protocol.encoding import Value
from mycelia_protocol.engine import Engine
from mycelia_protocol.events import Event, Output
from mycelia_protocol.form_reading import Blocks, read_forms
from mycelia_protocol.limits import ACCEPT_WITHIN_MS
from mycelia_protocol.notices import Notice
from mycelia_protocol.options import Options
from mycelia_protocol.reading import read_ranges
from mycelia_protocol.record import Record
from mycelia_protocol.shortcuts import Shortcuts


@dataclass
class Disk:
    """What a node has written, and whether it writes now."""

    logs: dict[tuple[bytes, bytes], list[Record]] = field(default_factory=dict)
    invites: dict[bytes, int] = field(default_factory=dict)
    heads: dict[bytes, dict[tuple[bytes, bytes], int]] = field(default_factory=dict)
    known_since: int = 0
    compact: dict[tuple[bytes, bytes], int] = field(default_factory=dict)
    fails: bool = False

    def records(self) -> list[Record]:
        """Return all records, log by log."""
        return [record for key in sorted(self.logs) for record in self.logs[key]]

    def read(self, request: events.ReadRecords) -> tuple[Record, ...]:
        """Read ranges as the laws of `ReadRecords` say."""
        return self.read_ranges(request.ranges, request.size_max)

    def read_ranges(self, ranges: tuple[events.Range, ...], size_max: int) -> tuple[Record, ...]:
        """The same, for whoever makes a bundle."""
        return read_ranges(ranges, size_max, self.read_log)

    def read_forms(
        self, wanted: form_events.ReadForms
    ) -> tuple[tuple[Record, ...], tuple[bytes, ...]]:
        """Read a log in whatever form it is here; tests spoil logs, so no root is kept."""
        return read_forms(wanted, self.read_log, Blocks())

    def read_log(self, wanted: events.Range) -> list[Record]:
        """Return the records of a log from one on, in whatever form they are here."""
        return self.logs.get((wanted.author, wanted.log), [])[wanted.first :]

    def note_compact(self, records: tuple[Record, ...]) -> None:
        """Keep in mind how far logs are compact."""
        for record in records:
            if record.is_compact:
                key = (record.author, record.log)
                self.compact[key] = max(record.seq + 1, self.compact.get(key, 0))


class Node:
    """One engine with its disk."""

    def __init__(self, mesh: "Mesh", name: str, seed: bytes, options: Options | None) -> None:
        self.mesh = mesh
        self.name = name
        self.seed = seed
        self.options = options or Options(discover=False, presence=False)
        self.disk = Disk()
        self.notices: list[Notice] = []
        self.answers: dict[int, bytes | None] = {}
        self.refusals: dict[int, events.Refused] = {}
        self.carried: dict[int, events.Carried] = {}
        self.closed: list[events.CloseLink] = []
        self.start(None)

    @property
    def key(self) -> bytes:
        """The node's public key."""
        return self.engine.key

    def start(self, resumable_log: bytes | None, *, is_restored: bool = False) -> None:
        """Start a fresh engine from the disk."""
        rng = random.Random(self.mesh.rng.random())
        shortcuts = self.mesh.shortcuts
        self.engine = Engine(self.mesh.charter, self.seed, rng, self.options, shortcuts)
        self.give(events.RecordsLoaded(tuple(self.disk.records())))
        self.give(form_events.CompactLoaded(dict(self.disk.compact)))
        self.give(events.InvitesLoaded(dict(self.disk.invites)))
        self.give(events.StoreLoaded(resumable_log, is_restored, self.disk.known_since))

    def give(self, event: Event) -> None:
        """Deliver one event and perform what comes of it."""
        for output in self.engine.handle(event, self.mesh.now_ms):
            self.mesh.perform(self, output)

    def publish(self, kind: str, content: dict[str, Value], *refs: bytes) -> bytes:
        """Write a record and return its id."""
        token = self.mesh.token()
        self.give(events.PublishRequested(token, kind, content, refs))
        self.mesh.settle()
        record = self.answers[token]
        assert record is not None
        return record


class Mesh:
    """A commons of engines."""

    shortcuts: Shortcuts | None = None  # what every engine is given

    def __init__(
        self,
        seed: int = 1,
        count: int = 2,
        *,
        allocate: bool = True,
        decide: bool = False,
        confirm_handovers: bool = False,
        presence: bool = False,
        accept_within_ms: int = ACCEPT_WITHIN_MS,
    ) -> None:
        self.rng = random.Random(seed)
        self.now_ms = 1_700_000_000_000
        self._tokens = 0
        self._links = 0
        self.ends: dict[int, tuple[Node, int]] = {}  # link -> the node and link at its other end
        self.queue: deque[tuple[Node, Event]] = deque()
        founder = self.rng.randbytes(32)
        self.charter = Charter("Riverside", public_key(founder), 1, self.rng.randbytes(16))
        self.options = Options(
            allocate=allocate,
            decide=decide,
            confirm_handovers=confirm_handovers,
            accept_within_ms=accept_within_ms,
            discover=False,
            presence=presence,
        )
        self.nodes = [Node(self, "n0", founder, self.options)]
        for number in range(1, count):
            node = Node(self, f"n{number}", self.rng.randbytes(32), self.options)
            self.nodes[0].publish("vouch", {"key": node.key})
            self.nodes.append(node)
        chains = self.nodes[0].disk.records()
        for node in self.nodes[1:]:
            for record in chains:
                node.disk.logs.setdefault((record.author, record.log), []).append(record)
            node.start(None)

    def token(self) -> int:
        """Return a fresh token."""
        self._tokens += 1
        return self._tokens

    def connect(self, first: Node, second: Node) -> tuple[int, int]:
        """Link two nodes and let them talk until nothing is left to say."""
        here = self.begin(first, second)
        self.settle()
        return here, here + 1

    def begin(self, first: Node, second: Node) -> int:
        """Link two nodes, which have said nothing yet; return the link of the first."""
        self._links += 2
        here, there = self._links - 1, self._links
        self.ends[here], self.ends[there] = (second, there), (first, here)
        self.queue.append((first, events.LinkOpened(here, True, second.name)))
        self.queue.append((second, events.LinkOpened(there, False, first.name)))
        return here

    def cut(self, link: int, code: int | None = None) -> None:
        """End a link at both ends; with a code, it is this end that closes it."""
        if link not in self.ends:
            return
        far, far_link = self.ends.pop(link)
        near, _ = self.ends.pop(far_link)
        self.queue.append((near, events.LinkClosed(link, "cut")))
        self.queue.append((far, events.LinkClosed(far_link, "cut", code)))

    def settle(self) -> None:
        """Deliver everything that is under way."""
        while self.queue:
            node, event = self.queue.popleft()
            node.give(event)

    def run(self, duration_ms: int) -> None:
        """Let time pass, firing each engine's timer when it is due."""
        end_ms = self.now_ms + duration_ms
        self.settle()
        while True:
            dues = [node.engine.due_ms for node in self.nodes]
            times = [due for due in dues if due is not None]
            next_ms = min(times, default=end_ms)
            if next_ms >= end_ms:
                break
            self.now_ms = max(self.now_ms, next_ms)
            for node in self.nodes:
                due = node.engine.due_ms
                if due is not None and due <= self.now_ms:
                    node.give(events.TimerFired())
            self.settle()
        self.now_ms = end_ms

    def perform(self, node: Node, output: Output) -> None:
        """Carry out one output."""
        match output:
            case events.SendFrame(link, data):
                if link in self.ends:
                    far, far_link = self.ends[link]
                    self.queue.append((far, events.FrameReceived(far_link, data)))
            case events.CloseLink(link, code):
                node.closed.append(output)
                self.cut(link, code)
            case events.Dial(address):
                self.queue.append((node, events.DialFailed(address, "no route")))
            case events.StoreRecords(batch, records, _, erased):
                if node.disk.fails:
                    self.queue.append((node, events.StoreFailed(batch, "disk full")))
                    return
                for record in records:
                    log = node.disk.logs.setdefault((record.author, record.log), [])
                    assert record.seq <= len(log), "the engine left a gap"
                    log[record.seq : record.seq + 1] = [record]
                node.disk.note_compact(records)
                for gone in erased:
                    log = node.disk.logs.get((gone.author, gone.log), [])
                    part = slice(gone.first, gone.last + 1)
                    log[part] = [record.without_words() for record in log[part]]
                self.queue.append((node, events.RecordsStored(batch)))
            case events.ReadRecords():
                found = node.disk.read(output)
                self.queue.append((node, events.RecordsRead(output.token, found)))
            case form_events.ReadForms():
                records, proof = node.disk.read_forms(output)
                self.queue.append((node, form_events.FormsRead(output.token, records, proof)))
            case form_events.Shorten(author, name, until, places):
                log = node.disk.logs[author, name]
                for first, last in places:
                    part = slice(first, last + 1)
                    log[part] = [shorten(record) for record in log[part]]
                node.disk.compact[author, name] = until
                self.queue.append((node, form_events.Shortened(author, name, is_done=True)))
            case events.SaveInvite(digest, expires_ms):
                node.disk.invites[digest] = expires_ms
            case events.DeleteInvite(digest):
                node.disk.invites.pop(digest, None)
            case events.SaveDoubt(known_since):
                node.disk.known_since = known_since
            case events.SaveHeads(peer, heads):
                node.disk.heads[peer] = heads
            case events.Carried(token):
                node.carried[token] = output
            case events.Accepted(token, record):
                node.answers[token] = record
            case events.Refused(token):
                node.refusals[token] = output
            case events.Notify(notice):
                node.notices.append(notice)
