"""Every vector about bytes, ids, signatures and records through the code that nodes run."""

from collections.abc import Callable, Iterable
from typing import Any, cast

from mycelia_protocol.body import WORDS, erase_words, join_body, split_body
from mycelia_protocol.charter import Charter, commons_id
from mycelia_protocol.compact import compact, expand
from mycelia_protocol.confirming import Witnesses
from mycelia_protocol.crypto import (
    digest,
    domain,
    is_valid_public_key,
    sign_id,
    signature_message,
    verify_id,
)
from mycelia_protocol.encoding import Value, decode, encode
from mycelia_protocol.errors import SignatureError
from mycelia_protocol.identity import parse_text, to_text
from mycelia_protocol.invite import Invite, invite_digest
from mycelia_protocol.merkle import Tree, proved_root
from mycelia_protocol.record import Record
from mycelia_protocol.schema import check
from mycelia_protocol.state import State
from mycelia_protocol.statements import read_statement
from mycelia_protocol.types import KINDS
from mycelia_protocol.types.checkpoint import Checkpoint
from vectors.cases_identity import CHARTER
from vectors.chains import header_fields
from vectors.reading import Case, cases, envelope, judge, unhex
from vectors.suite import tagged


@cases("encoding")
def test_encoding(case: Case) -> None:
    """Decoding gives the value, encoding gives the bytes back, and all else is refused."""

    def read(inputs: Case) -> Any:
        data = bytes.fromhex(inputs["bytes"])
        value = decode(data, maps=inputs["maps"], size_max=inputs["size_max"])
        assert encode(value) == data
        return {"value": tagged(value)}

    judge(case, read)


@cases("identity")
def test_identity(case: Case) -> None:
    """Text ids, charters and invites read and write as the vectors say."""
    judge(
        case, {"text-id": read_id, "charter": read_charter, "invite": read_invite}[case["in"]["op"]]
    )


def read_id(inputs: Case) -> Any:
    """Read a text id and write it again."""
    kind, data = parse_text(inputs["text"], inputs["kind"])
    return {"kind": kind, "data": data.hex(), "text": to_text(kind, data)}


def read_charter(inputs: Case) -> Any:
    """Read a charter and write it again."""
    data = bytes.fromhex(inputs["bytes"])
    charter = Charter.decode(data)
    assert charter.encode() == data
    return {
        "name": charter.name,
        "founder": charter.founder.hex(),
        "created_ms": str(charter.created_ms),
        "salt": charter.salt.hex(),
        "commons": charter.commons.hex(),
        "text": to_text("commons", commons_id(data)),
    }


def read_invite(inputs: Case) -> Any:
    """Read an invite and write it again."""
    invite = Invite.from_text(inputs["text"])
    fields: list[Value] = [
        1,
        invite.commons,
        invite.inviter,
        invite.secret,
        invite.expires_ms,
        invite.addresses,
    ]
    return {
        "bytes": encode(fields).hex(),
        "fields": tagged(fields),
        "digest": invite_digest(invite.secret).hex(),
        "text": invite.to_text(),
    }


@cases("signature")
def test_signature(case: Case) -> None:
    """Hashes are equal, and keys and signatures get the verdict of the vectors."""
    inputs, steps = case["in"], case["steps"]
    if inputs["op"] == "hash":
        parts = [bytes.fromhex(part) for part in inputs["parts"]]
        assert (domain(inputs["purpose"]) + b"".join(parts)).hex() == steps["preimage"]
        assert digest(inputs["purpose"], *parts).hex() == steps["hash"]
    elif inputs["op"] == "key":
        is_valid = is_valid_public_key(bytes.fromhex(inputs["key"]))
        assert is_valid == (case["result"] == "valid")
    else:
        public, record_id, signature = (
            bytes.fromhex(inputs[name]) for name in ("public", "record", "signature")
        )
        assert verify_id(public, record_id, signature) == (case["result"] == "valid")
        if steps:
            assert signature_message(record_id).hex() == steps["message"]
            assert sign_id(bytes.fromhex(steps["seed"]), record_id) == signature


def parse(inputs: Case) -> Record:
    """Read an envelope, and check its signature if it has one."""
    record = Record.parse(*envelope(inputs["envelope"]))
    if record.signature is not None and not record.is_signed():
        raise SignatureError("the signature does not verify")
    return record


@cases("checkpoint")
def test_checkpoint(case: Case) -> None:
    """Compact forms, the sums over them, and the states that follow come out as they should."""
    judge(case, FORMS[case["in"]["op"]])


def read_form(inputs: Case) -> Any:
    """Shorten a record, and see that it can be read."""
    record = parse(inputs)
    form = compact(record)
    back = expand(record.commons, record.author, record.log, record.seq, form)
    assert (back.id, back.kind, back.refs) == (record.id, record.kind, record.refs)
    return {"form": form.hex()}


