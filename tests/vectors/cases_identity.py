"""Vectors of sections 5 and 6.1: text ids, charters, invites."""

import base64

from mycelia_protocol.charter import Charter, commons_id
from mycelia_protocol.encoding import Value, encode
from mycelia_protocol.identity import PREFIXES, SIZES, TextKind, bech32m_encode, to_text
from mycelia_protocol.invite import SCHEME, Invite, invite_digest
from vectors.suite import KEYS, TIME_MS, Json, Suite, derived, tagged

NOTES = {
    "Text": "The text form of an id.",
    "Charter": "The bytes whose hash is the id of a commons.",
    "Invite": "What a newcomer is handed.",
    "Checksum": "A text that was mistyped. Accepting it leads to somebody else's id, or nobody's.",
    "Case": "Upper case is the same id, mixed case is a mistake.",
    "Kind": "The id of something else. Accepting it confuses a key with a record.",
    "Padding": "Bits left over. Accepting them gives one id several texts.",
    "Limit": "Outside a limit of section 3.",
}
KINDS: tuple[TextKind, ...] = ("key", "record", "commons", "state", "log")
CHARTER = Charter("Riverside", KEYS["mill"], TIME_MS, derived("salt of the charter", 16))


def build() -> Suite:
    """Return the suite."""
    suite = Suite("identity", NOTES)
    _add_ids(suite)
    _add_wrong_ids(suite)
    _add_charters(suite)
    _add_invites(suite)
    return suite


def _add_ids(suite: Suite) -> None:
    for kind in KINDS:
        size = SIZES[kind]
        example = derived(f"example of a {kind}", size)
        for data in (bytes(size), b"\xff" * size, example):
            text = to_text(kind, data)
            suite.valid(f"id of a {kind}", "ID-1", _id(text, kind), _steps(kind, data), "Text")
        steps, text = _steps(kind, example), to_text(kind, example)
        suite.valid("in upper case", "ID-2", _id(text.upper(), kind), steps, "Text", "Case")
        suite.valid("of whatever kind", "ID-3", _id(text, None), steps, "Text", "Kind")


def _add_wrong_ids(suite: Suite) -> None:
    text = to_text("log", derived("example of a log", 8))
    key = to_text("key", KEYS["mill"])
    wrong = [
        ("one character replaced", text[:-1] + _other(text[-1]), "log", "ID-2", "Checksum"),
        ("a digit of the prefix replaced", "mycc" + text[4:], None, "ID-2", "Checksum"),
        (
            "two characters swapped",
            key[:20] + key[21] + key[20] + key[22:],
            "key",
            "ID-2",
            "Checksum",
        ),
        ("one character left out", key[:-1], "key", "ID-2", "Checksum"),
        ("the checksum of bech32, not bech32m", _bech32("myc", 52), "key", "ID-2", "Checksum"),
        ("a character that does not occur", text[:8] + "b" + text[9:], "log", "ID-2", "Checksum"),
        ("mixed case", "M" + text[1:], "log", "ID-2", "Case"),
        ("no separator", "myc", "key", "ID-2", "Checksum"),
        ("no prefix", key[3:], "key", "ID-2", "Checksum"),
        ("nothing", "", None, "ID-2", "Checksum"),
        ("a blank at the end", text + " ", "log", "ID-2", "Checksum"),
        ("a letter beyond ASCII", "ä" + text, None, "ID-2", "Checksum"),
        ("91 characters", bech32m_encode("myc", [0] * 81), None, "ID-2", "Limit"),
        ("a prefix of nobody's", bech32m_encode("bc", [0] * 52), None, "ID-3", "Kind"),
        ("a record where a key is asked for", to_text("record", bytes(32)), "key", "ID-3", "Kind"),
        ("a log where a key is asked for", text, "key", "ID-3", "Kind"),
        ("31 bytes", bech32m_encode("myc", [0] * 50), "key", "ID-4", "Limit"),
        ("33 bytes", bech32m_encode("myc", [0] * 53), "key", "ID-4", "Limit"),
        ("no bytes", bech32m_encode("myc", []), "key", "ID-4", "Limit"),
        (
            "a bit left over that is not zero",
            bech32m_encode("myc", [0] * 51 + [1]),
            "key",
            "ID-4",
            "Padding",
        ),
        ("a whole group left over", bech32m_encode("mycl", [0] * 14), "log", "ID-4", "Padding"),
    ]
    for comment, wrong_text, kind, req, flag in wrong:
        suite.invalid(comment, req, _id(wrong_text, kind), "text-id", "Text", flag)


