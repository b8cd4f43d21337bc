"""Vectors of section 15: bundles in files, whole and otherwise.

Each case is a stream of bytes, and what a reader finds in it that wants bundles of one commons.
"""

from mycelia_protocol.bundle import BundleWriter, Height, Label
from mycelia_protocol.bundle_reader import BundleReader, HeightsFound
from mycelia_protocol.bundle_reader import ChunkDamaged as Damaged
from mycelia_protocol.bundle_reader import RecordsFound as Records
from mycelia_protocol.chunks import MARK, PREFIX, seal_chunk
from mycelia_protocol.encoding import Value, encode
from mycelia_protocol.record import Record
from vectors.cases_bundle_forms import cases as forms_cases
from vectors.cases_bundle_forms import evidence_json, forms_json
from vectors.chains import COMMONS, Writer
from vectors.suite import KEYS, SEEDS, TIME_MS, Json, Suite, derived, hex_or_none

NOTES = {
    "Whole": "All that the maker wrote is there.",
    "Cut": "Something is missing, and the reader can tell what or that.",
    "Damage": "Bytes that can't be used; the chunks beside them can.",
    "Order": "Chunks come in another order, or more than once.",
    "Compact": "Logs of which the early part is in compact form, and who confirmed that.",
    "Unproved": "Parts of logs that no checkpoint proves.",
    "Later": "Kinds that this version does not know.",
    "Signature": "Who made it is not proved, or not for all of it; records are as good as ever.",
    "Mixed": "Parts of two bundles in one stream.",
    "Foreign": "A bundle that is not for this reader.",
    "Nothing": "No bundle at all.",
}
BUNDLE = derived("id of a bundle", 8)
LABEL = Label(COMMONS, KEYS["oak"], TIME_MS, KEYS["elm"], TIME_MS - 86_400_000)
FIELDS = LABEL.fields()


def build() -> Suite:
    """Return the suite."""
    suite = Suite("bundle", NOTES)
    _add_whole(suite)
    _add_cut(suite)
    _add_damaged(suite)
    _add_wrong_payloads(suite)
    _add_foreign(suite)
    _add_forms(suite)
    return suite


def logs() -> tuple[list[Record], list[Record]]:
    """Return the log of mill, who vouches for oak, and that of oak."""
    mill, oak = Writer("mill"), Writer("oak")
    mill.begin()
    mill.write("vouch", {"key": KEYS["oak"]})
    oak.begin()
    oak.write("profile", {"name": "Oak"})
    return mill.records, oak.records


def chunks_of(label: Label = LABEL, seed: str = "oak", bundle: bytes = BUNDLE) -> list[bytes]:
    """Return the chunks of a bundle: label, heads, two of records, end."""
    mill, oak = logs()
    writer = BundleWriter(SEEDS[seed], bundle, label)
    heights = [Height(log[-1].author, log[-1].log, len(log), log[-1].id[:8]) for log in (mill, oak)]
    both = writer.begin(heights)
    first = writer.add([mill[0].without_signature(), mill[1]])
    second = writer.add([oak[0].without_signature(), oak[1]])
    cut = both.index(PREFIX, 1)
    return [both[:cut], both[cut:], first, second, writer.end()]


def sealed(number: int, *payload: Value, seed: str = "oak", bundle: bytes = BUNDLE) -> bytes:
    """Return one chunk with any payload."""
    return seal_chunk(SEEDS[seed], bundle, number, encode(list(payload)))


def spoilt(data: bytes, place: int, mask: int = 1) -> bytes:
    """Return bytes with some bits of one flipped."""
    return data[:place] + bytes([data[place] ^ mask]) + data[place + 1 :]


def outcome(data: bytes) -> dict[str, Json]:
    """Return what our reader finds."""
    reader = BundleReader(COMMONS)
    found = [*reader.feed(data), *reader.finish()]
    records = [r for one in found if isinstance(one, Records) for r in one.records]
    heads = sum(len(one.heights) for one in found if isinstance(one, HeightsFound))
    tally, label = reader.tally, reader.label
    return {
        "label": label_json(label) if label else None,
        "label_signed": reader.is_label_signed,
        "records": [record.id.hex() for record in records],
        "heads": heads,
        "forms": forms_json(found),
        "evidence": evidence_json(found),
        "damaged": [[one.start, one.end] for one in found if isinstance(one, Damaged)],
        "chunks": tally.chunks,
        "signed": tally.signed,
        "repeated": tally.repeated,
        "others": tally.others,
        "ignored": tally.ignored,
        "refused": tally.refused,
        "whole": tally.is_whole,
    }


