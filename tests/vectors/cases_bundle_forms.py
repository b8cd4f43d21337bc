"""Vectors of section 15.5: logs in compact form in bundles, and who confirmed them."""

from collections.abc import Sequence

from mycelia_protocol.bundle_reader import EvidenceFound, FormsFound, Found
from mycelia_protocol.compact import compact
from mycelia_protocol.crypto import LEAF, digest
from mycelia_protocol.encoding import Value, encode
from mycelia_protocol.merkle import Tree, prove
from mycelia_protocol.proven import is_proven
from mycelia_protocol.record import Record
from vectors.bodies import GOOD
from vectors.chains import Writer, resigned
from vectors.suite import KEYS, TIME_MS, Json, derived

Case = tuple[str, str, list[list[Value]], str]  # comment, requirement, payloads, flag


def forms_json(found: Sequence[Found]) -> list[Json]:
    """Return the parts of logs that were found, and whether their checkpoints prove them."""
    return [
        {
            "checkpoint": one.checkpoint.id.hex(),
            "first": str(one.first),
            "records": [record.id.hex() for record in one.records],
            "proved": one.checkpoint.is_signed()
            and is_proven(one.checkpoint, one.records, one.proof),
        }
        for one in found
        if isinstance(one, FormsFound)
    ]


def evidence_json(found: Sequence[Found]) -> list[Json]:
    """Return the parts of what was shown, in order."""
    return [
        {
            "place": str(one.place),
            "last": one.is_last,
            "records": [record.id.hex() for record in one.records],
        }
        for one in found
        if isinstance(one, EvidenceFound)
    ]


class Summed:
    """A log of nine records with a checkpoint at its end.

    Args:
        false: what stands in the sum, and in the parts, in place of a record.
    """

    def __init__(self, false: dict[int, Record] | None = None) -> None:
        self.writer = Writer("mill")
        self.writer.begin()
        self.writer.write("vouch", {"key": KEYS["oak"]})
        for _ in range(3):
            self.writer.write("withdraw", {}, self.writer.write("offer", GOOD["offer"]))
        self.writer.write("view", GOOD["view"])
        self.records = [(false or {}).get(each.seq, each) for each in self.writer.records]
        tree = Tree()
        for each in self.records:
            tree.add(compact(each))
        self.checkpoint = self.writer.write("checkpoint", {"root": tree.root()})

    def part(self, first: int, end: int, whole: Sequence[int] = ()) -> list[Value]:
        """Return a payload with some of it, all compact but for those named."""
        hashes = [digest(LEAF, compact(each)) for each in self.records]
        rows: list[Value] = [
            each.envelope() if each.seq in whole else compact(each)
            for each in self.records[first:end]
        ]
        return [6, self.checkpoint.envelope(), first, rows, [*prove(hashes, first, end)]]


def cases() -> list[Case]:
    """Return all of them."""
    return [*_good(), *_unproved(), *_refused(), *_damaged()]


def _evidence(log: Summed) -> list[Value]:
    """Return a payload that shows that oak is in, and found the checkpoint right."""
    oak = Writer("oak")
    oak.begin()
    said = oak.write("acknowledge", {"checkpoints": [log.checkpoint.id]})
    return [7, 0, True, [log.records[1].envelope(), said.envelope()]]


def _good() -> list[Case]:
    log = Summed()
    shown = _evidence(log)
    tail: list[Value] = [3, [log.checkpoint.envelope()]]
    return [
        ("a log in compact form", "CARRY-13", [shown, log.part(0, 9), tail], "Compact"),
        ("in two parts", "CARRY-13", [shown, log.part(0, 6, [1]), log.part(5, 9, [1])], "Compact"),
        ("its later part alone", "CARRY-13", [log.part(7, 9, [7, 8])], "Compact"),
        ("forms before evidence", "CARRY-2", [log.part(0, 9, [1]), shown], "Compact"),
        ("one record", "CARRY-13", [log.part(4, 5)], "Compact"),
    ]


