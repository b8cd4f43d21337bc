"""A whole city in virtual time: runs a plan and keeps the facts that checkers read.

The plan is the same that the live harness runs. Phases: links come up; the workload runs while
faults come and go; everything is healed; then the nodes have a bound to agree.
"""

import traceback
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import PurePath
from typing import Final

from mycelia_protocol.engine import Engine
from mycelia_protocol.events import Carried
from mycelia_protocol.form_events import Shorten
from mycelia_protocol.limits import ACCEPT_WITHIN_MS
from mycelia_protocol.notices import Notice, RecordArrived
from mycelia_protocol.options import Options
from mycelia_protocol.record import Record
from mycelia_sim.adversaries.cast import Cast, adversary_ids
from mycelia_sim.facts import Acknowledged, Facts, Quiet
from mycelia_sim.path import STRANGER_LATENCY_US, Path
from mycelia_sim.plan import Plan
from mycelia_sim.virtual.burden import Scales
from mycelia_sim.virtual.carrier import LiarsLogs, VirtualCarrier, scene_of
from mycelia_sim.virtual.couriers import Couriers
from mycelia_sim.virtual.custody import Custody, Journey
from mycelia_sim.virtual.disk import MemoryStore
from mycelia_sim.virtual.faults import Faults
from mycelia_sim.virtual.gates import Gates
from mycelia_sim.virtual.genesis import Beginning, StreamRng, begin
from mycelia_sim.virtual.loop import MS, Loop
from mycelia_sim.virtual.node import EPOCH_MS, LOSES, VirtualNode
from mycelia_sim.virtual.people import RECOUNT_AFTER_MS, RECOUNTS, People, frozen_things
from mycelia_sim.virtual.pruning import Pruning
from mycelia_sim.virtual.trace import Trace
from mycelia_sim.virtual.watch import Watch
from mycelia_sim.virtual.wire import Network

SYNC_US: Final = 1 * MS
READ_US: Final = 200
PLAIN_FROM: Final = 500  # nodes from which sessions go without encryption
CHECK_EVERY_US: Final = 250 * MS  # how often the end of a phase is looked for
CALM_US: Final = 2_000 * MS  # agreed without anything new for so long: grants follow each other
LISTEN_US: Final = 10_000 * MS  # how long is listened to what is said after that


class Exhausted(Exception):
    """The run took more events than its plan allows."""


