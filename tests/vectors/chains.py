"""Records and logs of the examples, written by the four collectives of one commons."""

from dataclasses import dataclass, field
from typing import Final

from mycelia_protocol.crypto import digest, sign_id
from mycelia_protocol.encoding import Value, encode
from mycelia_protocol.record import Record, build_record
from vectors.cases_identity import CHARTER
from vectors.suite import KEYS, SEEDS, TIME_MS, Json, derived, hex_or_none

COMMONS: Final = CHARTER.commons


@dataclass(slots=True)
class Writer:
    """One log of one collective; each record is a minute after the one before.

    Attributes:
        name: the collective.
        incarnation: which of its logs; the log's id follows from both.
    """

    name: str
    incarnation: int = 0
    records: list[Record] = field(default_factory=list)

    @property
    def log(self) -> bytes:
        """The id of the log, 8 bytes."""
        return derived(f"log {self.incarnation} of {self.name}", 8)

    def write(self, kind: str, content: dict[str, Value], *refs: Record) -> Record:
        """Append a record."""
        seq = len(self.records)
        record = build_record(
            commons=COMMONS,
            seed=SEEDS[self.name],
            author=KEYS[self.name],
            log=self.log,
            seq=seq,
            prev=self.records[-1].id if seq else None,
            kind=kind,
            time_ms=TIME_MS + 60_000 * seq,
            content=content,
            salt=derived(f"salt {seq} of log {self.incarnation} of {self.name}", 16),
            refs=tuple(ref.id for ref in refs),
        )
        self.records.append(record)
        return record

    def begin(self, *heads: Record) -> Record:
        """Write the incarnation, which names the last records of older logs."""
        ordered = sorted(heads, key=lambda head: head.log)
        return self.write("incarnation", {"heads": [[h.log, h.seq, h.id] for h in ordered]})


def header_fields(record: Record) -> list[Value]:
    """Return the eleven fields of a record's header."""
    return [
        1,
        record.commons,
        record.author,
        record.log,
        record.seq,
        record.prev,
        record.kind,
        record.time_ms,
        record.body_size,
        record.body_hash,
        list(record.refs),
    ]


def resigned(record: Record, place: int, value: Value) -> list[bytes | None]:
    """Return the envelope with another value in one field of the header, rightly signed."""
    fields = header_fields(record)
    fields[place] = value
    author = next(name for name, key in KEYS.items() if key == record.author)
    return signed_header(encode(fields), record.body, author)


def signed_header(header: bytes, body: bytes | None, author: str = "mill") -> list[bytes | None]:
    """Return an envelope around any header bytes, signed by one of the collectives."""
    return [header, sign_id(SEEDS[author], digest("record", header)), body]


def envelope_json(envelope: list[bytes | None]) -> list[Json]:
    """Write an envelope in JSON: header, signature, body."""
    return [hex_or_none(part) for part in envelope]


def envelopes_json(records: list[Record]) -> list[Json]:
    """Write the envelopes of records in JSON."""
    return [envelope_json(record.envelope()) for record in records]
