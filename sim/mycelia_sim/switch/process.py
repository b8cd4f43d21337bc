"""The switch as a process: makes the namespaces, carries frames, and does as the harness says.

    process.py FD

FD is one end of a stream socket. The first line from there is the plan; the answer says by which
descriptors this process holds the nodes' network namespaces. Every later line is a request with an
answer. When the socket ends, so does this process, and with it and the daemons all that it made.

Frames wait in a heap until they are due. Linux lets a process sleep for whole milliseconds here, so
a frame may be up to one late, besides what a busy machine adds.
"""

from __future__ import annotations

import gc
import json
import os
import select
import signal
import socket
import struct
import sys
import time
from collections import Counter
from typing import Any, Final

from mycelia_sim.plan import Plan, build_plan
from mycelia_sim.switch import namespaces, netlink
from mycelia_sim.switch.addresses import address_of
from mycelia_sim.switch.fabric import OUTSIDE, Fabric
from mycelia_sim.switch.namespaces import Missing

FRAMES_AT_ONCE: Final = 64  # of one port, then the others have their turn
FRAME_SIZE_MAX: Final = 65_536
BUFFER_SIZE: Final = 4 * 1024 * 1024  # of a packet socket; the kernel may give less
_PACKET_LEVEL, _PACKET_STATISTICS = 263, 6  # SOL_PACKET; source: packet(7)


class Ports:
    """The wires of all nodes, each in its own network namespace.

    Attributes:
        networks: node -> descriptor of its network namespace.
        missed: counts of frames that no wire took, and that came faster than they were read.
    """

    def __init__(self, plan: Plan) -> None:
        self.networks: dict[str, int] = {}
        self.missed: Counter[str] = Counter()
        self.wires: dict[str, socket.socket] = {}
        self.addresses: dict[str, bytes] = {}
        namespaces.enter_user_namespace()
        # The last one is that in which this process stays, and in which it opens sockets for
        # whoever knocks from outside.
        for number, port in enumerate([*(node.id for node in plan.nodes), OUTSIDE]):
            address = address_of(number if port != OUTSIDE else None)
            namespaces.enter_new_network()
            netlink.make_card(address)
            self.networks[port] = namespaces.present_network()
            self.wires[port] = netlink.open_wire(BUFFER_SIZE)
            self.addresses[port] = socket.inet_aton(address)

    def deliver(self, port: str, frame: bytes) -> None:
        """Put a frame on a wire; one that is full takes none, as a card would not."""
        try:
            self.wires[port].send(frame)
        except OSError:
            self.missed["unsent"] += 1

    def overruns(self) -> int:
        """Return how many frames the kernel dropped, since they were not read in time."""
        for wire in self.wires.values():
            told = wire.getsockopt(_PACKET_LEVEL, _PACKET_STATISTICS, 8)  # clears what it tells
            self.missed["overruns"] += struct.unpack("=II", told)[1]
        return self.missed["overruns"]


class Control:
    """Answers the harness.

    Args:
        stream: where its requests come from.
    """

    def __init__(self, stream: socket.socket) -> None:
        self.stream = stream
        self._buffer = b""

    def read_line(self) -> bytes | None:
        """Wait for a whole line and return it, None at the end of the stream."""
        while b"\n" not in self._buffer:
            received = self.stream.recv(1 << 20)
            if not received:
                return None
            self._buffer += received
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line

    def say(self, answer: dict[str, object], descriptors: tuple[int, ...] = ()) -> None:
        """Send one answer, and descriptors with its first byte."""
        data = json.dumps(answer).encode() + b"\n"
        sent = socket.send_fds(self.stream, [data], list(descriptors)) if descriptors else 0
        self.stream.sendall(data[sent:])


class Server:
    """Carries frames and does what the harness asks, in one thread."""

    def __init__(self, plan: Plan, ports: Ports, control: Control) -> None:
        self._ports = ports
        self._control = control
        self._fabric = Fabric(plan, ports.addresses, ports.deliver)
        self._cuts = {cut.id: cut for cut in plan.cuts}
        self._shapes = {shape.id: shape for shape in plan.shapes}
        self._port_of = {wire.fileno(): port for port, wire in ports.wires.items()}

    def run(self) -> None:
        """Work until the harness ends the conversation."""
        poll = select.epoll()
        poll.register(self._control.stream, select.EPOLLIN)
        for wire in self._ports.wires.values():
            poll.register(wire, select.EPOLLIN)
        fabric, port_of = self._fabric, self._port_of
        while True:
            due_us = fabric.due_us
            wait_s = -1.0 if due_us is None else max(0.0, (due_us - _now_us()) / 1e6)
            for descriptor, _ in poll.poll(wait_s):
                if descriptor in port_of:
                    self._drain(port_of[descriptor])
                elif not self._obey():
                    return
            fabric.release(_now_us())

    def _drain(self, port: str) -> None:
        """Take what waits on one wire."""
        wire, take = self._ports.wires[port], self._fabric.take
        now_us = _now_us()
        try:
            for _ in range(FRAMES_AT_ONCE):
                take(port, wire.recv(FRAME_SIZE_MAX), now_us)
        except BlockingIOError:
            return

    def _obey(self) -> bool:
        """Carry out one request; return whether there was one."""
        line = self._control.read_line()
        if line is None:
            return False
        request: dict[str, Any] = json.loads(line)
        name, fabric = str(request.get("id", "")), self._fabric
        match request["do"]:
            case "cut":
                self._control.say({"links": fabric.cut(self._cuts[name])})
            case "heal":
                self._control.say(dict(fabric.heal(self._cuts[name], _now_us())))
            case "bend":
                fabric.bend(self._shapes[name])
                self._control.say({"frames": fabric.frames_on(self._shapes[name])})
            case "unbend":
                fabric.unbend(self._shapes[name])
                self._control.say({"frames": fabric.frames_on(self._shapes[name])})
            case "knock":
                with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as opened:
                    self._control.say({}, (opened.fileno(),))
            case "traffic":
                self._ports.overruns()
                self._control.say({**fabric.traffic, **self._ports.missed})
            case other:
                raise ValueError(f"unknown request {other!r}")
        return True


def _now_us() -> int:
    return time.monotonic_ns() // 1_000


def main() -> None:
    """Serve one run."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the harness ends this process, not the terminal
    control = Control(socket.socket(fileno=int(sys.argv[1])))
    first = control.read_line()
    if first is None:
        return
    plan = build_plan(json.loads(first), "plan")
    try:
        ports = Ports(plan)
    except Missing as missing:
        control.say({"missing": missing.what, "advice": missing.advice})
        return
    control.say({"pid": os.getpid(), "networks": ports.networks})
    gc.freeze()
    Server(plan, ports, control).run()


if __name__ == "__main__":
    main()
