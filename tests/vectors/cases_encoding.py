"""Vectors of section 4: the one encoding of each value, and all the others."""

from mycelia_protocol.encoding import Value, encode
from vectors.suite import Json, Suite, tagged

NOTES = {
    "Map": "Maps are legal in record bodies only; `maps` says whether this is such a place.",
    "NotMinimal": "Something is written longer than it need be. Accepting it makes ids ambiguous.",
    "Type": "MessagePack has this type, Mycelia has not: readers disagree on floats and times.",
    "Order": "Map keys out of order. Accepting it makes ids ambiguous.",
    "Duplicate": "A map key twice. Readers disagree on which one counts.",
    "Range": "An integer that not every language can hold.",
    "Text": "A string that is not valid UTF-8.",
    "Limit": "At or beyond a limit of section 3.",
    "Shape": "Not exactly one whole value.",
}

VALUES: list[tuple[str, Value]] = [
    ("nil", None),
    ("false", False),
    ("true", True),
    *((f"integer {n}", n) for n in (0, 1, 127, 128, 255, 256, 65_535, 65_536)),
    *((f"integer {n}", n) for n in (2**32 - 1, 2**32, 2**53 - 1)),
    *((f"integer {n}", n) for n in (-1, -32, -33, -128, -129, -32_768, -32_769)),
    *((f"integer {n}", n) for n in (-(2**31), -(2**31) - 1, -(2**53) + 1)),
    ("empty string", ""),
    ("string of 31 bytes", "a" * 31),
    ("string of 32 bytes", "a" * 32),
    ("string of 255 bytes", "a" * 255),
    ("string of 256 bytes", "a" * 256),
    ("string of letters beyond ASCII, 7 bytes for 3 characters", "ä€é"),
    ("string with a character beyond 16 bits", "\U0001f344"),
    ("string that is not normalised stays as it is", "e\u0301"),
    ("string with a zero byte", "a\0b"),
    ("empty bytes", b""),
    ("bytes that look like text are still bytes", b"abc"),
    ("255 bytes", bytes(255)),
    ("256 bytes", bytes(256)),
    ("empty array", ()),
    ("array of 15", (0,) * 15),
    ("array of 16", (0,) * 16),
    (
        "arrays inside each other",
        (1, ("two", (b"three", (None,)))),
    ),
]
MAPS: list[tuple[str, Value]] = [
    ("empty map", {}),
    ("map of 15", {chr(97 + n): n for n in range(15)}),
    ("map of 16", {chr(97 + n): n for n in range(16)}),
    ("a shorter key is not a smaller one: aa comes before b", {"aa": 1, "b": 2}),
    ("the empty key comes first", {"": 0, "a": 1}),
    ("upper case comes before lower case", {"B": 1, "a": 2}),
    (
        "keys go by their UTF-8 bytes, not by UTF-16: U+FF5E comes before U+1F344",
        {"\uff5e": 1, "\U0001f344": 2},
    ),
    ("maps inside arrays inside maps", {"list": ({"x": 1}, {"y": (2,)})}),
]
REFUSED = [
    ("float64", "cb3ff0000000000000", "ENC-1", "Type"),
    ("float32", "ca3f800000", "ENC-1", "Type"),
    ("float64 that is a whole number, in an array", "91cb4000000000000000", "ENC-1", "Type"),
    ("not a number", "cb7ff8000000000000", "ENC-1", "Type"),
    ("extension of 1 byte", "d40500", "ENC-1", "Type"),
    ("timestamp", "d6ff65000000", "ENC-1", "Type"),
    ("integer 1 as uint8", "cc01", "ENC-2", "NotMinimal"),
    ("integer 255 as uint16", "cd00ff", "ENC-2", "NotMinimal"),
    ("integer 65535 as uint32", "ce0000ffff", "ENC-2", "NotMinimal"),
    ("integer 2^32-1 as uint64", "cf00000000ffffffff", "ENC-2", "NotMinimal"),
    ("integer 5 as int8", "d005", "ENC-2", "NotMinimal"),
    ("integer 128 as int16", "d10080", "ENC-2", "NotMinimal"),
    ("integer -1 as int8", "d0ff", "ENC-2", "NotMinimal"),
    ("integer -128 as int16", "d1ff80", "ENC-2", "NotMinimal"),
    ("integer -32768 as int64", "d3ffffffffffff8000", "ENC-2", "NotMinimal"),
    ("string of 1 byte as str8", "d90161", "ENC-2", "NotMinimal"),
    ("string of 32 bytes as str16", "da0020" + "61" * 32, "ENC-2", "NotMinimal"),
    ("1 byte as bin16", "c5000161", "ENC-2", "NotMinimal"),
    ("1 byte as bin32", "c60000000161", "ENC-2", "NotMinimal"),
    ("array of 1 as array16", "dc000100", "ENC-2", "NotMinimal"),
    ("array of 1 as array32", "dd0000000100", "ENC-2", "NotMinimal"),
    ("integer 2^53", "cf0020000000000000", "ENC-3", "Range"),
    ("integer 2^64-1", "cfffffffffffffffff", "ENC-3", "Range"),
    ("integer -2^53", "d3ffe0000000000000", "ENC-3", "Range"),
    ("integer -2^63", "d38000000000000000", "ENC-3", "Range"),
    ("byte ff in a string", "a1ff", "ENC-4", "Text"),
    ("character cut short", "a2e282", "ENC-4", "Text"),
    ("surrogate in a string", "a3eda080", "ENC-4", "Text"),
    ("overlong zero in a string", "a2c080", "ENC-4", "Text"),
    ("beyond U+10FFFF in a string", "a4f4908080", "ENC-4", "Text"),
    ("17 arrays inside each other", "91" * 16 + "90", "ENC-6", "Limit"),
    ("5000 arrays inside each other", "91" * 5_000 + "90", "ENC-6", "Limit"),
    ("array of 4097 items", "dc1001" + "00" * 4_097, "ENC-6", "Limit"),
    ("array that promises 2^32-1 items", "ddffffffff", "ENC-6", "Limit"),
    ("nothing", "", "ENC-8", "Shape"),
    ("array with an item too few", "9200", "ENC-8", "Shape"),
    ("string cut short", "a26a", "ENC-8", "Shape"),
    ("bytes that promise 2^32-1 bytes", "c6ffffffff", "ENC-8", "Shape"),
    ("integer cut short", "cd00", "ENC-8", "Shape"),
    ("reserved first byte", "c1", "ENC-8", "Shape"),
    ("two values", "0000", "ENC-8", "Shape"),
    ("a value and a byte of another", "90c4", "ENC-8", "Shape"),
]
REFUSED_MAPS = [
    ("keys out of order", "82a16200a16100", "ENC-5", "Order"),
    ("the shorter key first", "82a16200a2616100", "ENC-5", "Order"),
    ("keys out of order inside an array", "9182a16200a16100", "ENC-5", "Order"),
    ("a key twice", "82a16100a16101", "ENC-5", "Duplicate"),
    ("integer as key", "810100", "ENC-5", "Type"),
    ("bytes as key", "81c4016100", "ENC-5", "Type"),
    ("nil as key", "81c000", "ENC-5", "Type"),
    ("map of 1 as map16", "de0001a16100", "ENC-2", "NotMinimal"),
    ("map of 1 as map32", "df00000001a16100", "ENC-2", "NotMinimal"),
    ("float in a map", "81a161cb3ff0000000000000", "ENC-1", "Type"),
    ("map without its last value", "82a16100a162", "ENC-8", "Shape"),
    ("17 maps inside each other", "81a0" * 16 + "80", "ENC-6", "Limit"),
]


