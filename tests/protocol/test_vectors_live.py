"""Every vector about logs, sessions, frames and state through the code that nodes run."""

import random
from typing import Any

import pytest

from mycelia_protocol.bundle_reader import BundleReader, RecordsFound
from mycelia_protocol.charter import Charter
from mycelia_protocol.compare import Vector, name_changes
from mycelia_protocol.crypto import PRESENCE, domain
from mycelia_protocol.encoding import decode, encode
from mycelia_protocol.errors import RemoteError, SignatureError
from mycelia_protocol.handshake import prologue
from mycelia_protocol.limits import BUCKETS_FEW, BUCKETS_MANY
from mycelia_protocol.logs import Logs
from mycelia_protocol.messages import Changes, HeadEntry, decode_message, encode_message
from mycelia_protocol.presence import Presence
from mycelia_protocol.record import Record
from mycelia_protocol.session import Session, open_session
from mycelia_protocol.state import State
from vectors.cases_bundle import outcome as bundle_outcome
from vectors.cases_state import outcome
from vectors.reading import Case, cases, envelope, judge
from vectors.suite import tagged

SHUFFLES = 20  # orders in which each set of records is folded


@cases("log")
def test_log(case: Case) -> None:
    """The same records are accepted, and the same ones contradict or are forged."""
    logs = Logs()
    accepted: list[Record] = []
    contrary: set[bytes] = set()
    forged = False
    for batch in case["in"]["batches"]:
        intake = logs.take([Record.parse(*envelope(parts)) for parts in batch])
        accepted += intake.accepted
        contrary |= {record.id for record in intake.forks}
        forged |= bool(intake.forged)
    accepted.sort(key=lambda record: (record.author, record.log, record.seq))
    assert [record.id.hex() for record in accepted] == case["steps"]["accepted"]
    assert sorted(found.hex() for found in contrary) == case["steps"]["contrary"]
    assert forged == (case["result"] == "invalid")


def session(keys: dict[str, str], *, outbound: bool) -> Session:
    """Return one side of a session with the keys of a case."""
    return open_session(
        outbound=outbound,
        commons=bytes.fromhex(keys["commons"]),
        seed=bytes.fromhex(keys["seed"]),
        static=bytes.fromhex(keys["static"]),
        ephemeral=bytes.fromhex(keys["ephemeral"]),
        now_ms=0,
    )


@cases("handshake")
def test_handshake(case: Case) -> None:
    """Whole transcripts are equal to the byte, and each wrong message ends the session."""
    if case["in"]["op"] == "transcript":
        check_transcript(case["in"], case["steps"])
        return
    reader = session(case["in"]["keys"], outbound=case["in"]["reader"] == "initiator")
    reader.begin()
    *before, last = [bytes.fromhex(message) for message in case["in"]["received"]]
    for message in before:
        reader.receive(message, 0)
    with pytest.raises(RemoteError) as caught:
        reader.receive(last, 0)
    assert caught.value.code == case["error"]
    assert not reader.is_ready


def check_transcript(inputs: Case, steps: Case) -> None:
    """Shake hands and exchange frames with the keys of a case."""
    initiator = session(inputs["initiator"], outbound=True)
    responder = session(inputs["responder"], outbound=False)
    assert prologue(bytes.fromhex(inputs["initiator"]["commons"])).hex() == steps["prologue"]
    first = initiator.begin()
    assert first is not None
    (second,), _ = responder.receive(first, 0)
    (third,), _ = initiator.receive(second, 0)
    assert responder.receive(third, 0) == ([], None)
    assert [message.hex() for message in (first, second, third)] == steps["messages"]
    assert initiator.peer_key is not None
    assert steps["payloads"][1].startswith("94c420" + initiator.peer_key.hex())
    assert all(
        statement.startswith(domain("session").hex()) for statement in steps["statements"][1:]
    )
    for frame in steps["frames"]:
        sender, reader = initiator, responder
        if frame["from"] == "responder":
            sender, reader = responder, initiator
        message = decode_message(bytes.fromhex(frame["plain"]))
        cipher = sender.send(message)
        assert cipher.hex() == frame["cipher"]
        assert reader.receive(cipher, 0) == ([], message)


