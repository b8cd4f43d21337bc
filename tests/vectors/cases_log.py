"""Vectors of section 6.4 and 6.5: which records of a log are accepted.

Each case gives batches of envelopes in the order in which a reader receives them.
"""

from dataclasses import replace

from mycelia_protocol.record import Record
from vectors.chains import Writer, envelopes_json, resigned
from vectors.suite import Json, Suite

NOTES = {
    "Run": "One signature at the end authenticates all records that hang together with it.",
    "Gap": "Something is missing in between; what lies beyond may be held if it is signed.",
    "Forged": "Nothing authenticates these records. What is authentic is kept all the same.",
    "Fork": "Two authentic records contradict each other; the branch that came first stays.",
    "Again": "Something comes twice, or again with a good signature.",
}
Batches = list[list[Record]]


def build() -> Suite:
    """Return the suite."""
    suite = Suite("log", NOTES)
    _add_runs(suite)
    _add_gaps(suite)
    _add_forged(suite)
    _add_forks(suite)
    return suite


def chain(name: str = "mill", length: int = 5, incarnation: int = 0) -> list[Record]:
    """Return the first records of a log."""
    writer = Writer(name, incarnation)
    writer.begin()
    for number in range(1, length):
        writer.write("withdraw", {"reason": f"number {number}"}, writer.records[0])
    return writer.records


def unsigned(records: list[Record]) -> list[Record]:
    """Return the records without signatures."""
    return [record.without_signature() for record in records]


def spoilt(record: Record) -> Record:
    """Return the record with a signature that does not verify."""
    assert record.signature is not None
    return replace(record, signature=record.signature[:-1] + bytes([record.signature[-1] ^ 1]))


def _add_runs(suite: Suite) -> None:
    a = chain()
    b = chain("oak", 3)
    second = chain("mill", 3, incarnation=1)
    runs: list[tuple[str, Batches]] = [
        ("one record", [a[:1]]),
        ("five records, each signed", [a]),
        ("five records one by one", [[record] for record in a]),
        ("five records, only the last signed", [[*unsigned(a[:4]), a[4]]]),
        ("a run in the middle", [a[:2], [*unsigned(a[2:4]), a[4]]]),
        ("the inner signatures are spoilt; the last is good", [[*map(spoilt, a[:4]), a[4]]]),
        ("in reverse order, only the last signed", [[a[4], *unsigned(a[:4])[::-1]]]),
        ("two logs of two authors, mixed", [[b[0], a[0], a[1], b[1], b[2], a[2]]]),
        ("two logs of one author", [[*unsigned(a[:2]), a[2], *unsigned(second[:2]), second[2]]]),
    ]
    for comment, batches in runs:
        _add(
            suite,
            comment,
            "LOG-1 LOG-2",
            batches,
            [record for batch in batches for record in batch],
            (),
            "Run",
        )
    _add(suite, "the same batch twice", "LOG-1", [a, a], a, (), "Again")
    late = [a, unsigned(a)]
    _add(suite, "known records come again unsigned: no fork", "LOG-2", late, a, (), "Again")


def _add_gaps(suite: Suite) -> None:
    a = chain()
    gaps: list[tuple[str, Batches, list[Record]]] = [
        ("a gap that stays", [[a[0], a[1], a[3], a[4]]], a[:2]),
        ("a gap that is filled later", [[a[0], a[2], a[3]], [a[1]]], a[:4]),
        ("nothing but what lies beyond a gap", [[a[4]]], []),
        ("the beginning comes last", [[a[3]], [a[2]], [a[1]], [a[0]]], a[:4]),
        ("a run, then what was held", [[a[4]], [*unsigned(a[:3]), a[3]]], a),
    ]
    for comment, batches, accepted in gaps:
        _add(suite, comment, "LOG-1", batches, accepted, (), "Gap")


def _add_forged(suite: Suite) -> None:
    a, b = chain(), chain("oak")
    foreign = replace(a[1], signature=b[1].signature)
    borrowed = Record.parse(*_envelope(resigned(b[1], 5, a[0].id)))
    forged: list[tuple[str, Batches, list[Record]]] = [
        ("no signature at all", [unsigned(a)], []),
        ("a spoilt signature", [[spoilt(a[0])]], []),
        ("a signature by another author", [[a[0], foreign]], a[:1]),
        ("the last signature is spoilt", [[*unsigned(a[:3]), a[3], spoilt(a[4])]], a[:4]),
        ("only the first is signed", [[a[0], *unsigned(a[1:])]], a[:1]),
        ("all signatures are spoilt", [[spoilt(record) for record in a]], []),
        ("a record of another log can't authenticate", [[*unsigned(a[:1]), borrowed]], []),
        ("beyond a gap with a spoilt signature", [[a[0], spoilt(a[2])], [a[1]]], a[:2]),
    ]
    for comment, batches, accepted in forged:
        _add(suite, comment, "LOG-2", batches, accepted, (), "Forged", error="forged")
    again: list[tuple[str, Batches, list[Record]]] = [
        ("refused, then with a good signature", [[spoilt(a[0])], [a[0]]], a[:1]),
        (
            "refused, then authenticated by a later record",
            [[spoilt(a[0])], [*unsigned(a[:4]), a[4]]],
            a,
        ),
    ]
    for comment, batches, accepted in again:
        _add(suite, comment, "LOG-3", batches, accepted, (), "Again", error="forged")


def _add_forks(suite: Suite) -> None:
    a = chain()
    branch = Writer("mill", records=list(a[:2]))
    *other, last = [branch.write("withdraw", {"reason": f"branch {n}"}, a[0]) for n in (2, 3, 4)]
    forks: list[tuple[str, Batches, list[Record], list[Record]]] = [
        ("another record at a place that is taken", [a, other[:1]], a, other[:1]),
        ("two records of another branch", [a[:3], other], a[:3], other),
        ("the other branch came first", [[*a[:2], *other], a[2:3]], [*a[:2], *other], a[2:3]),
        ("the next record hangs on one that nobody has", [a[:3], other[1:]], a[:3], other[1:]),
    ]
    for comment, batches, accepted, contrary in forks:
        _add(suite, comment, "LOG-1", batches, accepted, contrary, "Fork")
    run = [*unsigned(other[1:]), last]
    comment = "a run of another branch that is signed at its end alone: no forgery"
    _add(suite, comment, "LOG-7", [a[:3], run], a[:3], other[1:], "Fork")


def _add(
    suite: Suite,
    comment: str,
    req: str,
    batches: Batches,
    accepted: list[Record],
    contrary: tuple[Record, ...] | list[Record],
    flag: str,
    error: str = "",
) -> None:
    """Add a case; all in `accepted` are expected, sorted by author, log and seq."""
    ordered = sorted(accepted, key=lambda record: (record.author, record.log, record.seq))
    steps: dict[str, Json] = {
        "accepted": [record.id.hex() for record in ordered],
        "contrary": [record.id.hex() for record in sorted(contrary, key=lambda each: each.id)],
    }
    inputs: dict[str, Json] = {"batches": [envelopes_json(batch) for batch in batches]}
    if error:
        suite.invalid(comment, req, inputs, error, flag, steps=steps)
    else:
        suite.valid(comment, req, inputs, steps, flag)


def _envelope(envelope: list[bytes | None]) -> tuple[bytes, bytes | None, bytes | None]:
    header, signature, body = envelope
    assert header is not None
    return header, signature, body
