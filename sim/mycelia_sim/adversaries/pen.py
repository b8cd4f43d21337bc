"""How an adversary writes: good records on logs of its own, and bad ones in others' names."""

from mycelia_protocol.body import split_body, write_body
from mycelia_protocol.crypto import digest, sign_id
from mycelia_protocol.encoding import Value, encode
from mycelia_protocol.errors import RecordError
from mycelia_protocol.limits import LOG_ID_SIZE, PROTOCOL_VERSION, SALT_SIZE
from mycelia_protocol.record import Record
from mycelia_sim.streams import Stream

THING: dict[str, Value] = {
    "category": "food.meal",
    "title": "Never offered",
    "quantity": 1_000,
    "unit": "1",
}
OFFER: dict[str, Value] = {**THING, "lot": 1}
REQUEST: dict[str, Value] = {**THING, "title": "Never asked for", "urgency": "now"}

Envelope = list[Value]


class Pen:
    """Writes one log, whose incarnation it begins with.

    Args:
        author: in whose name; its own key, or another's whom it forges.
        seed: what it signs with.
        at: the record to go on after, as (log, seq, id); None begins a log.
    """

    def __init__(
        self,
        commons: bytes,
        author: bytes,
        seed: bytes,
        stream: Stream,
        time_ms: int,
        at: tuple[bytes, int, bytes] | None = None,
    ) -> None:
        self.records: list[Record] = []
        self.time_ms = time_ms
        self._commons = commons
        self._author = author
        self._seed = seed
        self._stream = stream
        if at is None:
            self.log, self._next_seq, self._prev = stream.bytes(LOG_ID_SIZE), 0, None
            self.write("incarnation", {"heads": []})
        else:
            self.log, self._prev, self._next_seq = at[0], at[2], at[1] + 1

    @property
    def key(self) -> tuple[bytes, bytes]:
        """Author and log."""
        return (self._author, self.log)

    def write(
        self, kind: str, content: dict[str, Value], *refs: bytes, time_ms: int | None = None
    ) -> Record:
        """Sign the log's next record."""
        body = write_body(self._stream.bytes(SALT_SIZE), content)
        return self.write_body(kind, body, *refs, time_ms=time_ms)

    def write_body(
        self, kind: str, body: bytes, *refs: bytes, time_ms: int | None = None
    ) -> Record:
        """Sign the log's next record over a body whose facts and words may be any bytes."""
        header, signature, _ = self.draft(kind, body, *refs, time_ms=time_ms)
        assert isinstance(header, bytes)
        assert isinstance(signature, bytes)
        record = Record.parse(header, signature, body)
        self._prev, self._next_seq = record.id, self._next_seq + 1
        self.records.append(record)
        return record

    def draft(self, kind: str, body: bytes, *refs: bytes, time_ms: int | None = None) -> Envelope:
        """Return the envelope of a next record that nobody may take; the log does not move."""
        header = encode(
            [
                PROTOCOL_VERSION,
                self._commons,
                self._author,
                self.log,
                self._next_seq,
                self._prev,
                kind,
                self.time_ms if time_ms is None else time_ms,
                len(body),
                _hash(body),
                list(refs),
            ]
        )
        return [header, sign_id(self._seed, digest("record", header)), body]

    def fork(self) -> "Pen":
        """Return a second end of the same log."""
        last = self.records[-1]
        at = (self.log, last.seq, last.id)
        other = Pen(self._commons, self._author, self._seed, self._stream, self.time_ms, at)
        other.records = list(self.records)
        return other


def _hash(body: bytes) -> bytes:
    """Return the hash of a body, or anything if that is none."""
    try:
        return split_body(body).hash
    except RecordError:
        return digest("body", body)


def envelope_id(envelope: Envelope) -> bytes:
    """Return the id that a record of this envelope would have."""
    header = envelope[0]
    assert isinstance(header, bytes)
    return digest("record", header)
