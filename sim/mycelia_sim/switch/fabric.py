"""The switch itself: takes frames, lets the model of each link decide, and gives them out.

It knows no sockets and no clock; `process.py` has both. Frames of one direction keep their order,
as on one road, but for those that the model lets be overtaken. What a cut does depends on its mode:

    drop    frames are lost; TCP sends them again until somebody gives up
    queue   frames wait at the cut, as many as the queue holds, and go on when it heals
    delay   frames take longer
    reset   TCP on both sides is told that its connections are broken, and so is who tries anew

A frame is also held to the cut if that begins while it is on its way.
"""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from mycelia_sim.path import MS, STRANGER_LATENCY_US, Path, cut_directions, name_of
from mycelia_sim.plan import Cut, Plan, Shape
from mycelia_sim.switch.frames import ACK, RST, TARGET, Segment, answer, read_segment, reset

QUEUE_SIZE_MAX: Final = 256 * 1024  # bytes that wait for a slow line, or at a cut
FLOWS_MAX: Final = 16_384  # directions of connections that are remembered
OUTSIDE: Final = ""  # where the harness itself, and the adversary, are at home

Flow = tuple[bytes, int, bytes, int]


@dataclass(slots=True)
class Lane:
    """One direction between two ports, and what is on it."""

    source: str
    target: str
    path: Path
    name: str
    frames: int = 0  # taken from the sender
    free_us: int = 0  # when the next frame may arrive at the earliest
    busy_us: int = 0  # until when the sender's line is taken
    held: list[bytes] = field(default_factory=list)
    held_size: int = 0


