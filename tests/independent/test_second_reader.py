"""Every vector through a reader that follows the specification and shares no code with ours."""

import ast
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from independent import keys, text
from independent.branches import believed
from independent.fold import Fold
from independent.forks import parting
from independent.forms import lengthen, root, root_beside, shorten
from independent.frames import compared, read_frame
from independent.noise import Peer
from independent.records import Chains, read_body, read_envelope
from independent.wire import Refused, decode, encode

HERE = Path(__file__).parent
VECTORS = HERE.parent / "vectors"
ALLOWED = {"cryptography", "independent"}
Case = dict[str, Any]


def cases(suite: str) -> Callable[[Callable[[Case], None]], Callable[[], None]]:
    """Return a decorator that makes a test of all cases of one suite; it names each that fails."""
    data = json.loads((VECTORS / f"{suite}.json").read_text(encoding="utf-8"))
    assert data["count"] == len(data["cases"]) > 0

    def decorate(test: Callable[[Case], None]) -> Callable[[], None]:
        def every() -> None:
            failed: list[BaseException] = []
            for case in data["cases"]:
                try:
                    test(case)
                except (Exception, pytest.fail.Exception) as error:
                    error.add_note(f"{case['id']}: {case['comment']}")
                    failed.append(error)
            if failed:
                raise BaseExceptionGroup(f"{suite}.json, {len(failed)} failed", failed)

        every.__doc__ = test.__doc__
        return every

    return decorate


def judge(case: Case, read: Callable[[], dict[str, Any]]) -> None:
    """Run a reader: all steps of a valid case come out, or the error of an invalid one."""
    if case["result"] == "invalid":
        with pytest.raises(Refused) as caught:
            read()
        assert caught.value.code == case["error"]
    else:
        found = read()
        assert {name: found[name] for name in case["steps"]} == case["steps"]


def tagged(value: object) -> Any:
    """Write a value as the vectors do."""
    if isinstance(value, dict):
        return {"map": [[key, tagged(value[key])] for key in value]}
    if isinstance(value, list):
        return {"array": [tagged(item) for item in value]}
    if isinstance(value, bytes):
        return {"bin": value.hex()}
    if isinstance(value, str):
        return {"str": value}
    if value is None or isinstance(value, bool):
        return {"nil" if value is None else "bool": value}
    return {"int": str(value)}


def unhex(parts: list[str | None]) -> list[bytes | None]:
    """Read an envelope."""
    return [None if part is None else bytes.fromhex(part) for part in parts]


def hexes(*names: str, of: Case) -> list[bytes]:
    """Read some entries of a case."""
    return [bytes.fromhex(of[name]) for name in names]


def test_it_imports_nothing_of_ours() -> None:
    """The second reader rests on the standard library and bare primitives alone."""
    import sys

    for path in HERE.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                modules = [node.module or ""]
            for module in modules:
                top = module.split(".")[0]
                is_test = path.name.startswith("test_") and top == "pytest"
                assert is_test or top in ALLOWED or top in sys.stdlib_module_names, module


@cases("encoding")
def test_encoding(case: Case) -> None:
    """Section 4."""
    data = bytes.fromhex(case["in"]["bytes"])

    def read() -> dict[str, Any]:
        value = decode(data, case["in"]["size_max"], case["in"]["maps"])
        assert encode(value) == data
        return {"value": tagged(value)}

    judge(case, read)


@cases("identity")
def test_identity(case: Case) -> None:
    """Text ids, charters, invites."""
    readers = {"text-id": read_id, "charter": read_charter, "invite": read_invite}
    judge(case, lambda: readers[case["in"]["op"]](case["in"]))


def read_id(inputs: Case) -> dict[str, Any]:
    """Read a text id."""
    kind, data = text.read_id(inputs["text"], inputs["kind"])
    return {"kind": kind, "data": data.hex(), "text": text.write_id(kind, data)}


def read_charter(inputs: Case) -> dict[str, Any]:
    """Read a charter."""
    fields, commons = text.read_charter(bytes.fromhex(inputs["bytes"]))
    plain = [field.hex() if isinstance(field, bytes) else str(field) for field in fields]
    found: dict[str, Any] = dict(
        zip(("name", "founder", "created_ms", "salt"), plain[1:], strict=True)
    )
    return {**found, "commons": commons.hex(), "text": text.write_id("commons", commons)}


def read_invite(inputs: Case) -> dict[str, Any]:
    """Read an invite."""
    fields, data = text.read_invite(inputs["text"])
    assert encode(fields) == data
    secret = fields[3]
    assert isinstance(secret, bytes)
    return {
        "bytes": data.hex(),
        "fields": tagged(fields),
        "digest": keys.h("invite", secret).hex(),
        "text": "".join(inputs["text"].split()),
    }


