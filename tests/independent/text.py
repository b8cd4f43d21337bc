"""Text ids (section 5), charters (6.1) and invites (9.6)."""

import base64
import binascii
import re

from independent.keys import h, is_large
from independent.wire import LARGEST, Refused, decode

LETTERS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
KINDS = {
    "myc": ("key", 32),
    "mycr": ("record", 32),
    "mycc": ("commons", 32),
    "mycs": ("state", 32),
    "mycl": ("log", 8),
}


def checksum(numbers: list[int]) -> int:
    """Return the BCH remainder of BIP-173."""
    total = 1
    for number in numbers:
        carry = total >> 25
        total = ((total & 0x1FFFFFF) << 5) ^ number
        for shift, term in enumerate([0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3]):
            total ^= term * (carry >> shift & 1)
    return total


def spread(name: str) -> list[int]:
    """Return a prefix as BIP-173 feeds it to the checksum."""
    return [ord(c) >> 5 for c in name] + [0] + [ord(c) & 31 for c in name]


def write_id(kind: str, data: bytes) -> str:
    """Return the text of an id."""
    name = next(name for name, row in KINDS.items() if row[0] == kind)
    bits = "".join(f"{byte:08b}" for byte in data)
    bits += "0" * (-len(bits) % 5)
    groups = [int(bits[at : at + 5], 2) for at in range(0, len(bits), 5)]
    total = checksum(spread(name) + groups + [0] * 6) ^ 0x2BC830A3
    groups += [(total >> shift) & 31 for shift in (25, 20, 15, 10, 5, 0)]
    return f"{name}1{''.join(LETTERS[group] for group in groups)}"


def read_id(text: str, wanted: str | None) -> tuple[str, bytes]:
    """Return kind and bytes of a text id."""
    if text not in (text.lower(), text.upper()) or len(text) > 90:
        raise Refused("text-id", "case or length")
    found = re.fullmatch(f"([!-~]+)1([{LETTERS}]{{6,}})", text.lower())
    if not found:
        raise Refused("text-id", "shape")
    name, groups = found[1], [LETTERS.index(letter) for letter in found[2]]
    if checksum(spread(name) + groups) != 0x2BC830A3:
        raise Refused("text-id", "checksum")
    kind, size = KINDS.get(name, ("", 0))
    if not kind or (wanted and kind != wanted):
        raise Refused("text-id", "prefix")
    bits = "".join(f"{group:05b}" for group in groups[:-6])
    if not len(bits) - 5 < size * 8 <= len(bits) or "1" in bits[size * 8 :]:
        raise Refused("text-id", "size or padding")
    return kind, bytes(int(bits[at : at + 8], 2) for at in range(0, size * 8, 8))


def is_integer(value: object, least: int = 0, most: int = LARGEST) -> bool:
    """Say whether a value is an integer, not a bool, within bounds."""
    return type(value) is int and least <= value <= most


def is_bytes(value: object, size: int) -> bool:
    """Say whether a value is bytes of one size."""
    return isinstance(value, bytes) and len(value) == size


def is_text(value: object, least: int, most: int) -> bool:
    """Say whether a value is text of so many code points."""
    return isinstance(value, str) and least <= len(value) <= most


def read_charter(data: bytes) -> tuple[list[object], bytes]:
    """Return a charter's fields and the id of the commons."""
    fields = decode(data)
    if not isinstance(fields, list) or len(fields) != 5:
        raise Refused("record", "shape")
    version, name, founder, created, salt = fields
    if not is_integer(version, 1, 1):
        raise Refused("version")
    if not (is_text(name, 1, 80) and isinstance(founder, bytes) and is_large(founder)):
        raise Refused("record", "name or founder")
    if not (is_integer(created) and is_bytes(salt, 16)):
        raise Refused("record", "time or salt")
    return fields, h("commons", data)


def read_invite(text: str) -> tuple[list[object], bytes]:
    """Return an invite's fields and its bytes."""
    text = re.sub(r"\s", "", text)
    if not re.fullmatch(r"mycelia:[A-Za-z0-9_-]+", text):
        raise Refused("invite", "shape")
    try:
        data = base64.urlsafe_b64decode(text[8:] + "=" * (-len(text[8:]) % 4))
        fields = decode(data, 2_048)
    except (binascii.Error, Refused):
        raise Refused("invite", "damaged") from None
    if not isinstance(fields, list) or not fields:
        raise Refused("invite", "shape")
    if not is_integer(fields[0], 1, 1):
        raise Refused("version")
    if (
        len(fields) != 6
        or [is_bytes(*row) for row in zip(fields[1:4], (32, 32, 16), strict=True)] != [True] * 3
    ):
        raise Refused("invite", "fields")
    addresses = fields[5]
    if not is_integer(fields[4]) or not isinstance(addresses, list) or not 1 <= len(addresses) <= 8:
        raise Refused("invite", "fields")
    if not all(is_text(address, 1, 200) for address in addresses):
        raise Refused("invite", "address")
    return fields, data