@cases("frame")
def test_frame(case: Case) -> None:
    """Frames read and write as the vectors say, and all others are refused."""

    def read(inputs: Case) -> Any:
        data = bytes.fromhex(inputs["bytes"])
        assert encode_message(decode_message(data)) == data
        value = decode(data)
        assert encode(value) == data
        return {"value": tagged(value)}

    judge(case, read)


@cases("bundle")
def test_bundle(case: Case) -> None:
    """Streams give what the vectors say, at once and byte by byte."""
    data = bytes.fromhex(case["in"]["bytes"])
    judge(case, lambda inputs: bundle_outcome(data))
    reader = BundleReader(bytes.fromhex(case["in"]["commons"]))

    def crawl(_: Case) -> dict[str, list[str]]:
        found = [one for byte in data for one in reader.feed(bytes([byte]))] + reader.finish()
        records = [r for one in found if isinstance(one, RecordsFound) for r in one.records]
        return {"records": [record.id.hex() for record in records]}

    judge({**case, "steps": {"records": case["steps"].get("records", [])}}, crawl)


@cases("state")
def test_state(case: Case) -> None:
    """The records, in many orders, give the roster, the promises and the digest."""
    charter = Charter.decode(bytes.fromhex(case["in"]["charter"]))
    records = [Record.parse(*envelope(parts)) for parts in case["in"]["records"]]
    assert outcome(records) == case["steps"]
    rng = random.Random(case["id"])
    for _ in range(SHUFFLES):
        rng.shuffle(records)
        state = State(charter)
        for record in records:
            state.add(record)
            state.digest()  # asked in between, what is remembered must not go stale
        assert state.digest().hex() == case["steps"]["digest"]
    assert outcome(records) == case["steps"]


def heads_of(inputs: Case) -> list[HeadEntry]:
    """Read heads."""
    return [
        HeadEntry(bytes.fromhex(author), bytes.fromhex(log), int(seq), bytes.fromhex(prefix))
        for author, log, seq, prefix in inputs["heads"]
    ]


@cases("digest")
def test_digest(case: Case) -> None:
    """REP-13, REP-14: digests of a store and of its buckets."""
    session = bytes.fromhex(case["in"]["session"])
    vector = Vector(heads_of(case["in"]))
    assert vector.digest(session).hex() == case["steps"]["digest"]
    assert b"".join(vector.buckets(session, BUCKETS_FEW)).hex() == case["steps"]["few"]
    assert b"".join(vector.buckets(session, BUCKETS_MANY)).hex() == case["steps"]["many"]


@cases("presence")
def test_presence(case: Case) -> None:
    """PRES-1, PRES-3: what a member signs, and what it did not; the mark of a store."""
    judge(case, read_word if case["in"]["op"] == "word" else read_mark)


def read_word(inputs: Case) -> dict[str, Any]:
    """Take a word as a node does."""
    said = decode_message(bytes.fromhex(inputs["bytes"]))
    assert isinstance(said, Presence)
    assert encode_message(said).hex() == inputs["bytes"]
    commons = bytes.fromhex(inputs["commons"])
    if not said.is_signed(commons):
        raise SignatureError("not signed", code="forged")
    signed = domain(PRESENCE) + encode([commons, *said.fields()[:-1]])
    return {"signed": signed.hex(), "author": said.author.hex()}


def read_mark(inputs: Case) -> dict[str, Any]:
    """Return the mark of a store."""
    return {"mark": Vector(heads_of(inputs)).mark.hex()}


@cases("changes")
def test_changes(case: Case) -> None:
    """REP-18: CHANGES name logs by their places among those at a base."""
    judge(case, read_changes)


def read_changes(inputs: Case) -> dict[str, Any]:
    """Take CHANGES as a node does that agreed on a base."""
    changes = decode_message(bytes.fromhex(inputs["bytes"]))
    assert isinstance(changes, Changes)
    assert encode_message(changes).hex() == inputs["bytes"]
    table = sorted((bytes.fromhex(author), bytes.fromhex(log)) for author, log in inputs["then"])
    heads = name_changes(table, changes)
    return {
        "heads": [[h.author.hex(), h.log.hex(), str(h.next_seq), h.prefix.hex()] for h in heads]
    }