@cases("signature")
def test_signature(case: Case) -> None:
    """Hashes, keys, signatures."""
    inputs, steps = case["in"], case["steps"]
    if inputs["op"] == "hash":
        parts = [bytes.fromhex(part) for part in inputs["parts"]]
        assert (keys.prefix(inputs["purpose"]) + b"".join(parts)).hex() == steps["preimage"]
        assert keys.h(inputs["purpose"], *parts).hex() == steps["hash"]
    elif inputs["op"] == "key":
        (key,) = hexes("key", of=inputs)
        assert keys.is_large(key) == (case["result"] == "valid")
    else:
        key, record, signature = hexes("public", "record", "signature", of=inputs)
        message = keys.prefix("signature") + record
        assert keys.verify(key, message, signature) == (case["result"] == "valid")
        if steps:
            assert message.hex() == steps["message"]
            assert keys.sign(bytes.fromhex(steps["seed"]), message) == signature


def test_wycheproof() -> None:
    """The 151 published signatures of Wycheproof get the published verdicts."""
    path = VECTORS / "external" / "wycheproof_ed25519_test.json"
    count = 0
    for group in json.loads(path.read_text(encoding="utf-8"))["testGroups"]:
        (key,) = hexes("pk", of=group["publicKey"])
        for case in group["tests"]:
            message, signature = hexes("msg", "sig", of=case)
            assert keys.verify(key, message, signature) == (case["result"] == "valid"), case
            count += 1
    assert count == 151


@cases("record")
def test_record(case: Case) -> None:
    """Envelopes."""

    def read() -> dict[str, Any]:
        record = read_envelope(unhex(case["in"]["envelope"]))
        if record.signature is not None and not record.is_signed():
            raise Refused("signature")
        return {
            "fields": tagged(record.fields),
            "preimage": (keys.prefix("record") + record.header).hex(),
            "id": record.id.hex(),
            "signed_message": (keys.prefix("signature") + record.id).hex(),
            "body_hash": record.fields[9].hex(),
        }

    judge(case, read)


@cases("body")
def test_body(case: Case) -> None:
    """Bodies, well-formed or malformed."""
    inputs = case["in"]
    log, facts = hexes("log", "facts", of=inputs)
    words = None if inputs["words"] is None else bytes.fromhex(inputs["words"])
    body = read_body(inputs["kind"], log, len(inputs["refs"]), facts, words)
    if inputs["kind"] == "fork" and body and not parting(body, bytes.fromhex(inputs["commons"])):
        body = None
    assert (body is not None) == (case["result"] == "valid")
    if body is not None:
        assert tagged(dict(sorted(body.items()))) == case["steps"]["content"]


@cases("log")
def test_log(case: Case) -> None:
    """Which records a log takes."""
    chains = Chains()
    for batch in case["in"]["batches"]:
        chains.take([read_envelope(unhex(parts)) for parts in batch])
    accepted = [
        record.id.hex() for log in sorted(chains.accepted) for record in chains.accepted[log]
    ]
    assert accepted == case["steps"]["accepted"]
    assert sorted(found.hex() for found in chains.contrary) == case["steps"]["contrary"]
    assert chains.is_forged == (case["result"] == "invalid")


def peer(opens: bool, inputs: Case) -> Peer:
    """Return one side with the keys of a case."""
    commons, seed, static, ephemeral = hexes("commons", "seed", "static", "ephemeral", of=inputs)
    return Peer(opens, commons, seed, static, ephemeral)


@cases("handshake")
def test_handshake(case: Case) -> None:
    """Transcripts, and messages that end a session."""
    if case["in"]["op"] == "transcript":
        check_transcript(case["in"], case["steps"])
        return
    reader = peer(case["in"]["reader"] == "initiator", case["in"]["keys"])
    if reader.opens:
        reader.write()
    *before, last = [bytes.fromhex(message) for message in case["in"]["received"]]
    for message in before:
        receive(reader, message)
    with pytest.raises(Refused) as caught:
        receive(reader, last)
    assert caught.value.code == case["error"]


def receive(reader: Peer, message: bytes) -> None:
    """Take a message, of the handshake or after it, and answer if it is one's turn."""
    if reader.into is not None:
        read_frame(reader.into.open(message))
        return
    reader.read(message)
    if reader.step < 3:
        reader.write()