def label_json(label: Label) -> Json:
    """Return a label's fields without the version."""
    audience, basis_ms = label.audience, label.basis_ms
    return {
        "commons": label.commons.hex(),
        "maker": label.maker.hex(),
        "made_ms": str(label.made_ms),
        "audience": hex_or_none(audience),
        "basis_ms": None if basis_ms is None else str(basis_ms),
    }


def _good(suite: Suite, comment: str, req: str, parts: list[bytes], flag: str) -> None:
    data = b"".join(parts)
    suite.valid(comment, req, _in(data), outcome(data), flag)


def _in(data: bytes) -> dict[str, Json]:
    return {"bytes": data.hex(), "commons": COMMONS.hex()}


def _add_whole(suite: Suite) -> None:
    label, heads, first, second, end = chunks = chunks_of()
    _good(suite, "label, heads, records, end", "CARRY-2", chunks, "Whole")
    anyone = Label(COMMONS, KEYS["mill"], TIME_MS)
    _good(suite, "for anyone, by the founder", "CARRY-2", chunks_of(anyone, "mill"), "Whole")
    empty = BundleWriter(SEEDS["oak"], BUNDLE, LABEL)
    _good(suite, "of nothing", "CARRY-2", [empty.begin(), empty.end()], "Whole")
    _good(suite, "backwards", "CARRY-2", chunks[::-1], "Order")
    _good(suite, "records first", "CARRY-2", [second, first, label, end, heads], "Order")
    _good(suite, "everything twice", "CARRY-2", chunks * 2, "Order")
    later = [sealed(90, 5, b"sealed"), sealed(91, 64), sealed(92, 1_000, [1, [2]], None)]
    _good(suite, "kinds of later versions", "CARRY-3", [label, *later, first, end], "Later")
    another = chunks_of(Label(COMMONS, KEYS["elm"], 5), "elm", derived("another bundle", 8))
    _good(suite, "two bundles, one after the other", "CARRY-2", [*chunks, *another], "Mixed")
    _good(suite, "the other's records among them", "CARRY-2", [label, another[3], end], "Mixed")
    taken = sealed(2, 3, [logs()[1][0].envelope()], seed="elm")
    _good(suite, "another chunk in one's place", "CARRY-2", [label, taken, first, end], "Mixed")


def _add_cut(suite: Suite) -> None:
    label, heads, first, second, end = chunks = chunks_of()
    _good(suite, "the end is missing", "CARRY-1", chunks[:-1], "Cut")
    _good(suite, "the label is missing", "CARRY-1", chunks[1:], "Cut")
    _good(suite, "label and end are missing", "CARRY-1", chunks[1:-1], "Cut")
    _good(suite, "a chunk in between is missing", "CARRY-1", [label, heads, second, end], "Cut")
    whole = b"".join(chunks)
    before = len(label) + len(heads) + len(first)
    _good(suite, "cut in a payload", "CARRY-1", [whole[: before + 300]], "Cut")
    _good(suite, "cut in a mark", "CARRY-1", [whole[: before + 7]], "Cut")
    _good(suite, "cut before its last byte", "CARRY-1", [whole[:-1]], "Cut")
    _good(suite, "its first byte is missing", "CARRY-1", [whole[1:]], "Cut")


def _add_damaged(suite: Suite) -> None:
    label, heads, first, second, end = chunks_of()
    rest = [second, end]
    number, check = len(PREFIX) + 10, len(PREFIX) + 13
    for comment, place in (
        ("the array's length", 0),
        ("the mark", 5),
        ("the bundle id", len(PREFIX) + 4),
        ("the number", number),
        ("the check", check + 9),
        ("the payload's length", check + 32 + 66 + 2),
        ("a record", len(first) - 40),
    ):
        parts = [label, heads, spoilt(first, place), *rest]
        _good(suite, f"a bit flipped in {comment}", "CARRY-1", parts, "Damage")
    unsigned = spoilt(first, check + 32 + 10)
    _good(
        suite,
        "a bit flipped in a signature",
        "CARRY-6",
        [label, heads, unsigned, *rest],
        "Signature",
    )
    false = spoilt(heads, check + 32 + 10)
    _good(
        suite,
        "heads that the maker did not sign",
        "CARRY-6",
        [label, false, first, end],
        "Signature",
    )
    others = sealed(0, 1, *FIELDS, seed="elm")
    _good(
        suite, "a label that the maker did not sign", "CARRY-6", [others, first, end], "Signature"
    )
    short = first[:200] + first[260:]
    _good(suite, "bytes missing in a chunk", "CARRY-1", [label, short, *rest], "Damage")
    _good(suite, "bytes put in between", "CARRY-1", [label, b"\0" * 50, first, end], "Damage")
    _good(suite, "a mark put in between", "CARRY-1", [label, PREFIX, first, end], "Damage")
    _good(suite, "something behind the end", "CARRY-1", [label, first, end, b"tail"], "Damage")
    wide = first.replace(b"\xc4\x08" + BUNDLE + b"\x02", b"\xc4\x08" + BUNDLE + b"\xcc\x02")
    _good(suite, "a number longer than need be", "CARRY-1", [label, wide, second, end], "Damage")
    wide = first[:11] + b"\xc5\x00\x08" + first[13:]
    _good(suite, "a length longer than need be", "CARRY-1", [label, wide, second, end], "Damage")


