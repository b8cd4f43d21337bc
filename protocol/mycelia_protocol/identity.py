"""Ids as people see them: bech32m text with a prefix that names the kind.

A key reads `myc1...`, a record `mycr1...`. The checksum catches any four mistyped characters,
the prefix catches the right text in the wrong place, and upper case makes small QR codes.

Spec: section 5, requirements ID-1 .. ID-4. Source: BIP-350 and BIP-173.
"""

import functools
import operator
from types import MappingProxyType
from typing import Final, Literal, TypeAlias, get_args

from mycelia_protocol.errors import LocalError, TextIdError

TextKind: TypeAlias = Literal["key", "record", "commons", "state", "log"]

PREFIXES: Final = MappingProxyType(
    {"key": "myc", "record": "mycr", "commons": "mycc", "state": "mycs", "log": "mycl"}
)
SIZES: Final = MappingProxyType(
    {"key": 32, "record": 32, "commons": 32, "state": 32, "log": 8}
)  # bytes

TEXT_SIZE_MAX: Final = 90  # characters; beyond, the checksum guarantees less
_ALPHABET: Final = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_VALUES: Final = {character: value for value, character in enumerate(_ALPHABET)}
_CHECKSUM_CONSTANT: Final = 0x2BC830A3  # what sets bech32m apart from bech32
_CHECKSUM_SIZE: Final = 6  # characters
_GENERATOR: Final = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)


def _reduction(top: int) -> int:
    """Return what the five bits that a step shifts out add to the remainder."""
    terms = (term for bit, term in enumerate(_GENERATOR) if top >> bit & 1)
    return functools.reduce(operator.xor, terms, 0)


_REDUCTIONS: Final = tuple(_reduction(top) for top in range(32))


def to_text(kind: TextKind, data: bytes) -> str:
    """Return the text form of an id.

    Raises:
        LocalError: `data` does not have the size of this kind.

    Spec: section 5, ID-1.
    """
    if len(data) != SIZES[kind]:
        raise LocalError(f"a {kind} id has {SIZES[kind]} bytes, not {len(data)}")
    return bech32m_encode(PREFIXES[kind], _regroup(data, 8, 5))


def from_text(text: str, kind: TextKind | None = None) -> bytes:
    """Return the bytes of the id that `text` stands for, of `kind` or, if None, of any kind.

    Raises:
        TextIdError: code "text-id"; the text was mistyped, or is an id of another kind.

    Spec: section 5, ID-2 .. ID-4.
    """
    return parse_text(text, kind)[1]


def parse_text(text: str, kind: TextKind | None = None) -> tuple[TextKind, bytes]:
    """Return the kind and the bytes of the id that `text` stands for; see `from_text`."""
    prefix, groups = bech32m_decode(text)
    found = _kind_of_prefix(prefix)
    if found is None:
        raise TextIdError(f"{prefix!r} is not the prefix of any id", requirement="ID-3")
    if kind is not None and found != kind:
        raise TextIdError(f"this is the id of a {found}, not of a {kind}", requirement="ID-3")
    data = _bytes_of_groups(groups)
    if len(data) != SIZES[found]:
        message = f"a {found} id has {SIZES[found]} bytes, this one {len(data)}"
        raise TextIdError(message, requirement="ID-4")
    return found, data


def bech32m_encode(prefix: str, groups: list[int]) -> str:
    """Return `prefix`, the separator, `groups` of 5 bits and the checksum as one bech32m string."""
    remainder = _remainder(_expand(prefix) + groups + [0] * _CHECKSUM_SIZE) ^ _CHECKSUM_CONSTANT
    checksum = [remainder >> 5 * (5 - index) & 31 for index in range(_CHECKSUM_SIZE)]
    return prefix + "1" + "".join(_ALPHABET[group] for group in groups + checksum)


def bech32m_decode(text: str) -> tuple[str, list[int]]:
    """Return the prefix and the groups of 5 bits of a bech32m string, without its checksum.

    Raises:
        TextIdError: code "text-id"; not a bech32m string.

    Spec: section 5, ID-2.
    """
    if len(text) > TEXT_SIZE_MAX:
        raise _malformed(f"longer than {TEXT_SIZE_MAX} characters")
    if not all(33 <= ord(character) <= 126 for character in text):
        raise _malformed("it has a character that is not printable ASCII")
    if text.lower() != text and text.upper() != text:
        raise _malformed("upper and lower case are mixed")
    prefix, separator, rest = text.lower().rpartition("1")
    if not separator or not prefix:
        raise _malformed("there is no prefix")
    if len(rest) < _CHECKSUM_SIZE:
        raise _malformed("it is cut short")
    unknown = next((character for character in rest if character not in _VALUES), None)
    if unknown is not None:
        raise _malformed(f"{unknown!r} does not occur in ids")
    groups = [_VALUES[character] for character in rest]
    if _remainder(_expand(prefix) + groups) != _CHECKSUM_CONSTANT:
        raise _malformed("the checksum does not fit, so a character is wrong")
    return prefix, groups[:-_CHECKSUM_SIZE]


def _expand(prefix: str) -> list[int]:
    """Spread the prefix for the checksum: all high bits, a zero, all low bits."""
    codes = prefix.encode("ascii")
    return [code >> 5 for code in codes] + [0] + [code & 31 for code in codes]


def _remainder(groups: list[int]) -> int:
    """Return the remainder of `groups`, a polynomial over GF(32), by the generator of the code."""
    remainder = 1
    for group in groups:
        remainder = (remainder & 0x1FFFFFF) << 5 ^ group ^ _REDUCTIONS[remainder >> 25]
    return remainder


def _regroup(data: bytes | list[int], size_from: int, size_to: int) -> list[int]:
    """Cut a string of bits in groups of one size into groups of another, zeros at the end."""
    bits = len(data) * size_from
    number = 0
    for group in data:
        number = number << size_from | group
    padding = -bits % size_to
    number <<= padding
    count = (bits + padding) // size_to
    mask = (1 << size_to) - 1
    return [number >> size_to * (count - 1 - index) & mask for index in range(count)]


def _bytes_of_groups(groups: list[int]) -> bytes:
    """Join groups of 5 bits to bytes; what is left over must be fewer than 5 bits, all zero."""
    size, left_over = divmod(len(groups) * 5, 8)
    data = _regroup(groups, 5, 8)[:size]
    if left_over >= 5 or _regroup(bytes(data), 8, 5) != groups:
        raise TextIdError("the id has bits left over at its end", requirement="ID-4")
    return bytes(data)


def _kind_of_prefix(prefix: str) -> TextKind | None:
    """Return the kind whose ids begin with `prefix`, or None."""
    kinds: tuple[TextKind, ...] = get_args(TextKind)
    return next((kind for kind in kinds if PREFIXES[kind] == prefix), None)


def _malformed(reason: str) -> TextIdError:
    return TextIdError(f"not an id: {reason}", requirement="ID-2")
