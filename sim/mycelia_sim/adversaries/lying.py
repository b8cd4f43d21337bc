"""Lies about what one holds, and silence about what one was asked for."""

from typing import Final

from mycelia_protocol.limits import INT_MAX, LOG_ID_SIZE
from mycelia_protocol.messages import HeadEntry, Heads
from mycelia_sim.adversaries.act import Act
from mycelia_sim.adversaries.talk import Serving, Steps, Talk

CLAIMED: Final = 50  # records beyond the end of each log
INVENTED_LOGS: Final = 300
ROUNDS: Final = 3
ROUND_MS: Final = 4_000


def lie_digest(act: Act) -> Steps[None]:
    """Tell heads that are not so: too far, of other ids, of logs that nobody began.

    Among them are heads of the target's own log beyond its end.
    """
    talk = yield from act.greet()
    talk.serving = "nothing"
    for turn in range(ROUNDS):
        entries = [*_beyond(talk, CLAIMED << turn), *_invented(act)]
        talk.say(Heads(tuple(entries), complete=True))
        talk.say(Heads(tuple(_other_ids(act, talk)), complete=False))
        yield from act.sleep(ROUND_MS // 4)
    yield from act.probe(talk)


def withhold(act: Act) -> Steps[None]:
    """Claim more of every log than there is, take all, relay nothing, answer nothing.

    First each WANT is answered with no record, then with silence.
    """
    talk = yield from act.greet()
    yield from act.probe(talk)
    ways: tuple[Serving, ...] = ("nothing", "silence")
    for way in ways:
        talk.serving = way
        for _ in range(ROUNDS):
            talk.say(Heads(tuple(_beyond(talk, CLAIMED)), complete=False))
            yield from act.sleep(ROUND_MS)
    yield from act.probe(talk)


def _beyond(talk: Talk, more: int) -> list[HeadEntry]:
    """Return all heads of a node, moved on."""
    return [
        HeadEntry(entry.author, entry.log, entry.next_seq + more, entry.prefix)
        for _, entry in sorted(talk.heads.items())
    ]


def _other_ids(act: Act, talk: Talk) -> list[HeadEntry]:
    """Return all heads of a node, as if another record stood there."""
    return [
        HeadEntry(entry.author, entry.log, entry.next_seq, act.stream.bytes(8))
        for _, entry in sorted(talk.heads.items())
    ]


def _invented(act: Act) -> list[HeadEntry]:
    """Return heads of logs of members and of strangers that were never begun."""
    keys = sorted(act.scene.keys.values())
    made = []
    for number in range(INVENTED_LOGS):
        author = act.stream.choice(keys) if number % 2 else act.stream.bytes(32)
        log, prefix = act.stream.bytes(LOG_ID_SIZE), act.stream.bytes(8)
        made.append(HeadEntry(author, log, INT_MAX if number % 3 else 1, prefix))
    return made
