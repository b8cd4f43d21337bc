"""Forgers: records in another's name, spoilt signatures, altered bodies, broken chains."""

from dataclasses import replace
from typing import Final, TypeAlias

from mycelia_protocol.events import Range
from mycelia_protocol.limits import SIGNATURE_SIZE
from mycelia_protocol.messages import HeadEntry, Push
from mycelia_protocol.record import Record
from mycelia_sim.adversaries.act import Act
from mycelia_sim.adversaries.pen import OFFER
from mycelia_sim.adversaries.talk import Silence, Steps, Talk

End: TypeAlias = tuple[HeadEntry, Record]

SPOILT: Final = 3  # ways to spoil a signature
NO_SIGNATURE: Final = bytes(SIGNATURE_SIZE)


def end_of_log(act: Act, talk: Talk, author: bytes) -> Steps[End | None]:
    """Return an author's longest log as the target tells it, with its last record, if any."""
    told = [entry for key, entry in sorted(talk.heads.items()) if key[0] == author]
    if not told:
        return None
    entry = max(told, key=lambda one: one.next_seq)
    last = entry.next_seq - 1
    given = yield from talk.fetch([Range(entry.author, entry.log, last, last)])
    found = [record for record in given if record.seq == last]
    return (entry, found[0]) if found else None


def end_of_any(act: Act, talk: Talk) -> Steps[End]:
    """Return the end of the victim's log, or of the founder's if the victim wrote nothing yet."""
    scene = act.scene
    for author in (scene.keys[act.attempt.victim], scene.charter.founder):
        end = yield from end_of_log(act, talk, author)
        if end is not None:
            return end
    raise Silence


def forge_author(act: Act) -> Steps[None]:
    """Write on in the victim's log, or begin one in its name; sign with the own key."""
    talk = yield from act.greet()
    end = yield from end_of_log(act, talk, act.scene.keys[act.attempt.victim])
    if end is None:
        pen = act.forger(act.scene.keys[act.attempt.victim])
    else:
        pen = act.forger(end[0].author, end[0], end[1].id)
    act.forbid(pen.write("offer", OFFER))
    talk.say(Push(tuple(pen.records)))
    yield from act.probe(talk)


def forge_signature(act: Act) -> Steps[None]:
    """Write in the victim's name with a signature that is none, or is of something else."""
    talk = yield from act.greet()
    end = yield from end_of_log(act, talk, act.scene.keys[act.attempt.victim])
    if end is None:
        pen, genuine = act.forger(act.scene.keys[act.attempt.victim]), NO_SIGNATURE
    else:
        pen = act.forger(end[0].author, end[0], end[1].id)
        genuine = end[1].signature or NO_SIGNATURE
    act.forbid(pen.write("offer", OFFER))
    way = act.attempt.n % SPOILT
    spoilt = (genuine, act.stream.bytes(SIGNATURE_SIZE), b"\x01" + bytes(63))[way]
    talk.say(Push(tuple(replace(record, signature=spoilt) for record in pen.records)))
    yield from act.probe(talk)


def alter_body(act: Act) -> Steps[None]:
    """Send a last record with one bit of its body turned."""
    talk = yield from act.greet()
    _, record = yield from end_of_any(act, talk)
    body = record.body or b"\0"
    talk.say(Push((replace(record, body=bytes([body[0] ^ 1]) + body[1:]),)))
    yield from act.probe(talk)


def break_chain(act: Act) -> Steps[None]:
    """Send two records in another's name that hang together and on nothing."""
    talk = yield from act.greet()
    end = yield from end_of_any(act, talk)
    pen = act.forger(end[0].author, end[0], act.stream.bytes(32))
    for _ in range(2):
        act.forbid(pen.write("offer", OFFER))
    talk.say(Push(tuple(pen.records)))
    yield from act.probe(talk)
