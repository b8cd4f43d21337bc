"""Equivocation: one log, two ends, each told to another node."""

from typing import Final

from mycelia_protocol.messages import Push
from mycelia_sim.adversaries.act import Act
from mycelia_sim.adversaries.pen import OFFER, Pen
from mycelia_sim.adversaries.talk import Ended, Silence, Steps

COMMON: Final = 2  # offers before the log parts
LENGTHS: Final = ((1, 1), (3, 6), (6, 3), (1, 40))  # records of the two ends, by turns
LATER: Final = 2  # records that follow at each end while both are spread
PAUSE_MS: Final = 400


def equivocate(act: Act) -> Steps[None]:
    """Tell the target one end of a log and the victim another, and write on at both."""
    first = yield from act.greet()
    second = yield from act.greet(act.attempt.victim)
    here = act.pen()
    for _ in range(COMMON):
        here.write("offer", OFFER)
    there = here.fork()
    act.liar.forked.append(here.key)
    for pen, count in zip((here, there), LENGTHS[act.attempt.n % len(LENGTHS)], strict=True):
        for _ in range(count):
            pen.write("offer", {**OFFER, "title": f"Branch {count}"})
    for turn in range(LATER + 1):
        for talk, pen in ((first, here), (second, there)):
            talk.say(Push(tuple(pen.records[-1:] if turn else pen.records)))
        yield from act.sleep(PAUSE_MS)
        _extend(here, there)
    if (yield from act.probe(first)):
        try:
            yield from act.probe(second)
        except (Ended, Silence):
            return


def _extend(*ends: Pen) -> None:
    for pen in ends:
        pen.write("offer", OFFER)