class Fabric:
    """All lanes of one run.

    Args:
        addresses: port -> its IPv4 address, 4 bytes; `OUTSIDE` is a port too.
        deliver: puts a frame on the wire of a port.

    Attributes:
        traffic: counts of frames, bytes, lost, duplicates, overtaken, held, resets, overflow.
        withheld: fault -> counts of bytes and connections that it kept back.
    """

    def __init__(
        self, plan: Plan, addresses: dict[str, bytes], deliver: Callable[[str, bytes], None]
    ) -> None:
        self.traffic: Counter[str] = Counter()
        self.withheld: dict[str, Counter[str]] = defaultdict(Counter)
        self._plan = plan
        self._deliver = deliver
        self._port_at = {address: port for port, address in addresses.items()}
        self._lanes: dict[tuple[str, str], Lane] = {}
        self._on_the_way: list[tuple[int, int, Lane, bytes]] = []
        self._number = 0
        self._latency_us = {
            pair: link.latency_ms * MS
            for link in plan.links
            for pair in ((link.dialer, link.listener), (link.listener, link.dialer))
        }
        nodes = [node.id for node in plan.nodes]
        self._directions = [(one, other) for one in nodes for other in nodes if one != other]
        self._flows: dict[Flow, Segment] = {}
        self._knows_flows = any(cut.mode == "reset" for cut in plan.cuts)

    @property
    def due_us(self) -> int | None:
        """When `release` should be called next, None if nothing is on its way."""
        return self._on_the_way[0][0] if self._on_the_way else None

    def lane(self, source: str, target: str) -> Lane:
        """Return the direction between two ports, made when it is first asked for."""
        lane = self._lanes.get((source, target))
        if lane is None:
            is_outside = OUTSIDE in (source, target)
            stranger_us = 0 if is_outside else STRANGER_LATENCY_US
            path = Path(self._latency_us.get((source, target), stranger_us))
            lane = Lane(source, target, path, name_of(source, target))
            self._lanes[source, target] = lane
        return lane

    def take(self, source: str, frame: bytes, now_us: int) -> None:
        """Take a frame from the wire of a port."""
        target = self._port_at.get(frame[TARGET])
        if target is None or target == source:
            return
        lane = self.lane(source, target)
        self.traffic["frames"] += 1
        self.traffic["bytes"] += len(frame)
        lane.frames += 1
        if self._knows_flows:
            self._learn(frame)
        if lane.path.cuts and self._withhold(lane, frame):
            return
        self._carry(lane, frame, now_us)

    def release(self, now_us: int) -> None:
        """Give out everything that is due."""
        while self._on_the_way and self._on_the_way[0][0] <= now_us:
            _, _, lane, frame = heapq.heappop(self._on_the_way)
            if not lane.path.is_cut or not self._withhold(lane, frame):
                self._deliver(lane.target, frame)

    # --- faults ---

    def cut(self, cut: Cut) -> int:
        """Begin a cut; return how many of the plan's links it touches."""
        pairs = cut_directions(cut, self._directions)
        for source, target in pairs:
            self.lane(source, target).path.cut(cut.id, cut.mode, cut.delay_ms * MS)
        if cut.mode == "reset":
            self._break(cut.id, set(pairs))
        touched = set(pairs)
        return sum(
            (link.dialer, link.listener) in touched or (link.listener, link.dialer) in touched
            for link in self._plan.links
        )

    def heal(self, cut: Cut, now_us: int) -> Counter[str]:
        """End a cut; what waited there goes on. Return what it kept back."""
        for source, target in cut_directions(cut, self._directions):
            lane = self.lane(source, target)
            lane.path.heal(cut.id, cut.delay_ms * MS)
            if not lane.path.is_cut:
                held, lane.held, lane.held_size = lane.held, [], 0
                for frame in held:
                    self._launch(lane, frame, now_us + lane.path.latency_us)
        return self.withheld[cut.id]

    def bend(self, shape: Shape) -> None:
        """Make some directions worse."""
        for lane in self._lanes_of(shape):
            lane.path.bend(shape)

    def unbend(self, shape: Shape) -> None:
        """End what `bend` began."""
        for lane in self._lanes_of(shape):
            lane.path.unbend(shape)

    def frames_on(self, shape: Shape) -> int:
        """Return how many frames were ever taken on the directions of a shape."""
        return sum(lane.frames for lane in self._lanes_of(shape))

    def _lanes_of(self, shape: Shape) -> Iterable[Lane]:
        return [self.lane(source, target) for source, target in shape.links]

    # --- one frame ---

    def _carry(self, lane: Lane, frame: bytes, now_us: int) -> None:
        """Let the model decide what becomes of a frame."""
        path = lane.path
        at_us = now_us + path.latency_us + path.delay_us
        rate_bps = path.rate_bps if path.rates else 0
        if rate_bps:
            waiting_us = max(0, lane.busy_us - now_us)
            if waiting_us * rate_bps > QUEUE_SIZE_MAX * 8_000_000:
                self.traffic["overflow"] += 1
                return
            waiting_us += len(frame) * 8_000_000 // rate_bps
            lane.busy_us = now_us + waiting_us
            at_us += waiting_us
        if not path.is_disturbed:
            self._launch(lane, frame, at_us)
            return
        jitter_us, is_twice, is_late, is_lost = path.toss(self._plan.seed, lane.name)
        if is_lost:
            self.traffic["lost"] += 1
            return
        at_us += jitter_us
        if is_late:
            self.traffic["overtaken"] += 1
            self._push(lane, frame, at_us + path.latency_us)
        else:
            self._launch(lane, frame, at_us)
        if is_twice:
            self.traffic["duplicates"] += 1
            self._launch(lane, frame, at_us)

    def _launch(self, lane: Lane, frame: bytes, at_us: int) -> None:
        """Put a frame on its way behind those that are on it."""
        lane.free_us = max(lane.free_us, at_us)
        self._push(lane, frame, lane.free_us)

    def _push(self, lane: Lane, frame: bytes, at_us: int) -> None:
        self._number += 1
        heapq.heappush(self._on_the_way, (at_us, self._number, lane, frame))

    def _withhold(self, lane: Lane, frame: bytes) -> bool:
        """Count a frame that came to a cut; return whether the cut keeps it."""
        segment = read_segment(frame)
        for fault in lane.path.cuts:
            tally = self.withheld[fault]
            tally["bytes"] += len(frame)
            tally["connections"] += segment is not None and segment.is_opening
        if not lane.path.is_cut:
            return False
        self.traffic["held"] += 1
        modes = lane.path.cuts.values()
        if "reset" in modes and segment is not None:
            self._send_back(lane.source, answer(segment))
        elif "drop" not in modes and "reset" not in modes:
            if lane.held_size + len(frame) <= QUEUE_SIZE_MAX:
                lane.held.append(frame)
                lane.held_size += len(frame)
            else:
                self.traffic["overflow"] += 1
        return True

    # --- resets ---

    def _learn(self, frame: bytes) -> None:
        """Remember the last segment of each direction of a connection."""
        segment = read_segment(frame)
        if segment is None:
            return
        if segment.flags & RST:
            self._flows.pop(segment.flow, None)
            return
        self._flows.pop(segment.flow, None)  # those that spoke last are kept
        self._flows[segment.flow] = segment
        if len(self._flows) > FLOWS_MAX:
            del self._flows[next(iter(self._flows))]

    def _break(self, fault: str, pairs: set[tuple[str, str]]) -> None:
        """Reset both ends of every connection that a cut touches.

        Each end is told with the number that it acknowledged last, which is the one that it
        expects. If it has taken in more meanwhile, it answers, and that answer meets the cut.
        """
        for flow, segment in list(self._flows.items()):
            ends = (self._port_at[segment.source], self._port_at[segment.target])
            if ends not in pairs and ends[::-1] not in pairs:
                continue
            del self._flows[flow]
            if segment.flags & ACK:
                self.withheld[fault]["connections"] += 1
                self._send_back(ends[0], reset(segment, segment.ack, None))

    def _send_back(self, port: str, frame: bytes | None) -> None:
        if frame is not None:
            self.traffic["resets"] += 1
            self._deliver(port, frame)