def _add_wrong_payloads(suite: Suite) -> None:
    label, _, first, _, end = chunks_of()
    wrong: list[tuple[str, Value]] = [
        ("an empty array", []),
        ("no array", 3),
        ("the kind is true", [True, []]),
        ("the kind is text", ["RECORDS", []]),
        ("RECORDS without records", [3]),
        ("RECORDS with a field more", [3, [], 0]),
        ("HEADS: next_seq 0", [2, [[KEYS["oak"], bytes(8), 0, bytes(8)]]]),
        ("HEADS: prefix of 9 bytes", [2, [[KEYS["oak"], bytes(8), 1, bytes(9)]]]),
        ("LABEL of five fields", [1, *FIELDS[:5]]),
        ("LABEL: maker of 31 bytes", [1, *FIELDS[:2], bytes(31), *FIELDS[3:]]),
        ("LABEL: made_ms below 0", [1, *FIELDS[:3], -1, *FIELDS[4:]]),
        ("LABEL: basis_ms is text", [1, *FIELDS[:5], "now"]),
        ("END without totals", [4, *FIELDS]),
        ("END: a total is nil", [4, *FIELDS, 5, None]),
    ]
    for number, (comment, payload) in enumerate(wrong):
        odd = seal_chunk(SEEDS["oak"], BUNDLE, 50 + number, encode(payload))
        _good(suite, comment, "CARRY-3", [label, odd, first, end], "Damage")
    raw = seal_chunk(SEEDS["oak"], BUNDLE, 80, bytes.fromhex("92cc0390"))
    _good(suite, "a payload that is not canonical", "CARRY-1", [label, raw, first, end], "Damage")
    header, signature, body = logs()[1][1].envelope()
    rows: list[Value] = [
        [header, signature],
        [header, signature, b"else"],
        [header, signature, body],
    ]
    odd = sealed(81, 3, rows)
    _good(suite, "two wrong envelopes and a right one", "CARRY-5", [label, odd, end], "Damage")


def _add_foreign(suite: Suite) -> None:
    other = Label(derived("another commons"), KEYS["oak"], TIME_MS)
    first = chunks_of()[2]
    foreign = chunks_of(other)
    cases: list[tuple[str, str, bytes, str, str]] = [
        ("of another commons", "CARRY-4", b"".join(foreign), "commons", "Foreign"),
        ("of another commons, by its end", "CARRY-4", b"".join(foreign[2:]), "commons", "Foreign"),
        ("of version 2", "CARRY-4", sealed(0, 1, 2, "more"), "version", "Foreign"),
        ("an end of version 2", "CARRY-4", first + sealed(9, 4, 2), "version", "Foreign"),
        ("empty", "CARRY-1", b"", "bundle", "Nothing"),
        ("text", "CARRY-1", b"not a bundle", "bundle", "Nothing"),
        ("marks alone", "CARRY-1", PREFIX * 30, "bundle", "Nothing"),
        ("a mark without its frame", "CARRY-1", MARK, "bundle", "Nothing"),
        ("one chunk, spoilt", "CARRY-1", spoilt(first, len(first) - 1), "bundle", "Nothing"),
        ("one chunk, cut", "CARRY-1", first[:-1], "bundle", "Nothing"),
    ]
    for comment, req, data, error, flag in cases:
        suite.invalid(comment, req, _in(data), error, flag)


def _add_forms(suite: Suite) -> None:
    label, _, first, _, end = chunks_of()
    for comment, req, payloads, flag in forms_cases():
        parts = [sealed(20 + at, *payload) for at, payload in enumerate(payloads)]
        _good(suite, comment, req, [label, *parts, first, end], flag)