def _unproved() -> list[Case]:
    """Return parts that a reader must not take in, whoever confirmed their checkpoints."""
    log = Summed()
    good = log.part(2, 7, [3])
    _, sum_, first, rows, proof = good
    assert isinstance(rows, list)
    assert isinstance(proof, list)
    header, signature, body = log.checkpoint.envelope()
    assert signature is not None
    spoilt = bytes([signature[0] ^ 1]) + signature[1:]
    swapped = [rows[2], rows[1], rows[0], *rows[3:]]
    stray = Summed({3: _moved(log.records[3], 5, derived("no record"))})
    foreign = Summed({3: _moved(log.records[3], 1, derived("another commons"))})
    twice = Summed({4: log.records[2]})
    twice_rows = twice.part(2, 6)
    parts: list[tuple[str, str, list[Value]]] = [
        ("a form at another place", "CHECK-7", [6, sum_, first, swapped, proof]),
        ("a form less", "CHECK-7", [6, sum_, first, rows[:-1], proof]),
        ("a root less", "CHECK-7", [6, sum_, first, rows, proof[:-1]]),
        ("a root more", "CHECK-7", [6, sum_, first, rows, [*proof, derived("more")]]),
        ("under a checkpoint with a spoilt signature", "CHECK-7",
         [6, [header, spoilt, body], first, rows, proof]),
        ("under a checkpoint without one", "CHECK-7",
         [6, [header, None, body], first, rows, proof]),
        ("under a record that is no checkpoint", "CHECK-7",
         [6, log.records[8].envelope(), first, rows, proof]),
        ("under a checkpoint without its body", "CHECK-7",
         [6, [header, signature, None], first, rows, proof]),
        ("an envelope that does not hang on what is before it", "CHECK-7", stray.part(2, 7, [3])),
        ("an envelope of another commons", "CHECK-7", foreign.part(2, 7, [3])),
        ("one record twice", "CHECK-7", twice_rows),
        ("an envelope without its body", "CHECK-7",
         [6, sum_, first, [rows[0], [*log.records[3].envelope()[:2], None], *rows[2:]], proof]),
    ]  # fmt: skip
    return [(f"{comment}", req, [part], "Unproved") for comment, req, part in parts]


def _moved(record: Record, place: int, value: Value) -> Record:
    """Return a record that its author wrote otherwise, rightly signed."""
    header, signature, body = resigned(record, place, value)
    assert header is not None
    return Record.parse(header, signature, body)


def _refused() -> list[Case]:
    """Return chunks of which a part breaks a rule of 6.3 or 6.8: nothing of them is used."""
    log = Summed()
    _, sum_, first, rows, proof = log.part(2, 7)
    assert isinstance(rows, list)
    assert isinstance(sum_, list)
    bare = encode([log.records[4].id, "offer", TIME_MS, [], None])
    shown = _evidence(log)[3]
    assert isinstance(shown, list)
    spoilt: list[tuple[str, Value, list[Value]]] = [
        ("a form of an offer without its facts", sum_, [*rows[:2], bare, *rows[3:]]),
        ("a form that is no MessagePack", sum_, [*rows[:2], b"\xc1", *rows[3:]]),
        ("a number in place of a form", sum_, [*rows[:2], 5, *rows[3:]]),
        ("a checkpoint whose header is none", [b"\x80", *sum_[1:]], rows),
    ]
    return [
        *(
            (comment, "CARRY-14", [[6, told, first, some, proof]], "Compact")
            for comment, told, some in spoilt
        ),
        (
            "evidence with a wrong envelope",
            "CARRY-5",
            [[7, 0, True, [[b"", None, None], *shown]]],
            "Compact",
        ),
    ]


def _damaged() -> list[Case]:
    """Return chunks whose fields are wrong."""
    log = Summed()
    good = log.part(2, 7)
    sum_, first, rows, proof = good[1:]
    assert isinstance(proof, list)
    assert isinstance(rows, list)
    elsewhere = [log.records[3].envelope(), *rows[1:]]
    other = Writer("oak")
    other.begin()
    for _ in range(2):
        other.write("profile", {"name": "Oak"})
    wrong: list[tuple[str, list[Value]]] = [
        ("FORMS without proof", good[:4]),
        ("FORMS with a field more", [*good, 0]),
        ("FORMS without records", [6, sum_, first, [], proof]),
        ("FORMS: first below 0", [6, sum_, -1, rows, proof]),
        ("FORMS: first is true", [6, sum_, True, rows, proof]),
        ("FORMS that begin at the checkpoint", [6, sum_, 9, rows[:1], proof]),
        ("FORMS that go beyond it", [6, sum_, 8, rows[:2], proof]),
        ("FORMS: a root of 31 bytes", [6, sum_, first, rows, [bytes(31), *proof[1:]]]),
        ("FORMS: 129 roots", [6, sum_, first, rows, [bytes(32)] * 129]),
        ("FORMS: an envelope of another place", [6, sum_, first, elsewhere, proof]),
        (
            "FORMS: an envelope of another log",
            [6, sum_, first, [other.records[2].envelope(), *rows[1:]], proof],
        ),
        ("EVIDENCE without records", [7, 0, True]),
        ("EVIDENCE with a field more", [7, 0, True, [], 0]),
        ("EVIDENCE: place 4096", [7, 4_096, True, []]),
        ("EVIDENCE: last is a number", [7, 0, 1, []]),
    ]
    return [(comment, "CARRY-3", [payload], "Damage") for comment, payload in wrong]
