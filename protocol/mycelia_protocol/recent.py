"""Pushed records that came lately are known again without taking them apart.

The same record is pushed by several neighbours, and may be by one that means harm, without end. To
see that its bytes are those of one that was checked costs a fiftieth of checking it anew.
"""

from typing import Final

from mycelia_protocol.encoding import Value
from mycelia_protocol.messages import Message, decode_message
from mycelia_protocol.record import Record, parse_envelope

RECENT_SIZE_MAX: Final = 262_144  # bytes of records kept in mind: a second of a busy commons


class Recent:
    """Reads frames, and keeps in mind the records that were pushed last, by their headers."""

    def __init__(self) -> None:
        self.size = 0  # bytes of what is kept in mind
        self._records: dict[bytes, Record] = {}  # the oldest first

    def decode(self, data: bytes) -> Message:
        """Read a frame; raises what `decode_message` raises."""
        return decode_message(data, self.parse)

    def parse(self, envelope: Value) -> Record:
        """Read an envelope; raises what `parse_envelope` raises."""
        if not isinstance(envelope, tuple) or len(envelope) != 3:
            return parse_envelope(envelope)
        header, signature, body = envelope
        known = self._records.get(header) if type(header) is bytes else None
        if known is not None and known.signature == signature and known.body == body:
            return known
        record = parse_envelope(envelope)
        self._remember(record)
        return record

    def _remember(self, record: Record) -> None:
        replaced = self._records.pop(record.header, None)
        self.size += record.size - (0 if replaced is None else replaced.size)
        self._records[record.header] = record
        while self.size > RECENT_SIZE_MAX:
            self.size -= self._records.pop(next(iter(self._records))).size
