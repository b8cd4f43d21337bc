"""What a slow peer, a flood and half a frame cost real daemons, and whether records still spread.

Four daemons that know each other have a store of some size; one of them goes on publishing at a
steady pace. That is measured alone, then with one hostile member (`foe.py`) that harms all four at
once, then alone again, for each kind of harm on daemons of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

from mycelia_bench import foe
from mycelia_bench.cli import positive
from mycelia_bench.crew import Crew, Talker
from mycelia_bench.errors import BenchError
from mycelia_bench.figures import percentile
from mycelia_bench.install import BENCH
from mycelia_bench.progress import Say, say_after
from mycelia_bench.systems.mycelia import DaemonSwarm, Group, Member
from mycelia_bench.systems.mycelia_log import offer
from mycelia_bench.year import memory_mib
from mycelia_protocol.errors import MyceliaError

NODES: Final = 4
STORED: Final = 2_000  # records that all hold before anything is measured
PACE_PER_S: Final = 5.0
SETTLE_S: Final = 3.0  # for the last records of a phase to come
SIZE: Final = 300  # bytes of what each record says


@dataclass(frozen=True, slots=True)
class Phase:
    """What one stretch of time cost a node, and how records spread in it.

    Attributes:
        name: rest, load, under attack or after.
        cpu_percent: of a core, of the node that used most.
        rss_mib, peak_mib: memory of the largest of all nodes: now, and the most ever.
        spread_p50_ms, spread_max_ms: until a record was on the disk of the last node.
        lost: records of the author that some node did not have some seconds later.
    """

    name: str
    cpu_percent: float
    rss_mib: float
    peak_mib: float
    spread_p50_ms: float | None = None
    spread_max_ms: float | None = None
    lost: int = 0


@dataclass(frozen=True, slots=True)
class Harmed:
    """What one kind of harm came to.

    Attributes:
        ends: why nodes ended links of the hostile peer, and how often.
    """

    kind: str
    phases: tuple[Phase, ...]
    ends: dict[str, int]


def parse(words: list[str] | None = None) -> argparse.Namespace:
    """Read the arguments; wrong ones end the program with a hint."""
    parser = argparse.ArgumentParser(
        prog="bench/hostile.py",
        description="Measure what hostile peers cost real daemons, and whether records spread.",
    )
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=f"else {' '.join(foe.KINDS)}")
    parser.add_argument("--seconds", type=positive, default=20, help="of each phase; else 20")
    parser.add_argument("--stored", type=positive, default=STORED, help=f"else {STORED} records")
    parser.add_argument("--out", type=Path, help="write the figures there too, as JSON")
    arguments = parser.parse_args(words)
    unknown = set(arguments.kinds) - set(foe.KINDS)
    if unknown:
        parser.error(f"there is no kind {min(unknown)!r}; take {', '.join(foe.KINDS)}")
    return arguments


def main(words: list[str] | None = None) -> int:
    """Measure each kind of harm and print a table; return the exit code."""
    arguments = parse(words)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    folder = Path(tempfile.mkdtemp(prefix=".work-", dir=BENCH))
    say = say_after("hostile:")
    found: list[Harmed] = []
    try:
        for kind in arguments.kinds or foe.KINDS:
            home = folder / kind
            home.mkdir()
            harmed = asyncio.run(measure(kind, home, arguments.seconds, arguments.stored, say))
            found.append(harmed)
            print(text([harmed], with_head=len(found) == 1), end="", flush=True)
    except MyceliaError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("bench: broken off; nothing is left", file=sys.stderr)
        return 130
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if arguments.out is not None:
        rows = [asdict(each) for each in found]
        arguments.out.write_text(json.dumps(rows, indent=1) + "\n", "utf-8")
    return 0


async def measure(kind: str, folder: Path, seconds: int, stored: int, say: Say) -> Harmed:
    """Start daemons, and measure them before, under and after an attack.

    Raises: BenchError, HarnessError.
    """
    async with Crew(folder, counts_bytes=False) as crew, Group(crew) as group:
        members = await _found(group)
        swarm = DaemonSwarm(members[0], members[1:], 0, SIZE)
        say(f"{kind}: {stored:,} records are written")
        await swarm.publish(0, stored, 0)
        await group.level()
        eye = _Eye(crew, members, seconds)
        say(f"{kind}: before")
        phases = [await eye.rest(), await eye.load("load")]
        enemy = await _start_foe(crew, kind, members)
        ends: Counter[str] = Counter()
        listening = asyncio.create_task(_count_ends(enemy, ends))
        say(f"{kind}: under attack")
        phases.append(await eye.load("under attack"))
        await crew.end(enemy)
        listening.cancel()
        say(f"{kind}: after")
        phases.append(await eye.load("after"))
        return Harmed(kind, tuple(phases), dict(ends.most_common(3)))


async def _found(group: Group) -> list[Member]:
    """Start daemons that are all members of one commons, and linked."""
    members = [await group.start(f"node-{number}") for number in range(NODES)]
    await members[0].client.post("/v1/found", {"name": "Bench"})
    for member in members[1:]:
        await member.join(await members[0].invite())
    await group.level()
    return members


async def _start_foe(crew: Crew, kind: str, members: Sequence[Member]) -> Talker:
    command = [sys.executable, foe.__file__, kind]
    talker = await crew.start("foe", command, output=asyncio.subprocess.PIPE)
    addresses = [member.listen for member in members]
    return await talker.begin({"invite": await members[0].invite(), "addresses": addresses})


async def _count_ends(enemy: Talker, ends: Counter[str]) -> None:
    """Count why links of the hostile peer ended, until it is gone."""
    while True:
        try:
            said = await enemy.read("go on", 3_600)
        except BenchError:
            return
        if "ended" in said:
            ends[str(said["ended"]).partition(";")[0][:60]] += 1


async def _hear(member: Member, arrivals: dict[str, list[int]]) -> None:
    """Note when records come to a member's disk, by its own clock, until cancelled."""
    async for event in member.client.stream("/v1/events"):
        if event.get("event") == "record":
            arrivals.setdefault(str(event["id"]), []).append(int(event["time_ms"]))