def _add_charters(suite: Suite) -> None:
    names = ["Riverside", "R", "Ü" * 80]
    for name in names:
        charter = Charter(name, CHARTER.founder, CHARTER.created_ms, CHARTER.salt)
        data = charter.encode()
        steps: dict[str, Json] = {
            "name": name,
            "founder": charter.founder.hex(),
            "created_ms": str(charter.created_ms),
            "salt": charter.salt.hex(),
            "commons": commons_id(data).hex(),
            "text": to_text("commons", commons_id(data)),
        }
        suite.valid(f"name of {len(name)} characters", "", _charter(data), steps, "Charter")
    good: list[Value] = [1, "Riverside", CHARTER.founder, TIME_MS, CHARTER.salt]
    wrong: list[tuple[str, int, Value, str]] = [
        ("version 2", 0, 2, "version"),
        ("version true", 0, True, "version"),
        ("name of no characters", 1, "", "record"),
        ("name of 81 characters", 1, "n" * 81, "record"),
        ("name as bytes", 1, b"Riverside", "record"),
        ("founder of 31 bytes", 2, CHARTER.founder[:31], "record"),
        ("founder is the neutral point, for whom anybody can sign", 2, b"\1" + bytes(31), "record"),
        ("time below zero", 3, -1, "record"),
        ("time is a bool", 3, True, "record"),
        ("salt of 15 bytes", 4, CHARTER.salt[:15], "record"),
    ]
    for comment, place, value, error in wrong:
        fields = [*good[:place], value, *good[place + 1 :]]
        suite.invalid(comment, "", _charter(encode(fields)), error, "Charter")
    suite.invalid("a field more", "", _charter(encode([*good, 0])), "record", "Charter")
    suite.invalid("a field less", "", _charter(encode(good[:4])), "record", "Charter")
    wide = b"\x95\xcc\x01" + encode(good)[2:]
    suite.invalid("version as uint8", "ENC-2", _charter(wide), "encoding", "Charter")


def _add_invites(suite: Suite) -> None:
    commons, secret = CHARTER.commons, derived("secret of the invite", 16)
    addresses = ("127.0.0.1:7946", "wss://mill.example/mycelia")
    invite = Invite(commons, KEYS["mill"], secret, TIME_MS + 86_400_000, addresses)
    fields: list[Value] = [1, commons, invite.inviter, secret, invite.expires_ms, list(addresses)]
    steps: dict[str, Json] = {
        "bytes": encode(fields).hex(),
        "fields": tagged(fields),
        "digest": invite_digest(secret).hex(),
        "text": invite.to_text(),
    }
    text = invite.to_text()
    suite.valid("two addresses", "", _invite(text), steps, "Invite")
    suite.valid("broken over lines", "", _invite(f" {text[:70]}\n {text[70:]}\n"), steps, "Invite")
    wrong: list[tuple[str, int, Value, str]] = [
        ("version 2", 0, 2, "version"),
        ("version true", 0, True, "version"),
        ("end of validity is a bool", 4, True, "invite"),
        ("commons of 31 bytes", 1, commons[:31], "invite"),
        ("inviter of 33 bytes", 2, invite.inviter + b"\0", "invite"),
        ("secret of 15 bytes", 3, secret[:15], "invite"),
        ("end of validity below zero", 4, -1, "invite"),
        ("no address", 5, [], "invite"),
        ("nine addresses", 5, ["a"] * 9, "invite"),
        ("empty address", 5, [""], "invite"),
        ("address of 201 characters", 5, ["a" * 201], "invite"),
        ("address as bytes", 5, [b"a"], "invite"),
    ]
    for comment, place, value, error in wrong:
        bad = encode([*fields[:place], value, *fields[place + 1 :]])
        suite.invalid(comment, "", _invite(_text_of(bad)), error, "Invite")
    suite.invalid("cut short", "", _invite(text[:-4]), "invite", "Invite")
    suite.invalid("another scheme", "", _invite("lichen:" + text[8:]), "invite", "Invite")
    suite.invalid("not base64url", "", _invite(text[:20] + "!" + text[21:]), "invite", "Invite")
    suite.invalid("a field less", "", _invite(_text_of(encode(fields[:5]))), "invite", "Invite")


def _steps(kind: TextKind, data: bytes) -> dict[str, Json]:
    return {"kind": kind, "data": data.hex(), "text": to_text(kind, data)}


def _id(text: str, kind: str | None) -> dict[str, Json]:
    return {"op": "text-id", "text": text, "kind": kind}


def _charter(data: bytes) -> dict[str, Json]:
    return {"op": "charter", "bytes": data.hex()}


def _invite(text: str) -> dict[str, Json]:
    return {"op": "invite", "text": text}


def _text_of(data: bytes) -> str:
    return SCHEME + base64.urlsafe_b64encode(data).decode().rstrip("=")


def _other(character: str) -> str:
    """Return another character of the alphabet."""
    return "q" if character != "q" else "p"


def _bech32(prefix: str, groups: int) -> str:
    """Return a text with the checksum of the older bech32, made from one of bech32m."""
    text = bech32m_encode(prefix, [0] * groups)
    alphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
    assert prefix in PREFIXES.values()
    difference = 0x2BC830A3 ^ 1
    last = [
        alphabet[alphabet.index(character) ^ (difference >> 5 * (5 - place) & 31)]
        for place, character in enumerate(text[-6:])
    ]
    return text[:-6] + "".join(last)