def read_sum(inputs: Case) -> Any:
    """Make the root over some leaves."""
    return {"root": rooted(map(bytes.fromhex, inputs["leaves"]))}


def read_log(inputs: Case) -> Any:
    """Compare a checkpoint with the log before it."""
    *before, last = (Record.parse(*envelope(each)) for each in inputs["envelopes"])
    told = read_statement(last)
    assert told is not None
    assert isinstance(told.body, Checkpoint)
    root = rooted(map(compact, before))
    return {"sum": root, "right": told.body.root.hex() == root}


def rooted(leaves: Iterable[bytes]) -> str:
    """Return the root over some leaves, in hexadecimal."""
    tree = Tree()
    for leaf in leaves:
        tree.add(leaf)
    return tree.root().hex()


def read_state(inputs: Case) -> Any:
    """Fold records and compact forms."""
    charter = Charter.decode(bytes.fromhex(inputs["charter"]))
    state = State(charter)
    for author, log, seq, form in inputs["forms"]:
        name = bytes.fromhex(author), bytes.fromhex(log), int(seq)
        state.add(expand(charter.commons, *name, bytes.fromhex(form)))
    for parts in inputs["records"]:
        state.add(Record.parse(*envelope(parts)))
    return {"digest": state.digest().hex()}


def read_confirmed(inputs: Case) -> Any:
    """Count who says that a checkpoint is right."""
    pairs = [[bytes.fromhex(key) for key in pair] for pair in inputs["vouches"]]
    told = [
        (bytes.fromhex(by), list(map(bytes.fromhex, ids))) for by, ids in inputs["acknowledged"]
    ]
    founder, checkpoint, author = (
        bytes.fromhex(inputs[name]) for name in ("founder", "checkpoint", "author")
    )
    witnesses = Witnesses(founder, ((by, key) for by, key in pairs), told)
    return {"confirmed": witnesses.confirm(checkpoint, author)}


def read_proof(inputs: Case) -> Any:
    """Make a root from some leaves and what is beside them."""
    leaves, proof = (list(map(bytes.fromhex, inputs[name])) for name in ("leaves", "proof"))
    try:
        root = proved_root(int(inputs["count"]), int(inputs["first"]), leaves, proof)
    except ValueError as error:
        raise SignatureError(str(error), code="forged") from error
    return {"root": root.hex()}


FORMS: dict[str, Callable[[Case], Any]] = {
    "confirm": read_confirmed,
    "proof": read_proof,
    "form": read_form,
    "sum": read_sum,
    "log": read_log,
    "state": read_state,
    "read": lambda inputs: expand(
        CHARTER.commons, bytes(32), bytes(8), 1, bytes.fromhex(inputs["form"])
    ),
}


@cases("record")
def test_record(case: Case) -> None:
    """Headers are read field by field, hashed and verified as the vectors say."""

    def read(inputs: Case) -> Any:
        record = parse(inputs)
        return {
            "fields": tagged(header_fields(record)),
            "preimage": (domain("record") + record.header).hex(),
            "id": record.id.hex(),
            "signed_message": signature_message(record.id).hex(),
            "body_hash": record.body_hash.hex(),
        }

    judge(case, read)


@cases("body")
def test_body(case: Case) -> None:
    """Bodies are well-formed or malformed as the vectors say."""
    inputs = case["in"]
    record = record_with(inputs)
    statement = read_statement(record)
    assert (statement is not None) == (case["result"] == "valid")
    if statement is not None:
        content = cast("dict[str, Value]", record.content)
        told = check(content, KINDS[record.kind].fields).fields
        known = {key: value for key, value in content.items() if key not in WORDS or key in told}
        assert tagged(known) == case["steps"]["content"]


def record_with(inputs: Case) -> Record:
    """Return a record of the case's kind, log and references with its facts and words."""
    facts, words = bytes.fromhex(inputs["facts"]), unhex(inputs["words"])
    body = join_body(bytes(16), facts, words or b"\x80")
    if words is None:
        body = erase_words(body)
    is_first = inputs["kind"] == "incarnation"
    refs = [bytes.fromhex(ref) for ref in inputs["refs"]]
    place: list[Value] = [0, None] if is_first else [1, bytes(32)]
    fields: list[Value] = [
        1,
        CHARTER.commons,
        CHARTER.founder,
        bytes.fromhex(inputs["log"]),
        *place,
    ]
    rest: list[Value] = [inputs["kind"], 0, len(body), split_body(body).hash, refs]
    return Record.parse(encode([*fields, *rest]), None, body)
