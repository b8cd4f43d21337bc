"""What the switch reads in a frame, and the one kind of frame that it writes itself: a TCP reset.

A frame is an Ethernet header of 14 bytes and an IPv4 packet. Source: RFC 791, RFC 9293, and
RFC 5961 section 3 for which resets a receiver believes.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from mycelia_sim.switch.netlink import CARD_MAC

ETHERNET_SIZE: Final = 14
ADDRESSES: Final = slice(26, 34)  # source and target in the IPv4 header
TARGET: Final = slice(30, 34)
FIN, SYN, RST, ACK = 0x01, 0x02, 0x04, 0x10

_ETHERNET: Final = CARD_MAC + CARD_MAC + b"\x08\x00"
_TCP: Final = 6
_IP_SIZE, _TCP_SIZE = 20, 20
_LIFE: Final = 64  # hops


@dataclass(frozen=True, slots=True)
class Segment:
    """The header of a TCP segment.

    Attributes:
        source, target: IPv4 addresses, 4 bytes.
        size: of the payload, in bytes.
    """

    source: bytes
    target: bytes
    source_port: int
    target_port: int
    seq: int
    ack: int
    flags: int
    size: int

    @property
    def is_opening(self) -> bool:
        """Whether somebody asks for a new connection."""
        return self.flags & (SYN | ACK) == SYN

    @property
    def flow(self) -> tuple[bytes, int, bytes, int]:
        """Return what names this direction of the connection."""
        return self.source, self.source_port, self.target, self.target_port


def read_segment(frame: bytes) -> Segment | None:
    """Return the TCP segment in a frame, None if there is none, or not its beginning."""
    if len(frame) < ETHERNET_SIZE + _IP_SIZE + _TCP_SIZE or frame[23] != _TCP:
        return None
    ip_size = (frame[ETHERNET_SIZE] & 15) * 4
    if int.from_bytes(frame[20:22]) & 0x1FFF or len(frame) < ETHERNET_SIZE + ip_size + _TCP_SIZE:
        return None
    fields: tuple[int, int, int, int, int, int] = struct.unpack_from(
        ">HHIIBB", frame, ETHERNET_SIZE + ip_size
    )
    source_port, target_port, seq, ack, offset, flags = fields
    size = int.from_bytes(frame[16:18]) - ip_size - (offset >> 4) * 4
    return Segment(
        frame[26:30], frame[TARGET], source_port, target_port, seq, ack, flags, max(0, size)
    )


def answer(segment: Segment) -> bytes | None:
    """Return a reset, in the name of the target, that the sender of a segment will believe.

    None for a segment that is a reset itself.
    """
    if segment.flags & RST:
        return None
    if segment.flags & ACK:
        return reset(segment, segment.ack, None)
    length = segment.size + bool(segment.flags & SYN) + bool(segment.flags & FIN)
    return reset(segment, 0, (segment.seq + length) & 0xFFFF_FFFF)


def reset(segment: Segment, seq: int, ack: int | None) -> bytes:
    """Return a frame that goes back to the sender of a segment and resets its connection."""
    flags = RST if ack is None else RST | ACK
    tcp = struct.pack(
        ">HHIIBBHHH",
        segment.target_port,
        segment.source_port,
        seq,
        ack or 0,
        5 << 4,
        flags,
        0,
        0,
        0,
    )
    pseudo = segment.target + segment.source + struct.pack(">BBH", 0, _TCP, len(tcp))
    tcp = tcp[:16] + _checksum(pseudo + tcp) + tcp[18:]
    ip = struct.pack(">BBHHHBBH", 0x45, 0, _IP_SIZE + len(tcp), 0, 0x4000, _LIFE, _TCP, 0)
    ip += segment.target + segment.source
    return _ETHERNET + ip[:10] + _checksum(ip) + ip[12:] + tcp


def _checksum(data: bytes) -> bytes:
    """Return the internet checksum of an even number of bytes. Source: RFC 1071."""
    total: int = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return (~total & 0xFFFF).to_bytes(2)
