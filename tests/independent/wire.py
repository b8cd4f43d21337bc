"""Section 4: a decoder that goes byte by byte and stops at the first that is not canonical."""

LARGEST = 9_007_199_254_740_991
DEEPEST = 16
LONGEST = 4_096
FRAME = 1_048_576
# First bytes after which a length follows: how many bytes it has, and the least that needs so many.
BIN = {0xC4: (1, 0), 0xC5: (2, 0x100), 0xC6: (4, 0x10000)}
STR = {0xD9: (1, 32), 0xDA: (2, 0x100), 0xDB: (4, 0x10000)}
ARRAY = {0xDC: (2, 16), 0xDD: (4, 0x10000)}
MAP = {0xDE: (2, 16), 0xDF: (4, 0x10000)}


class Refused(Exception):
    """A reader must not take this; `code` is the word of appendix C.1."""

    def __init__(self, code: str, why: str = "") -> None:
        super().__init__(f"{code}: {why}")
        self.code = code


class Cursor:
    """A place in some bytes."""

    def __init__(self, data: bytes, maps: bool) -> None:
        self.data = data
        self.maps = maps
        self.at = 0

    def take(self, count: int) -> bytes:
        """Return the next bytes and step over them."""
        piece = self.data[self.at : self.at + count]
        if len(piece) != count:
            raise Refused("encoding", "cut short")
        self.at += count
        return piece

    def number(self, width: int) -> int:
        """Return the next big-endian unsigned number."""
        return int.from_bytes(self.take(width), "big")


def decode(data: bytes, limit: int = FRAME, maps: bool = False) -> object:
    """Return the only value that these bytes are."""
    if len(data) > limit:
        raise Refused("encoding", "too many bytes")
    cursor = Cursor(data, maps)
    value = _value(cursor, 0)
    if cursor.at != len(data):
        raise Refused("encoding", "more bytes")
    return value


def _value(cursor: Cursor, depth: int) -> object:
    first = cursor.number(1)
    if first < 0x80:
        return first
    if first >= 0xE0:
        return first - 0x100
    if first < 0x90:
        return _map(cursor, first - 0x80, depth)
    if first < 0xA0:
        return _array(cursor, first - 0x90, depth)
    if first < 0xC0:
        return _text(cursor, first - 0xA0)
    if first in (0xC0, 0xC2, 0xC3):
        return {0xC0: None, 0xC2: False, 0xC3: True}[first]
    if first in BIN:
        return cursor.take(_length(cursor, *BIN[first]))
    if 0xCC <= first <= 0xCF:
        return _unsigned(cursor, first - 0xCC)
    if 0xD0 <= first <= 0xD3:
        return _signed(cursor, first - 0xD0)
    if first in STR:
        return _text(cursor, _length(cursor, *STR[first]))
    if first in ARRAY:
        return _array(cursor, _length(cursor, *ARRAY[first]), depth)
    if first in MAP:
        return _map(cursor, _length(cursor, *MAP[first]), depth)
    raise Refused("encoding", f"first byte {first:02x}")


def _length(cursor: Cursor, width: int, least: int) -> int:
    """Read a length that would not fit into a shorter form."""
    length = cursor.number(width)
    if length < least:
        raise Refused("encoding", "longer than need be")
    return length


def _unsigned(cursor: Cursor, power: int) -> int:
    number = cursor.number(1 << power)
    if number < (0x80, 0x100, 0x10000, 0x1_0000_0000)[power] or number > LARGEST:
        raise Refused("encoding", "longer than need be, or too large")
    return number


def _signed(cursor: Cursor, power: int) -> int:
    number = int.from_bytes(cursor.take(1 << power), "big", signed=True)
    if number >= (-0x20, -0x80, -0x8000, -0x8000_0000)[power] or number < -LARGEST:
        raise Refused("encoding", "longer than need be, or too small")
    return number


def _text(cursor: Cursor, length: int) -> str:
    try:
        return cursor.take(length).decode("utf-8")
    except UnicodeDecodeError:
        raise Refused("encoding", "no UTF-8") from None


def _array(cursor: Cursor, length: int, depth: int) -> list[object]:
    _check_container(length, depth)
    return [_value(cursor, depth + 1) for _ in range(length)]


def _map(cursor: Cursor, length: int, depth: int) -> dict[str, object]:
    if not cursor.maps:
        raise Refused("encoding", "a map")
    _check_container(length, depth)
    found: dict[str, object] = {}
    before: bytes | None = None
    for _ in range(length):
        key = _value(cursor, depth + 1)
        if not isinstance(key, str):
            raise Refused("encoding", "a key that is no string")
        if before is not None and key.encode() <= before:
            raise Refused("encoding", "keys out of order")
        before = key.encode()
        found[key] = _value(cursor, depth + 1)
    return found


def _check_container(length: int, depth: int) -> None:
    if length > LONGEST or depth >= DEEPEST:
        raise Refused("encoding", "too long or too deep")


def encode(value: object) -> bytes:
    """Return the bytes of a value."""
    if value is None:
        return b"\xc0"
    if isinstance(value, bool):
        return b"\xc3" if value else b"\xc2"
    if isinstance(value, int):
        return _encode_number(value)
    if isinstance(value, str):
        raw = value.encode()
        return _head(len(raw), 0xA0, 32, (0xD9, 0xDA, 0xDB)) + raw
    if isinstance(value, bytes):
        return _head(len(value), 0, 0, (0xC4, 0xC5, 0xC6)) + value
    if isinstance(value, list):
        return _head(len(value), 0x90, 16, (None, 0xDC, 0xDD)) + b"".join(map(encode, value))
    assert isinstance(value, dict)
    pairs = sorted((key.encode(), key) for key in value)
    body = b"".join(encode(key) + encode(value[key]) for _, key in pairs)
    return _head(len(pairs), 0x80, 16, (None, 0xDE, 0xDF)) + body


def _head(length: int, small: int, below: int, codes: tuple[int | None, ...]) -> bytes:
    if length < below:
        return bytes([small + length])
    for power, code in enumerate(codes):
        if code is not None and length < 1 << (8 << power):
            return bytes([code]) + length.to_bytes(1 << power, "big")
    raise AssertionError("too long")


def _encode_number(number: int) -> bytes:
    if -0x20 <= number < 0x80:
        return bytes([number & 0xFF])
    for power in range(4):
        width = 1 << power
        if number >= 0 and number < 1 << 8 * width:
            return bytes([0xCC + power]) + number.to_bytes(width, "big")
        if number < 0 and -number <= 1 << 8 * width - 1:
            return bytes([0xD0 + power]) + number.to_bytes(width, "big", signed=True)
    raise AssertionError("too large")
