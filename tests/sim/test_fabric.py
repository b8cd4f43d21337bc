"""The switch without sockets: what becomes of frames, by the model that virtual time uses too."""

from __future__ import annotations

import socket
import struct
from dataclasses import replace
from typing import Any

import pytest

from mycelia_sim.path import Path, name_of
from mycelia_sim.plan import Plan, Shape
from mycelia_sim.switch.fabric import OUTSIDE, QUEUE_SIZE_MAX, Fabric
from mycelia_sim.switch.frames import ACK, RST, SYN, answer, read_segment
from support.city import city, cut

MS = 1_000
HOSTS = {f"n{n:02}": socket.inet_aton(f"10.77.0.{n + 1}") for n in range(4)}
HOSTS[OUTSIDE] = socket.inet_aton("10.77.255.254")


def frame(
    source: str, target: str, *, payload: bytes = b"", flags: int = ACK, seq: int = 1, ack: int = 7
) -> bytes:
    """Return a frame with a TCP segment between port 40000 at the source and 7946."""
    ports = (7946, 40_000) if source > target else (40_000, 7946)
    tcp = struct.pack(">HHIIBBHHH", *ports, seq, ack, 5 << 4, flags, 100, 0, 0) + payload
    ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(tcp), 0, 0, 64, 6, 0)
    return bytes(12) + b"\x08\x00" + ip + HOSTS[source] + HOSTS[target] + tcp


def plan_with(**qualities: Any) -> Plan:
    """Return a plan of four nodes in a ring; all links are as said, from the beginning on."""
    plan = city(4, 0, degree=2)
    plan = replace(plan, links=tuple(replace(link, latency_ms=10) for link in plan.links))
    ways = [(link.dialer, link.listener) for link in plan.links]
    ways += [(target, source) for source, target in ways]
    shape = Shape("link-1", 0, 1_000, tuple(ways), 0, 0, 0, 0, 0, 0)
    return replace(plan, shapes=(replace(shape, **qualities),))


class Bench:
    """A fabric, and what came out of it when."""

    def __init__(self, plan: Plan) -> None:
        self.now_us = 0
        self.out: list[tuple[int, str, bytes]] = []
        self.fabric = Fabric(plan, HOSTS, self.deliver)
        for shape in plan.shapes:
            self.fabric.bend(shape)

    def deliver(self, port: str, data: bytes) -> None:
        """Take a frame that came out."""
        self.out.append((self.now_us, port, data))

    def send(self, source: str, target: str, payload: bytes = b"") -> None:
        """Put a frame in."""
        self.fabric.take(source, frame(source, target, payload=payload), self.now_us)

    def run(self, until_us: int = 1 << 40) -> None:
        """Let time pass."""
        while (due_us := self.fabric.due_us) is not None and due_us <= until_us:
            self.now_us = max(self.now_us, due_us)
            self.fabric.release(self.now_us)
        if until_us < 1 << 40:
            self.now_us = until_us


def test_a_frame_takes_the_latency_of_its_link() -> None:
    """Over a link it takes what the plan says; between strangers 40 ms; from outside nothing."""
    bench = Bench(plan_with())
    bench.send("n00", "n01")
    bench.send("n00", "n02")
    bench.send(OUTSIDE, "n03")
    bench.run()
    assert [(at, port) for at, port, _ in bench.out] == [
        (0, "n03"),
        (10 * MS, "n01"),
        (40 * MS, "n02"),
    ]


def test_the_fate_of_a_frame_is_the_one_that_virtual_time_draws() -> None:
    """Lost are exactly the packets of a direction that the shared model draws as lost."""
    plan = plan_with(loss_ppm=200_000, jitter_ms=5)
    bench = Bench(plan)
    model = Path(10 * MS, jitter_us=5 * MS, loss_ppm=200_000)
    fates = [model.toss(plan.seed, name_of("n00", "n01")) for _ in range(500)]
    for number in range(500):
        bench.send("n00", "n01", number.to_bytes(2))
        bench.send("n01", "n00")  # another direction draws from a stream of its own
    bench.run()
    came = [data[-2:] for _, port, data in bench.out if port == "n01"]
    kept = [number.to_bytes(2) for number, fate in enumerate(fates) if not fate[3]]
    assert came == kept  # and none overtook another
    assert 60 < 500 - len(came) < 140
    assert bench.fabric.traffic["lost"] > 0


def test_frames_come_twice_and_are_overtaken() -> None:
    """With duplicates and reordering alone every frame comes, some twice, some after later ones."""
    bench = Bench(plan_with(duplicate_ppm=100_000, reorder_ppm=100_000))
    for number in range(300):
        bench.now_us = number * MS
        bench.fabric.release(bench.now_us)
        bench.send("n00", "n01", number.to_bytes(2))
    bench.run()
    came = [int.from_bytes(data[-2:]) for _, _, data in bench.out]
    traffic = bench.fabric.traffic
    assert set(came) == set(range(300))
    assert len(came) == 300 + traffic["duplicates"] > 310
    assert came != sorted(came)
    assert traffic["overtaken"] > 10