class World:
    """Runs one plan.

    Args:
        report: called now and then with the virtual time, for progress.
        trace: takes a line for everything that happens.
    """

    def __init__(
        self,
        plan: Plan,
        report: Callable[["World"], None] | None = None,
        trace: Trace | None = None,
    ) -> None:
        self.plan: Final = plan
        self.loop: Final = Loop()
        self.watch: Final = Watch(self.loop, trace or Trace())
        self.facts: Final = Facts(began_ms=EPOCH_MS)
        self.is_plain: Final = len(plan.nodes) >= PLAIN_FROM
        ids = tuple(node.id for node in plan.nodes)
        members = (*ids, *adversary_ids(plan.attempts))
        self.beginning: Final[Beginning] = begin(
            plan.seed, members, plain=self.is_plain, policy=plan.agreed_policy
        )
        self.facts.keys = {node: key.hex() for node, key in self.beginning.keys.items()}
        self._paths: dict[tuple[str, str], Path] = {}
        self._dials: dict[str, list[str]] = {node: [] for node in ids}
        for link in plan.links:
            self._dials[link.dialer].append(link.listener)
            for pair in ((link.dialer, link.listener), (link.listener, link.dialer)):
                self._paths[pair] = Path(link.latency_ms * MS)
        self.network: Final = Network(self.loop, plan.seed, self.path, self.watch)
        self.pruning: Final = Pruning(self)
        self.nodes: Final = {node: self._make_node(node) for node in ids}
        carrier = VirtualCarrier(self.loop, self.network, self.resolve)
        scene = scene_of(plan.seed, self.beginning, ids)
        self.cast: Final = Cast(plan.attempts, scene, lambda _: carrier)
        self.liars_logs: Final = LiarsLogs(self.cast)
        self.custody: Final = Custody(self)
        self.gates: Final = Gates(self)
        self.watch.met = self.gates.met
        self.couriers: Final = Couriers(self)
        self.scales: Final = Scales(self)
        self.people: Final = People(self.nodes, self.facts)
        self._report = report
        self._next_recount = RECOUNTS
        self.began_us = 0
        self.has_begun = False  # the workload

    # --- phases ---

    def run(self) -> Facts:
        """Run the plan to its end."""
        for number, node in enumerate(self.nodes.values()):
            self.loop.at(number * MS, node.start)
        self.facts.warmed_up_ms = self._until(self._is_linked, self.plan.warmup_ms)
        self.began_us = self.loop.now_us
        self.has_begun = True
        self.watch.begin()
        self.facts.began_ms = EPOCH_MS + self.began_us // MS
        self._schedule()
        self.scales.begin()
        self._advance(self.began_us + self.plan.duration_ms * MS, until_breach=True)
        self.facts.attempts = self.cast.finish()
        for node in self.nodes.values():
            node.resume()
            if not node.is_up:
                node.start()
        start_us = self.loop.now_us
        self.facts.settled_ms = self._settle()
        self.watch.mark("settled")
        if self.facts.settled_ms is not None:
            self.facts.quiet = self._listen()
        if self.plan.stop.when == "duration":
            self._advance(start_us + self.plan.converge_within_ms * MS)
        for node in self.nodes.values():
            self.custody.look(node)
            if node.engine is not None and not node.engine.gate.is_open:
                self.facts.shut.append(node.id)
            self.facts.frozen += frozen_things(node)
        return self.facts

    @property
    def journeys(self) -> dict[bytes, Journey]:
        """The journey of every honest record that is on some disk, by record id."""
        return self.custody.journeys

    @property
    def gone(self) -> dict[bytes, Journey]:
        """The journeys of honest records that faults took from every disk."""
        return self.custody.gone

    @property
    def elapsed_ms(self) -> int:
        """Virtual time since the workload began."""
        return (self.loop.now_us - self.began_us) // MS

    @property
    def sync_us(self) -> int:
        """How long it takes a disk to make durable what it was given."""
        return SYNC_US

    @property
    def trace_digest(self) -> str:
        """Hash over everything that happened, in order; equal for equal runs."""
        return self.watch.trace.digest

    def has_converged(self) -> bool:
        """Return whether every node is up and holds every record that is on any disk.

        Left out are the logs that an adversary forked.
        """
        known, held = len(self.journeys), self.liars_logs.honest_records
        nodes = self.nodes.values()
        if not all(node.is_up and held(node.store) == known for node in nodes):
            return False
        return self.liars_logs.is_level([node.store for node in nodes])

    # --- Watcher ---

    def resolve(self, address: str) -> VirtualNode | None:
        """Return the node at an address; addresses are node ids."""
        return self.nodes.get(address)

    def noticed(self, node: VirtualNode, notice: Notice) -> None:
        """Follow honest records on their way, and hash what happens."""
        self.liars_logs.noticed(notice)
        if not isinstance(notice, RecordArrived):
            self.watch.say(node.id, "state", "", type(notice).__name__)
            self.custody.noticed(node.id, notice)
            return
        record = notice.record
        self.watch.stored(node.id, record)
        self.pruning.stored(node, record)
        if not self.cast.is_liar(record.author):
            is_new = self.custody.stored(node.id, record)
            self.gates.stored(node, record, is_new=is_new)

    def acknowledged(self, node: VirtualNode, token: int, record: bytes | None) -> None:
        """Write the journal of what users were told is saved."""
        if record is None or token >= RECOUNTS:
            return
        post = self.plan.posts[token]
        self.watch.say(node.id, "user", record.hex()[:16], post.kind)
        self.people.posted[post.n] = record
        said = Acknowledged(record.hex(), node.id, post.kind, post.n, self.elapsed_ms)
        self.facts.acknowledged.append(said)

    def carried(self, node: VirtualNode, answer: Carried) -> None:
        """Take note of what became of records that somebody brought."""
        self.couriers.carried(node, answer)

    def refused(self, node: VirtualNode, token: int, code: str) -> None:
        """Count a post that was refused."""
        if self.couriers.refused(token):
            return
        self.watch.say(node.id, "user", "", code)
        self.facts.refused += 1

    def forgot(self, node: VirtualNode, lost: Iterable[Record]) -> None:
        """Take note that a fault took durable records from a disk."""
        self.custody.forgot(node.id, lost)
        self.gates.forgot(node)

    def fell(self, node: VirtualNode, error: Exception) -> None:
        """Take note of a bug: the node's process ended by an error that nothing caught."""
        place = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{PurePath(place.filename).name}:{place.lineno}"
        said = f"{node.id} ({type(error).__name__}: {error}; {where})"
        if said not in self.facts.crashed:
            self.facts.crashed.append(said)

    def lived(self, node: VirtualNode, what: str) -> None:
        """Take note of a turn in a node's life."""
        self.watch.lived(node.id, what)
        if what == "start":
            self.custody.look(node)
            self.gates.started(node)
            self.pruning.started(node)

    def shortens(self, node: VirtualNode, wanted: Shorten) -> None:
        """Look at what a node is about to let go of."""
        self.watch.say(node.id, "state", "", f"shorten {wanted.until}")
        self.pruning.shortens(node, wanted)

    def trace(self, node: str, what: str) -> None:
        """Add a line about a fault to the trace."""
        self.watch.say(node, "fault", "", what)

    # --- making it ---

    def _make_node(self, node: str) -> VirtualNode:
        store = MemoryStore(self.loop, SYNC_US, READ_US, self.beginning.base)
        options = Options(
            allocate=True,
            decide=self.plan.agreed_policy is not None,
            preposition=self.plan.preposition,
            confirm_handovers=self.plan.receipts == "auto",
            accept_within_ms=self.plan.accept_within_ms or ACCEPT_WITHIN_MS,
            dial=tuple(self._dials[node]),
            discover=False,
            presence=self.plan.presence,
            checkpoint_after=self.plan.checkpoint_after,
            acknowledge_within_ms=self.plan.acknowledge_within_ms or 0,
            compact_after_ms=self.plan.compact_after_ms if node in self.plan.compacting else None,
        )

        shortcuts = self.watch.over(self.beginning.shortcuts)
        if self.plan.compacting:
            decode = self.pruning.hearing(lambda: self.nodes[node], shortcuts.decode)
            shortcuts = replace(shortcuts, decode=decode)

        def make_engine(start: int) -> Engine:
            rng = StreamRng(self.plan.seed, f"engine/{node}/{start}")
            charter, seed = self.beginning.charter, self.beginning.seeds[node]
            return Engine(charter, seed, rng, options, shortcuts)

        return VirtualNode(node, self.loop, self.network, store, make_engine, self)

    def path(self, source: str, target: str) -> Path:
        """Return the direction between two nodes, made when it is first asked for."""
        path = self._paths.get((source, target))
        if path is None:
            path = self._paths[source, target] = Path(STRANGER_LATENCY_US)
        return path

    def directions(self) -> list[tuple[str, str]]:
        """Return the directions between nodes that were ever used or planned."""
        return list(self._paths)

    # --- doing it ---

    def _schedule(self) -> None:
        for number, post in enumerate(self.plan.posts):
            self._at(post.at_ms, self.people.post, number, post)
        for attempt in self.plan.attempts:
            self._at(attempt.at_ms, self.cast.begin, attempt)
        for kill in self.plan.kills:
            for after_ms in RECOUNT_AFTER_MS if kill.disk in LOSES else ():
                if kill.restart_ms + after_ms < self.plan.duration_ms:
                    self._at(kill.restart_ms + after_ms, self._recount, self.nodes[kill.node])
        for at_ms, action, argument in (*Faults(self).schedule(), *self.couriers.schedule()):
            self._at(at_ms, action, argument)

    def _recount(self, node: VirtualNode) -> None:
        """Let people count what their node may have promised before it came back."""
        now_ms = node.clock.read(self.loop.now_us)
        self._next_recount = self.people.recount(self._next_recount, node, now_ms)

    def _at(self, at_ms: int, action: Callable[..., None], *args: object) -> None:
        self.loop.at(self.began_us + at_ms * MS, action, *args)

    # --- time ---

    def _is_linked(self) -> bool:
        """Return whether every planned link is up."""
        ready = sum(
            len(node.engine.peers.ready_links()) for node in self.nodes.values() if node.engine
        )
        return ready == 2 * len(self.plan.links)

    def _until(self, condition: Callable[[], bool], bound_ms: int) -> int | None:
        """Advance until a condition holds; return how long that took in ms, None if too long."""
        start_us = self.loop.now_us
        while self.loop.now_us - start_us <= bound_ms * MS:
            if condition():
                return (self.loop.now_us - start_us) // MS
            self._advance(self.loop.now_us + CHECK_EVERY_US)
        return None

    def _settle(self) -> int | None:
        """Advance until all agree and nothing new comes; return how long it took until then, ms.

        None if it took longer than the plan allows.
        """
        stop = self.plan.stop
        calm_us = stop.quiet_for_ms * MS if stop.when == "quiescent" else CALM_US
        start_us = self.loop.now_us
        bound_us = start_us + self.plan.converge_within_ms * MS
        since_us, known = start_us, -1
        while since_us <= bound_us:
            if not self.has_converged():
                since_us, known = self.loop.now_us + CHECK_EVERY_US, -1
            elif len(self.journeys) != known:
                since_us, known = self.loop.now_us, len(self.journeys)
            elif self.loop.now_us - since_us >= calm_us:
                return (since_us - start_us) // MS
            self._advance(self.loop.now_us + CHECK_EVERY_US)
        return None

    def _listen(self) -> Quiet:
        """Listen for some time in which nothing should happen, and take note of what does.

        Nodes may write what was not due before: what a lease gives back when it ends. Once all know
        of that it is listened anew, as often as the time to converge has room for it.
        """
        bound_us = self.loop.now_us + self.plan.converge_within_ms * MS
        while True:
            records = len(self.journeys)
            self.watch.listen()
            self.network.listen()
            self._advance(self.loop.now_us + LISTEN_US)
            new, watch = len(self.journeys) - records, self.watch
            frames = dict(sorted(watch.said.items()))
            heard = Quiet(LISTEN_US // MS, frames, new, watch.late, watch.ended)
            if not heard.records or self.loop.now_us >= bound_us or self._settle() is None:
                return heard

    def _advance(self, until_us: int, *, until_breach: bool = False) -> None:
        """Let time pass; if asked for, and if the plan wants it, only until a first breach.

        Raises: Exhausted.
        """
        stop = self.plan.stop
        until_breach = until_breach and stop.when == "first_violation"
        while self.loop.now_us < until_us and not (until_breach and self.facts.has_breach):
            self.loop.run_until(min(until_us, self.loop.now_us + CHECK_EVERY_US))
            if self._report is not None:
                self._report(self)
            if self.loop.events > stop.max_events:
                raise Exhausted