def check_transcript(inputs: Case, steps: Case) -> None:
    """Play a whole handshake and the frames after it."""
    one, other = peer(True, inputs["initiator"]), peer(False, inputs["responder"])
    assert (keys.prefix("prologue") + one.commons).hex() == steps["prologue"]
    writer, reader = one, other
    for index in range(3):
        message = writer.write()
        assert message.hex() == steps["messages"][index]
        assert reader.read(message).hex() == steps["payloads"][index]
        writer, reader = reader, writer
    assert one.hash.hex() == other.hash.hex() == steps["handshake_hash"]
    for frame in steps["frames"]:
        writer, reader = (one, other) if frame["from"] == "initiator" else (other, one)
        assert writer.out is not None
        assert reader.into is not None
        assert writer.out.seal(bytes.fromhex(frame["plain"])).hex() == frame["cipher"]
        assert reader.into.open(bytes.fromhex(frame["cipher"])).hex() == frame["plain"]


@cases("frame")
def test_frame(case: Case) -> None:
    """Frames of the registry, and all others."""
    judge(case, lambda: {"value": tagged(read_frame(bytes.fromhex(case["in"]["bytes"])))})


@cases("state")
def test_state(case: Case) -> None:
    """The fold, whatever the order."""
    charter = bytes.fromhex(case["in"]["charter"])
    records = [read_envelope(unhex(parts)) for parts in case["in"]["records"]]
    assert all(record.is_signed() for record in records)
    assert outcome(Fold(charter, records)) == case["steps"]
    random.Random(1).shuffle(records)
    assert outcome(Fold(charter, records)) == case["steps"]


def outcome(fold: Fold) -> dict[str, Any]:
    """Write a state as the vectors do."""
    return {
        "roster": sorted(key.hex() for key in fold.roster),
        "rows": {kind: plain(rows) for kind, rows in fold.rows().items()},
        "digest": fold.digest().hex(),
    }


def plain(value: object) -> Any:
    """Write a row as the vectors do."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, bytes):
        return value.hex()
    return str(value) if type(value) is int else value


@cases("digest")
def test_digest(case: Case) -> None:
    """REP-13, REP-14: digests of a store and of its buckets."""
    session = bytes.fromhex(case["in"]["session"])
    heads: list[list[object]] = [
        [bytes.fromhex(author), bytes.fromhex(log), int(seq), bytes.fromhex(prefix)]
        for author, log, seq, prefix in case["in"]["heads"]
    ]
    found = {
        name: b"".join(compared(session, heads, buckets)).hex()
        for name, buckets in (("digest", 0), ("few", 64), ("many", 256))
    }
    assert found == case["steps"]


@cases("checkpoint")
def test_checkpoint(case: Case) -> None:
    """Section 6.8: compact forms, sums, and states from either."""
    readers = {"form": shortened, "sum": summed, "log": compared_log, "state": folded}
    readers |= {"proof": proved, "confirm": lambda inputs: {"confirmed": believed(inputs)}}
    readers["read"] = lambda inputs: {
        "form": lengthen(bytes(32), bytes(8), 1, bytes.fromhex(inputs["form"]))
    }
    judge(case, lambda: readers[case["in"]["op"]](case["in"]))


def shortened(inputs: Case) -> dict[str, Any]:
    """Write a compact form."""
    return {"form": shorten(read_envelope(unhex(inputs["envelope"]))).hex()}


def proved(inputs: Case) -> dict[str, Any]:
    """CHECK-7."""
    leaves, beside = ([bytes.fromhex(one) for one in inputs[name]] for name in ("leaves", "proof"))
    found = root_beside(int(inputs["count"]), int(inputs["first"]), leaves, beside)
    return {"root": found.hex()}


def summed(inputs: Case) -> dict[str, Any]:
    """Make a root."""
    return {"root": root([bytes.fromhex(leaf) for leaf in inputs["leaves"]]).hex()}


def compared_log(inputs: Case) -> dict[str, Any]:
    """CHECK-1."""
    *before, last = (read_envelope(unhex(parts)) for parts in inputs["envelopes"])
    told, found = Fold.read(last), root([shorten(record) for record in before])
    assert told is not None
    return {"sum": found.hex(), "right": told["root"] == found}


def folded(inputs: Case) -> dict[str, Any]:
    """FORM-3."""
    records = [read_envelope(unhex(parts)) for parts in inputs["records"]]
    for author, log, seq, form in inputs["forms"]:
        owner, name, data = (bytes.fromhex(part) for part in (author, log, form))
        records.append(lengthen(owner, name, int(seq), data))
    return {"digest": Fold(bytes.fromhex(inputs["charter"]), records).digest().hex()}