def build() -> Suite:
    """Return the suite."""
    suite = Suite("encoding", NOTES)
    for comment, value in VALUES:
        suite.valid(comment, "ENC-2", _in(encode(value)), {"value": tagged(value)})
    for comment, value in MAPS:
        suite.valid(
            comment, "ENC-5", _in(encode(value), maps=True), {"value": tagged(value)}, "Map"
        )
    deep = b"\x91" * 15 + b"\x90"
    nest: Value = ()
    for _ in range(15):
        nest = (nest,)
    suite.valid("16 arrays inside each other", "ENC-6", _in(deep), {"value": tagged(nest)}, "Limit")
    suite.valid("array of 4096 items", "ENC-6", _in(encode((0,) * 4_096)), {}, "Limit")
    suite.valid(
        "exactly as large as allowed", "ENC-7", _in(b"\xa1a", size_max=2), {"value": tagged("a")}
    )
    for comment, text, req, flag in REFUSED:
        suite.invalid(comment, req, _in(bytes.fromhex(text)), "encoding", flag)
    suite.invalid(
        "a byte more than allowed", "ENC-7", _in(b"\xa2ab", size_max=2), "encoding", "Limit"
    )
    suite.invalid("map where none is legal", "ENC-1", _in(b"\x80"), "encoding", "Map")
    nested = _in(b"\x91\x81\xa1a\x00")
    suite.invalid("map in an array where none is legal", "ENC-1", nested, "encoding", "Map")
    for comment, text, req, flag in REFUSED_MAPS:
        suite.invalid(comment, req, _in(bytes.fromhex(text), maps=True), "encoding", "Map", flag)
    return suite


def _in(data: bytes, *, maps: bool = False, size_max: int = 1_048_576) -> dict[str, Json]:
    return {"bytes": data.hex(), "maps": maps, "size_max": size_max}
