"""Transcripts through the second reader: each frame holds what it must, given who knew what."""

from collections import defaultdict, deque
from typing import Any

from independent import keys
from independent.bodies import open_body
from independent.fold import Fold
from independent.frames import compared, name_changes, read_frame
from independent.records import Chains, Rec, read_envelope
from independent.test_second_reader import Case, cases, unhex

HEADS, WANT, RECORDS, PUSH, ANNOUNCE, DIGEST, BUCKETS, CHANGES = 1, 2, 3, 4, 9, 12, 13, 15
Log = tuple[bytes, bytes]


class Node:
    """What one side holds."""

    def __init__(self, envelopes: list[list[str | None]]) -> None:
        self.chains = Chains()
        self.take([read_envelope(unhex(one)) for one in envelopes])

    def take(self, records: list[Rec]) -> None:
        """Take what was written, or came."""
        self.chains.take(records)
        assert not self.chains.is_forged
        assert not self.chains.held

    @property
    def logs(self) -> dict[Log, list[Rec]]:
        """The records of each log."""
        return self.chains.accepted

    def heads(self) -> list[list[object]]:
        """Return [author, log, next_seq, prefix] of each log."""
        return [[*key, len(chain), chain[-1].id[:8]] for key, chain in sorted(self.logs.items())]


class Talk:
    """All nodes of a transcript, as it goes on."""

    def __init__(self, case: Case) -> None:
        self.nodes = [Node(each["holds"]) for each in case["in"]["nodes"]]
        self.sessions = [bytes.fromhex(each) for each in case["steps"]["sessions"]]
        self.asked: dict[tuple[int, int], deque[list[Any]]] = defaultdict(deque)
        self.said: dict[tuple[int, int], bytes] = {}  # session, who -> its last digest
        self.first: dict[tuple[int, int], bytes] = {}  # the same, its first one
        self.level: dict[frozenset[int], list[list[object]]] = {}  # logs when both held the same
        self.told_all: set[tuple[int, int]] = set()  # session, who
        self.erased: set[tuple[bytes, bytes, int]] = set()

    def follow(self, step: dict[str, Any]) -> int:
        """Take one step; return the number of its frame, or 0."""
        if "writes" in step:
            record = read_envelope(unhex(step["writes"]))
            self.nodes[step["by"]].take([record])
            self.note_erasures([record])
            return 0
        data = bytes.fromhex(step["frame"])
        frame: list[Any] = read_frame(data)
        sender, reader = self.nodes[step["from"]], self.nodes[step["to"]]
        place, back = (step["session"], step["from"]), (step["session"], step["to"])
        if frame[0] == DIGEST:
            self.compare(step, frame, sender)
        elif frame[0] in (HEADS, ANNOUNCE):
            told = [list(row) for row in sender.heads()]
            tags = [[tag(row[0], row[1]), *row[2:]] for row in told]
            assert all(row in told or row in tags for row in frame[1])
            if frame[0] == HEADS and frame[2]:
                self.told_all.add(place)
        elif frame[0] == CHANGES:
            then = self.level[frozenset((step["from"], step["to"]))]
            assert all(row in sender.heads() for row in name_changes(then, data))
        elif frame[0] == WANT:
            self.asked[place].append(frame[1])
        elif frame[0] == RECORDS:
            self.answer(self.asked[back].popleft(), frame[1], reader)
        elif frame[0] == PUSH:
            reader.take([read_envelope(one) for one in frame[1]])
        return int(frame[0])

    def compare(self, step: dict[str, Any], frame: list[Any], sender: Node) -> None:
        """REP-13: a digest is that of what the sender holds, in this session."""
        session, ends = step["session"], frozenset((step["from"], step["to"]))
        (digest,) = compared(self.sessions[session], sender.heads(), 0)
        assert frame[1:3] == [digest, len(sender.logs)]
        self.said[session, step["from"]] = digest
        self.first.setdefault((session, step["from"]), digest)
        if self.said.get((session, step["to"])) == digest:
            self.level[ends] = [[*key] for key in sorted(sender.logs)]

    def end(self) -> None:
        """REP-14, REP-15: whose first digests differed, both told all, were it nothing."""
        unequal = {session for session, _ in self.first if not self.is_equal_at_first(session)}
        assert {session for session, _ in self.told_all} == unequal
        assert len(self.told_all) == 2 * len(unequal)

    def is_equal_at_first(self, session: int) -> bool:
        """Return whether both ends of a session held the same when it began."""
        return len({digest for (one, _), digest in self.first.items() if one == session}) == 1

    def answer(self, ranges: list[Any], envelopes: list[Any], reader: Node) -> None:
        """REP-3, REP-4: what was asked for comes, range by range, and is signed at its end."""
        found = [read_envelope(one) for one in envelopes]
        rest = deque(found)
        for name, first, last in ranges:
            part = [rest.popleft() for _ in range(first, last + 1)]
            assert [one.seq for one in part] == list(range(first, last + 1))
            assert {tag(*one.log) for one in part} == {name}
            assert part[-1].is_signed()
            assert first == len(reader.logs.get(part[0].log, []))
        assert not rest
        for record, envelope in zip(found, envelopes, strict=True):
            assert ((*record.log, record.seq) in self.erased) == (open_body(envelope[2])[2] is None)
        reader.take(found)

    def note_erasures(self, records: list[Rec]) -> None:
        """Note whose words are gone."""
        for record in records:
            body = Fold.read(record) if record.kind == "erase" else None
            for first, last in body["ranges"] if body else ():
                assert body is not None
                self.erased |= {(record.author, body["log"], n) for n in range(first, last + 1)}


def tag(author: bytes, log: bytes) -> bytes:
    """Return the short name of a log (7.21)."""
    return keys.h("log", author, log)[:8]


@cases("transcript")
def test_transcripts(case: Case) -> None:
    """Section 10: what is told is true, what is asked is lacking, and all come to the same."""
    talk = Talk(case)
    numbers = [talk.follow(step) for step in case["steps"]["happened"]]
    assert DIGEST in numbers
    assert not any(talk.asked.values())
    if CHANGES not in numbers and BUCKETS not in numbers:
        talk.end()
    charter = bytes.fromhex(case["in"]["charter"])
    ids = set()
    for node in talk.nodes:
        records = [record for chain in node.logs.values() for record in chain]
        ids.add(frozenset(record.id for record in records))
        assert Fold(charter, records).digest().hex() == case["steps"]["digest"]
    assert len(ids) == 1
