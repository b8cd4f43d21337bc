"""Too much: the same again and again, and more than anybody can use."""

from typing import Final

from mycelia_protocol.events import Range
from mycelia_protocol.limits import RATE_HEADS_MAX, WANTS_PER_FRAME_MAX
from mycelia_protocol.messages import Heads, Push
from mycelia_protocol.record import Record
from mycelia_sim.adversaries.act import Act
from mycelia_sim.adversaries.pen import OFFER
from mycelia_sim.adversaries.talk import Steps

REPLAYS: Final = 40  # times that the same frame is sent
FLOOD_PUSHES: Final = 8
FLOOD_RECORDS: Final = 64  # in each
LONE_PUSHES: Final = 100  # with one record each: as many frames as records


def replay(act: Act) -> Steps[None]:
    """Send what the target told again and again, then a sealed message for a second time."""
    talk = yield from act.greet()
    ranges = [
        Range(*key, 0, entry.next_seq - 1)
        for key, entry in sorted(talk.heads.items())[:WANTS_PER_FRAME_MAX]
    ]
    given = yield from talk.fetch(ranges)
    signed = [record for record in given if record.signature is not None]
    again = Push(tuple(act.stream.sample(signed, 64)))
    for _ in range(REPLAYS):
        talk.say(again)
    if (yield from act.probe(talk)):
        sealed = talk.seal(Heads((), False))
        talk.send(sealed)
        talk.send(sealed)
        yield from act.probe(talk)


def flood(act: Act) -> Steps[None]:
    """Write good records in bulk, many frames of one record each, then frames without end."""
    talk = yield from act.greet()
    pen = act.pen()
    start = 0
    for size in [FLOOD_RECORDS] * FLOOD_PUSHES + [1] * LONE_PUSHES:
        while len(pen.records) < start + size:
            pen.write("offer", OFFER)
        talk.say(Push(tuple(pen.records[start : start + size])))
        start += size
    scattered: list[Record] = pen.records[::2]
    talk.say(Push(tuple(scattered[:256])))
    if (yield from act.probe(talk)):
        for _ in range(RATE_HEADS_MAX + 1):
            talk.say(Heads((), False))
        yield from act.probe(talk)
