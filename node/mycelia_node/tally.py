"""Counts what a node received and checked since it started: frames, bytes, records, signatures.

It stands between the engine and the two pure functions that the engine calls for each frame and
each signature; nothing is changed by it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from mycelia_protocol.messages import Message, Push, Records
from mycelia_protocol.presence import Presence
from mycelia_protocol.recent import Recent
from mycelia_protocol.record import Record
from mycelia_protocol.session import TAG_SIZE
from mycelia_protocol.shortcuts import Shortcuts

Json = dict[str, object]


@dataclass(slots=True)
class Tally:
    """What was received and checked.

    Attributes:
        frames, bytes: by name of the frame; bytes as sealed, without packet headers.
        records: records received, by name of the frame, whether they were news or not.
        verifications: signatures of records that were checked.
    """

    frames: Counter[str] = field(default_factory=Counter)
    bytes: Counter[str] = field(default_factory=Counter)
    records: Counter[str] = field(default_factory=Counter)
    verifications: int = 0

    def count(self, message: Message, size: int) -> str:
        """Count a frame of so many bytes before it was sealed; return its name."""
        name = type(message).__name__.lower()
        self.frames[name] += 1
        self.bytes[name] += size + TAG_SIZE
        if isinstance(message, Push | Records):
            self.records[name] += len(message.records)
        return name

    def to_json(self) -> Json:
        """Return plain values."""
        return {
            "frames": dict(sorted(self.frames.items())),
            "bytes": dict(sorted(self.bytes.items())),
            "records": dict(sorted(self.records.items())),
            "verifications": self.verifications,
        }


def counting(tally: Tally) -> Shortcuts:
    """Return what an engine is to call so that all is counted."""

    recent = Recent()

    def decode(data: bytes) -> Message:
        message = recent.decode(data)
        tally.count(message, len(data))
        return message

    def verify(record: Record) -> bool:
        tally.verifications += 1
        return record.is_signed()

    def attest(presence: Presence, commons: bytes) -> bool:
        tally.verifications += 1
        return presence.is_signed(commons)

    return Shortcuts(verify=verify, attest=attest, decode=decode)
