"""Sums of logs that are not so, and compact forms of records that nobody wrote."""

from collections.abc import Sequence
from typing import Final

from mycelia_protocol.compact import FORM_SIZE_MAX, compact, expand
from mycelia_protocol.crypto import public_key
from mycelia_protocol.encoding import Value, decode, encode
from mycelia_protocol.events import Range
from mycelia_protocol.form_frames import Evidence, Forms, Query, Seek
from mycelia_protocol.frame_rows import TaggedRange
from mycelia_protocol.limits import ID_SIZE
from mycelia_protocol.merkle import Tree
from mycelia_protocol.messages import HeadEntry, Heads, Message, Push, Records, Want
from mycelia_protocol.record import Record
from mycelia_protocol.types import acknowledge, checkpoint, vouch
from mycelia_protocol.types.heads import tag_of
from mycelia_sim.adversaries.act import Act
from mycelia_sim.adversaries.pen import OFFER, Pen
from mycelia_sim.adversaries.talk import Steps

RECORDS: Final = 6  # that a false sum is over
CROWD: Final = 7  # keys that it lets in to speak for it: more than there are nodes to confirm
LISTEN_MS: Final = 4_000  # for questions about what it claims


def forge_forms(act: Act) -> Steps[None]:
    """Offer a log of its own as compact forms that never were, confirmed by keys that it let in.

    In the end send forms that nobody asked for.
    """
    talk = yield from act.greet()
    lie = _Lie(act)
    talk.serving = "nothing"
    talk.reply = lie.reply
    author, log = lie.pen.key
    head = HeadEntry(author, log, lie.sum.seq + 1, lie.sum.id[:8])
    talk.say(Heads((head,), complete=False))
    yield from act.sleep(LISTEN_MS)
    if (yield from act.probe(talk)):
        talk.say(Forms(Seek(author, log, lie.sum.seq, 0), lie.forms, ()))
        yield from act.probe(talk)
    act.answer += f"; asked {lie.queries} times who confirmed it, {lie.seeks} times for forms"


def missum(act: Act) -> Steps[None]:
    """Sum up its own log wrongly, and find that right, and checkpoints that nobody wrote."""
    talk = yield from act.greet()
    pen = act.pen()
    for _ in range(RECORDS):
        pen.write("offer", OFFER)
    wrong = pen.write("checkpoint", checkpoint.content(act.stream.bytes(ID_SIZE)))
    ids = [wrong.id, *(act.stream.bytes(ID_SIZE) for _ in range(RECORDS))]
    pen.write("acknowledge", acknowledge.content(ids))
    talk.say(Push(tuple(pen.records)))
    yield from act.probe(talk)


class _Lie:
    """A log of which the records are one thing, and its sum and forms another.

    Attributes:
        pen: wrote the log.
        sum: the checkpoint over the forms.
        queries, seeks: how often it was asked who confirmed that, and for the forms.
    """

    def __init__(self, act: Act) -> None:
        self.pen: Final = act.pen()
        commons = act.scene.charter.commons
        for _ in range(RECORDS):
            self.pen.write("offer", OFFER)
        tree, forms = Tree(), list[Record]()
        for record in self.pen.records:
            form = compact(record)
            if record.seq:
                form = encode([act.stream.bytes(ID_SIZE), *_parts(form)[1:]])
            tree.add(form)
            forms.append(expand(commons, *self.pen.key, record.seq, form))
            if record.seq:
                act.forbid(forms[-1])
        self.forms: Final = tuple(forms)
        self.sum: Final = self.pen.write("checkpoint", checkpoint.content(tree.root()))
        self._evidence: Final = tuple(sorted(_crowd(act, self.sum), key=lambda each: each.id))
        self.queries = self.seeks = 0

    def reply(self, message: Message) -> Sequence[Message] | None:
        """Return what is said to a question about the log, None to others."""
        match message:
            case Want(ranges) if any(_tag(each) == tag_of(*self.pen.key) for each in ranges):
                return [Records((self.sum,))]
            case Query():
                self.queries += 1
                return [Evidence(self._evidence, None)]
            case Seek():
                self.seeks += 1
                return [Forms(message, self.forms[message.first :], ())]
            case _:
                return None


def _parts(form: bytes) -> list[Value]:
    value = decode(form, size_max=FORM_SIZE_MAX)
    assert isinstance(value, tuple)
    return [*value]


def _tag(wanted: Range | TaggedRange) -> bytes:
    return tag_of(wanted.author, wanted.log) if isinstance(wanted, Range) else wanted.tag


def _crowd(act: Act, named: Record) -> list[Record]:
    """Return vouches for keys of its own, and what these say of a checkpoint, each signed."""
    commons, door = act.scene.charter.commons, act.pen()
    found: list[Record] = []
    for _ in range(CROWD):
        seed = act.stream.bytes(32)
        key = public_key(seed)
        found.append(door.write("vouch", vouch.content(key, bytes(32))))
        pen = Pen(commons, key, seed, act.stream, act.now_ms)
        found.append(pen.write("acknowledge", acknowledge.content([named.id])))
    return found
