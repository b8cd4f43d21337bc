"""What is wrong beneath the frames of a link, in TCP, HTTP and WebSocket; each on a connection.

In virtual time a message comes whole or not at all, and there is nothing beneath. Here a message is
a WebSocket message (RFC 6455), after an HTTP request that asks for it; a stranger may break either.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from mycelia_node.transport import PATH
from mycelia_protocol.limits import FRAME_SIZE_MAX

_HEAD: Final = f"GET {PATH} HTTP/1.1\r\nHost: node\r\n".encode()
_UPGRADE: Final = (
    _HEAD + b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: AAECAwQFBgcICQoLDA0ODw==\r\n\r\n"
)
_FINAL: Final = 0x80
_CONTINUED, _TEXT, _BINARY, _RESERVED, _PING = 0x0, 0x1, 0x2, 0x3, 0x9
_MASKED: Final = 0x80
_MASK: Final = bytes(4)  # leaves everything as it is
_PIECE: Final = 65_536


def _frame(opcode: int, payload: bytes, *, announced: int | None = None, first: int = 0) -> bytes:
    """Return a WebSocket frame.

    Args:
        announced: the size that its header names, if not that of the payload.
        first: bits of the first byte beside the opcode: final, reserved.
    """
    size = len(payload) if announced is None else announced
    return bytes((first | opcode, _MASKED | 127)) + size.to_bytes(8) + _MASK + payload


def _pieces(size: int) -> bytes:
    """Return one message of at least this size in pieces, none of which is the last."""
    piece = bytes(_PIECE)
    rest = _frame(_CONTINUED, piece) * (size // _PIECE)
    return _frame(_BINARY, piece) + rest


_HANGING: Final = 20  # connections of each sort

BENEATH: Final[Mapping[str, tuple[bytes, ...]]] = {
    "garbage": (
        bytes(range(256)) * 4,
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64),  # the beginning of TLS
        b"NO SUCH METHOD\r\n\r\n",
        _HEAD + b"Connection: close\r\n\r\n",  # asks for no WebSocket
        _UPGRADE + _frame(_TEXT, b"{}", first=_FINAL),
        _UPGRADE + _frame(_RESERVED, b"", first=_FINAL),
        _UPGRADE + _frame(_BINARY, b"", first=_FINAL | 0x70),  # reserved bits
        _UPGRADE + _frame(_PING, bytes(200), first=_FINAL),  # control frames have 125 bytes
        _UPGRADE + _frame(_CONTINUED, bytes(32), first=_FINAL),  # of nothing
        _UPGRADE + bytes((_FINAL | _BINARY, 32)) + bytes(32),  # without a mask
    ),
    "oversize": (
        _HEAD + b"X: " + b"x" * 200_000,
        _UPGRADE + _frame(_BINARY, bytes(1_000), announced=1 << 62, first=_FINAL),
        _UPGRADE + _pieces(2 * FRAME_SIZE_MAX),
    ),
    "slowloris": (
        *((b"",) * _HANGING),  # nothing at all
        *((_HEAD,) * _HANGING),  # half a request
        *((_UPGRADE + _frame(_BINARY, b"\x00", announced=32, first=_FINAL),) * _HANGING),
    ),
}
