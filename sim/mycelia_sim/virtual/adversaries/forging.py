"""Forgers: records in another's name, spoilt signatures, altered bodies, broken chains."""

from dataclasses import replace
from typing import Final

from mycelia_protocol.events import Range
from mycelia_protocol.limits import SIGNATURE_SIZE
from mycelia_protocol.messages import HeadEntry, Push
from mycelia_protocol.record import Record
from mycelia_sim.virtual.adversaries.act import Act
from mycelia_sim.virtual.adversaries.pen import OFFER
from mycelia_sim.virtual.adversaries.talk import Steps, Talk

SPOILT: Final = 3  # ways to spoil a signature


def end_of_log(act: Act, talk: Talk) -> Steps[tuple[HeadEntry, Record] | None]:
    """Return the victim's longest log as the target tells it, with its last record, if any."""
    victim = act.stage.beginning.keys[act.attempt.victim]
    told = [entry for key, entry in sorted(talk.heads.items()) if key[0] == victim]
    if not told:
        return None
    entry = max(told, key=lambda one: one.next_seq)
    last = entry.next_seq - 1
    given = yield from talk.fetch([Range(entry.author, entry.log, last, last)])
    found = [record for record in given if record.seq == last]
    return (entry, found[0]) if found else None


def forge_author(act: Act) -> Steps[None]:
    """Write on in the victim's log, or begin one in its name; sign with the own key."""
    talk = yield from act.greet()
    end = yield from end_of_log(act, talk)
    if end is None:
        pen = act.forger(act.attempt.victim)
    else:
        pen = act.forger(act.attempt.victim, end[0], end[1].id)
    act.forbid(pen.write("offer", OFFER))
    talk.say(Push(tuple(pen.records)))
    yield from act.probe(talk)


def forge_signature(act: Act) -> Steps[None]:
    """Write in the victim's name with a signature that is none, or is of something else."""
    talk = yield from act.greet()
    end = yield from end_of_log(act, talk)
    if end is None:
        pen, genuine = act.forger(act.attempt.victim), bytes(SIGNATURE_SIZE)
    else:
        pen = act.forger(act.attempt.victim, end[0], end[1].id)
        genuine = end[1].signature or bytes(SIGNATURE_SIZE)
    act.forbid(pen.write("offer", OFFER))
    way = act.attempt.n % SPOILT
    spoilt = (genuine, act.stream.bytes(SIGNATURE_SIZE), b"\x01" + bytes(63))[way]
    talk.say(Push(tuple(replace(record, signature=spoilt) for record in pen.records)))
    yield from act.probe(talk)


def alter_body(act: Act) -> Steps[None]:
    """Send the victim's last record with one bit of its body turned."""
    talk = yield from act.greet()
    end = yield from end_of_log(act, talk)
    if end is None or end[1].body is None:
        act.answer = "held nothing of the victim yet"
        return
    body = end[1].body
    talk.say(Push((replace(end[1], body=bytes([body[0] ^ 1]) + body[1:]),)))
    yield from act.probe(talk)


def break_chain(act: Act) -> Steps[None]:
    """Send two records that hang together and hang on nothing, in the victim's name."""
    talk = yield from act.greet()
    end = yield from end_of_log(act, talk)
    if end is None:
        act.answer = "held nothing of the victim yet"
        return
    pen = act.forger(act.attempt.victim, end[0], act.stream.bytes(32))
    for _ in range(2):
        act.forbid(pen.write("offer", OFFER))
    talk.say(Push(tuple(pen.records)))
    yield from act.probe(talk)