def test_a_slow_line_queues_and_then_drops() -> None:
    """At 1 Mbit/s a frame of 1,000 bytes takes 8 ms; more than the queue holds is dropped."""
    bench = Bench(plan_with(rate_bps=1_000_000))
    size = 1_000 - len(frame("n00", "n01"))
    for _ in range(2 * QUEUE_SIZE_MAX // 1_000):
        bench.send("n00", "n01", bytes(size))
    bench.run()
    gaps = {later[0] - sooner[0] for sooner, later in zip(bench.out, bench.out[1:], strict=False)}
    assert gaps == {8 * MS}
    assert len(bench.out) == QUEUE_SIZE_MAX // 1_000 + 1
    assert bench.fabric.traffic["overflow"] > 200


@pytest.mark.parametrize("mode", ["drop", "queue", "delay", "reset"])
@pytest.mark.parametrize("oneway", [False, True])
def test_what_a_cut_does(mode: str, oneway: bool) -> None:
    """Each mode does to frames what it says, on both ways or one, and stops with the heal."""
    plan = cut(plan_with(), 0, 1_000, mode=mode, oneway=oneway)
    (fault,) = plan.cuts
    west, east = fault.groups[0][0], fault.groups[1][-1]
    bench = Bench(plan)
    bench.send(west, east, b"on its way")
    bench.run(2 * MS)
    assert bench.fabric.cut(fault) == 2
    bench.send(west, east, b"there")
    bench.send(east, west, b"back")
    bench.run(900 * MS)
    came = {data[54:] for _, port, data in bench.out if port in (west, east) and data[54:]}
    back = {b"back"} if oneway else set()
    assert came == ({b"there", b"back", b"on its way"} if mode == "delay" else back)
    told = bench.fabric.heal(fault, bench.now_us)
    assert told["bytes"] > 0
    bench.send(west, east, b"after")
    bench.run()
    later = [data[54:] for _, port, data in bench.out if port == east and data[54:]]
    if mode == "queue":
        assert later == [b"there", b"on its way", b"after"]
    assert later[-1] == b"after"


def test_a_reset_reaches_both_ends() -> None:
    """A cut of mode reset tells both ends of a connection, with the numbers that they expect."""
    plan = cut(plan_with(), 0, 1_000, mode="reset")
    west, east = plan.cuts[0].groups[0][0], plan.cuts[0].groups[1][-1]
    bench = Bench(plan)
    bench.fabric.take(west, frame(west, east, seq=100, ack=500, payload=b"abc"), 0)
    bench.run()
    bench.fabric.take(east, frame(east, west, seq=500, ack=103), bench.now_us)
    bench.run()
    bench.out.clear()
    bench.fabric.cut(plan.cuts[0])
    resets = {port: read_segment(data) for _, port, data in bench.out}
    assert {port: one.seq for port, one in resets.items() if one} == {west: 500, east: 103}
    assert all(one is not None and one.flags == RST for one in resets.values())
    bench.out.clear()
    bench.fabric.take(west, frame(west, east, flags=SYN, seq=9, ack=0), bench.now_us)
    ((_, port, data),) = bench.out
    refused = read_segment(data)
    assert refused is not None
    assert (port, refused.flags, refused.ack) == (west, RST | ACK, 10)
    assert bench.fabric.withheld[plan.cuts[0].id]["connections"] >= 2


def test_a_reset_has_good_checksums() -> None:
    """Both checksums of a frame that the switch writes come out as zero when they are added up."""
    segment = read_segment(frame("n00", "n01", payload=b"abc", seq=5, ack=77))
    assert segment is not None
    data = answer(segment)
    assert data is not None
    ip, tcp = data[14:34], data[34:]
    pseudo = ip[12:20] + struct.pack(">BBH", 0, 6, len(tcp))
    for part in (ip, pseudo + tcp):
        total = sum(struct.unpack(f">{len(part) // 2}H", part))
        assert (total & 0xFFFF) + (total >> 16) == 0xFFFF
    back = read_segment(data)
    assert back is not None
    assert (back.source, back.target, back.seq) == (segment.target, segment.source, 77)
    assert answer(back) is None  # nobody answers a reset


def test_what_is_no_tcp_is_carried_too() -> None:
    """A datagram has a fate like any packet, and no reset answers it."""
    plan = cut(plan_with(), 0, 1_000, mode="reset")
    west, east = plan.cuts[0].groups[0][0], plan.cuts[0].groups[1][-1]
    datagram = bytearray(frame(west, east))
    datagram[23] = 17
    bench = Bench(plan)
    bench.fabric.take(west, bytes(datagram), 0)
    bench.run()
    assert len(bench.out) == 1
    bench.fabric.cut(plan.cuts[0])
    bench.fabric.take(west, bytes(datagram), bench.now_us)
    assert len(bench.out) == 1
