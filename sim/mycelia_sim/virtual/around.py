"""The messages around a failure: from the last lines of the trace, or by playing it once more.

A run keeps only its last lines. A breach that lies further back is looked at by running the plan a
second time, which goes exactly as the first did, up to shortly after the breach.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Final

from mycelia_sim.timeline import Message
from mycelia_sim.virtual.loop import MS
from mycelia_sim.virtual.run import Played
from mycelia_sim.virtual.trace import Line, Trace
from mycelia_sim.virtual.world import World

BEFORE_US: Final = 5_000 * MS
AFTER_US: Final = 2_000 * MS
MESSAGES_MAX: Final = 400  # the nearest; the picture shows fewer

Numbered = list[tuple[int, Line]]


class _Enough(Exception):
    """What was to be seen has been seen."""


def first_breach_us(played: Played) -> int | None:
    """Return when (virtual us) the first breach happened that can be placed in time."""
    times = [
        check.first.at_ms
        for check in played.checks
        if check.verdict == "fail" and check.first is not None and check.first.at_ms is not None
    ]
    return played.world.began_us + min(times) * MS if times else None


def around(played: Played, at_us: int | None) -> tuple[Numbered, tuple[Message, ...]]:
    """Return the lines of the trace around a moment, and the messages among them.

    None stands for the end of the run.
    """
    kept = played.world.watch.trace.kept()
    if at_us is None:
        return kept, _messages(kept, played.world.began_us, played.world.loop.now_us)
    has_lost = bool(kept) and kept[0][0] > 0 and kept[0][1][0] > at_us - BEFORE_US
    if has_lost and not played.evidence.facts.is_interrupted:
        kept = _play_again(played, at_us)
    near = [one for one in kept if at_us - BEFORE_US <= one[1][0] < at_us + AFTER_US]
    return near, _messages(near, played.world.began_us, at_us)


def _play_again(played: Played, at_us: int) -> Numbered:
    """Play the same plan up to a moment, and return the lines around it."""

    def report(world: World) -> None:
        if world.loop.now_us >= at_us + AFTER_US:
            raise _Enough

    trace = Trace(window=(at_us - BEFORE_US, at_us + AFTER_US))
    with suppress(_Enough):
        World(played.world.plan, report, trace).run()
    return trace.kept()


def _messages(lines: Iterable[tuple[int, Line]], began_us: int, at_us: int) -> tuple[Message, ...]:
    """Pair what was sent with what arrived; what did not arrive among these lines was lost."""
    sent: dict[str, Line] = {}
    arrived: dict[str, Line] = {}
    for _, line in lines:
        if line[1] and line[2] == "send":
            sent[line[3]] = line
        elif line[2] == "recv":
            arrived[line[3]] = line
    nearest = sorted(sent.values(), key=lambda line: (abs(line[0] - at_us), line[3]))
    messages = []
    for t_us, node, _, id_, peer, _ in nearest[:MESSAGES_MAX]:
        came = arrived.get(id_)
        words = "" if came is None else str(came[5])
        kind, _, rest = words.partition(" ")
        messages.append(
            Message(
                sent_ms=(t_us - began_us) // MS,
                arrived_ms=None if came is None else (came[0] - began_us) // MS,
                sender=node,
                receiver=peer,
                kind=kind or "message",
                record=rest.partition(" ")[2],
            )
        )
    return tuple(sorted(messages, key=lambda message: (message.sent_ms, message.sender)))