class _Eye:
    """Measures one phase after the other."""

    def __init__(self, crew: Crew, members: Sequence[Member], seconds: int) -> None:
        self._crew = crew
        self._members = members
        self._pids = [member.pid for member in members]
        self._seconds = seconds

    async def rest(self) -> Phase:
        """Measure while nothing happens."""
        begin, before = time.monotonic(), self._used()
        await asyncio.sleep(self._seconds / 2)
        return self._phase("rest", begin, before)

    async def load(self, name: str) -> Phase:
        """Measure while one node publishes."""
        arrivals: dict[str, list[int]] = {}  # record -> when it was on the disks of others
        ears = [asyncio.create_task(_hear(member, arrivals)) for member in self._members[1:]]
        begin, before = time.monotonic(), self._used()
        sent = await self._publish()
        phase = self._phase(name, begin, before)
        await asyncio.sleep(SETTLE_S)
        for ear in ears:
            ear.cancel()
        whole = {
            record: times
            for record, times in arrivals.items()
            if record in sent and len(times) == len(ears)
        }
        spread = [max(times) - sent[record] for record, times in whole.items()]
        author, *readers = self._members
        wanted = await author.next_seq(author)
        lost = wanted - min([await reader.next_seq(author) for reader in readers])
        return replace(
            phase,
            spread_p50_ms=percentile(spread, 50) if spread else None,
            spread_max_ms=max(spread, default=None),
            lost=lost,
        )

    async def _publish(self) -> dict[str, float]:
        """Publish at a steady pace; return record -> wall clock (ms) when it was handed over."""
        sent: dict[str, float] = {}
        begin = time.monotonic()
        while (due := len(sent) / PACE_PER_S) < self._seconds:
            await asyncio.sleep(max(0.0, begin + due - time.monotonic()))
            at_ms = time.time() * 1_000
            answer = await self._members[0].client.post("/v1/offers", offer(len(sent), SIZE))
            sent[str(answer["id"])] = at_ms
        return sent

    def _phase(self, name: str, begin: float, before: list[float]) -> Phase:
        passed_s = time.monotonic() - begin
        used = sorted(late - early for late, early in zip(self._used(), before, strict=True))
        peaks, sizes = zip(*(memory_mib(pid) for pid in self._pids), strict=True)
        return Phase(name, used[-1] / passed_s * 100, max(sizes), max(peaks))

    def _used(self) -> list[float]:
        return [self._crew.cpu_s([pid]) for pid in self._pids]


def text(found: Sequence[Harmed], *, with_head: bool = True) -> str:
    """Return the figures as a table."""
    head = "kind    phase          CPU %   RSS MiB  peak MiB  spread p50 ms   max ms  lost\n"
    lines = [head] if with_head else []
    for harmed in found:
        for phase in harmed.phases:
            p50, most = phase.spread_p50_ms, phase.spread_max_ms
            lines.append(
                f"{harmed.kind:<8}{phase.name:<13} {phase.cpu_percent:6.1f} {phase.rss_mib:9.1f} "
                f"{phase.peak_mib:9.1f} {'-' if p50 is None else f'{p50:.0f}':>14} "
                f"{'-' if most is None else f'{most:.0f}':>8} {phase.lost:5}\n"
            )
        lines += [f"        {count:,} links ended: {why}\n" for why, count in harmed.ends.items()]
    return "".join(lines)
