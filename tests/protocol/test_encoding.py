"""Canonical MessagePack: what is accepted, what is refused, and by which requirement."""

import enum
import os
import subprocess
import sys

import pytest

from mycelia_protocol.encoding import Value, decode, encode
from mycelia_protocol.errors import EncodingError, LimitExceeded, LocalError
from mycelia_protocol.limits import DEPTH_MAX, FRAME_SIZE_MAX, INT_MAX, LENGTH_MAX


class Number(enum.IntEnum):
    """An enum as the code that sends frames uses it."""

    ONE = 1


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "c0"),
        (False, "c2"),
        (True, "c3"),
        (0, "00"),
        (127, "7f"),
        (128, "cc80"),
        (256, "cd0100"),
        (65_536, "ce00010000"),
        (2**32, "cf0000000100000000"),
        (INT_MAX, "cf001fffffffffffff"),
        (-1, "ff"),
        (-32, "e0"),
        (-33, "d0df"),
        (-129, "d1ff7f"),
        (-32_769, "d2ffff7fff"),
        (-(2**31) - 1, "d3ffffffff7fffffff"),
        (-INT_MAX, "d3ffe0000000000001"),
        ("", "a0"),
        ("häuschen", "a968c3a475736368656e"),
        ("a" * 32, "d920" + "61" * 32),
        (b"", "c400"),
        (b"\x00\xff", "c40200ff"),
        (b"a" * 256, "c50100" + "61" * 256),
        ((), "90"),
        ((1, (2, "x")), "92019202a178"),
    ],
)
def test_each_value_has_one_encoding(value: Value, text: str) -> None:
    """The bytes of a value are those of the table, and they decode to the value."""
    assert encode(value).hex() == text
    assert decode(bytes.fromhex(text)) == value


def test_arrays_are_given_back_as_tuples() -> None:
    """A list and a tuple have the same bytes, which decode to tuples all the way down."""
    assert encode([1, [2]]) == encode((1, (2,)))
    assert decode(encode([1, [2]])) == (1, (2,))


def test_map_keys_are_put_in_order() -> None:
    """Keys come out sorted by their UTF-8 bytes, at every level, however they went in."""
    value: Value = {"b": 1, "aa": {"z": 1, "y": 2}, "é": [{"d": 1, "c": 2}], "": None}
    data = encode(value)
    assert data.hex().startswith("84a0c0a26161")
    assert decode(data, maps=True) == {
        "": None,
        "aa": {"y": 2, "z": 1},
        "b": 1,
        "é": ({"c": 2, "d": 1},),
    }


def test_enums_are_their_values() -> None:
    """Subclasses of int encode as the integer that they are."""
    assert encode([Number.ONE]) == encode([1])


def test_bool_and_int_stay_apart() -> None:
    """True does not come back as 1, nor 1 as true."""
    assert decode(b"\xc3") is True
    assert type(decode(b"\x01")) is int


REFUSED = [
    ("float64", "cb3ff0000000000000", "ENC-1"),
    ("float32 inside an array", "91ca00000000", "ENC-1"),
    ("extension", "d40500", "ENC-1"),
    ("timestamp", "d6ff00000000", "ENC-1"),
    ("map", "81a16101", "ENC-1"),
    ("empty map", "80", "ENC-1"),
    ("wide 1", "cc01", "ENC-2"),
    ("wide 255", "cd00ff", "ENC-2"),
    ("signed form of a positive number", "d005", "ENC-2"),
    ("wide negative number", "d1ffff", "ENC-2"),
    ("wide string header", "d90161", "ENC-2"),
    ("wide bytes header", "c5000161", "ENC-2"),
    ("wide array header", "dc000101", "ENC-2"),
    ("2^53", "cf0020000000000000", "ENC-3"),
    ("-2^53", "d3ffe0000000000000", "ENC-3"),
    ("2^64-1", "cfffffffffffffffff", "ENC-3"),
    ("lone byte ff in a string", "a1ff", "ENC-4"),
    ("surrogate in a string", "a3eda080", "ENC-4"),
    ("overlong zero in a string", "a2c080", "ENC-4"),
    ("beyond U+10FFFF in a string", "a4f4908080", "ENC-4"),
    ("17 arrays inside each other", "91" * 16 + "90", "ENC-6"),
    ("2000 arrays inside each other", "91" * 2_000 + "c0", "ENC-6"),
    ("an array of 4097 items", "dc1001" + "c0" * 4_097, "ENC-6"),
    ("an array that promises 2^32-1 items", "ddffffffff", "ENC-6"),
    ("nothing", "", "ENC-8"),
    ("an array cut short", "92c0", "ENC-8"),
    ("bytes cut short", "c403", "ENC-8"),
    ("bytes that promise 2^32-1", "c6ffffffff", "ENC-8"),
    ("reserved byte", "c1", "ENC-8"),
    ("two values", "c0c0", "ENC-8"),
]


@pytest.mark.parametrize(
    ("text", "requirement"), [r[1:] for r in REFUSED], ids=[r[0] for r in REFUSED]
)
def test_other_bytes_are_refused(text: str, requirement: str) -> None:
    """Each way to leave the canonical form is refused, with the requirement that it breaks."""
    with pytest.raises(EncodingError) as caught:
        decode(bytes.fromhex(text))
    assert caught.value.requirement == requirement
    assert caught.value.code == "encoding"


@pytest.mark.parametrize(
    ("text", "requirement"),
    [
        ("82a16101a16102", "ENC-5"),
        ("82a16201a16102", "ENC-5"),
        ("82a162c0a26161c0", "ENC-5"),
        ("8101c0", "ENC-5"),
        ("81c40161c0", "ENC-5"),
        ("819000", "ENC-5"),
        ("de0001a161c0", "ENC-2"),
        ("9182a16101a16101", "ENC-5"),
    ],
    ids=["twice", "unsorted", "longer-first", "int", "bin", "array", "wide", "inside"],
)
def test_maps_are_strict_where_they_are_legal(text: str, requirement: str) -> None:
    """Where maps are legal, keys are strings that strictly increase, and headers are shortest."""
    with pytest.raises(EncodingError) as caught:
        decode(bytes.fromhex(text), maps=True)
    assert caught.value.requirement == requirement


def test_bounds_are_inclusive() -> None:
    """What is exactly as large, deep, or long as allowed is accepted."""
    deep = b"\x91" * (DEPTH_MAX - 1) + b"\x90"
    assert encode(decode(deep)) == deep
    assert decode(encode([0] * LENGTH_MAX)) == (0,) * LENGTH_MAX
    assert decode(b"\xc4\x01a", size_max=3) == b"a"
    with pytest.raises(EncodingError, match="3 bytes where 2"):
        decode(b"\xc4\x01a", size_max=2)
    with pytest.raises(EncodingError, match="more than 0"):
        decode(b"\x90", depth_max=0)
    assert decode(b"\x00", depth_max=0) == 0


@pytest.mark.parametrize(
    "unit",
    [b"\xdd\x00\x00\x10\x00", b"\xdc\x10\x00", b"\xdf\x00\x00\x10\x00\xa0", b"\x91", b"\x81\xa0"],
)
@pytest.mark.parametrize("maps", [False, True])
def test_nesting_bombs_only_raise_encoding_errors(unit: bytes, maps: bool) -> None:
    """A frame full of nested promises costs an EncodingError, neither memory nor the stack."""
    for count in (20, 1_000, 1_024, 1_025, FRAME_SIZE_MAX // len(unit)):
        with pytest.raises(EncodingError):
            decode(unit * count, maps=maps)
        with pytest.raises(EncodingError):
            decode((unit * count).ljust(FRAME_SIZE_MAX, b"\0"), maps=maps)


def _itself() -> list[object]:
    """Return a list that holds itself."""
    loop: list[object] = []
    loop.append(loop)
    return loop


@pytest.mark.parametrize("value", [2**53, -(2**53), [2**64], [[]] * 3 + [[[[[]]]]], _itself()])
def test_too_much_to_encode_is_a_limit(value: object) -> None:
    """Integers and nesting over the limits are refused before anything is written."""
    nested = value
    for _ in range(DEPTH_MAX - 3):
        nested = [nested]
    with pytest.raises(LimitExceeded):
        encode(nested)  # type: ignore[arg-type]  # wrong on purpose


@pytest.mark.parametrize(
    "value",
    [
        1.0,
        float("nan"),
        "\ud800",
        bytearray(b"a"),
        memoryview(b"a"),
        {1: 2},
        {b"a": 1},
        object(),
        {1},
    ],
)
def test_what_has_no_encoding_is_our_own_mistake(value: object) -> None:
    """A value outside the profile raises LocalError, alone or deep inside."""
    for outer in (value, [[value]], {"a": [value]}):
        with pytest.raises(LocalError):
            encode(outer)  # type: ignore[arg-type]  # wrong on purpose


IN_THREADS = """
import sys
from concurrent.futures import ThreadPoolExecutor
from mycelia_protocol.encoding import decode, encode

sys.setswitchinterval(1e-6)

def again(number):
    for each in range(200):
        data = encode([number, each, "text", bytes(40), [each] * 10])
        assert encode(decode(data)) == data

with ThreadPoolExecutor(4) as threads:
    list(threads.map(again, range(8)))
"""


@pytest.mark.parametrize("is_compiled", [True, False])
def test_threads_may_decode_at_the_same_time(is_compiled: bool) -> None:
    """Also where `msgpack` came without its compiled part, and changes threads in mid-value."""
    subprocess.run(
        [sys.executable, "-c", IN_THREADS],
        env={**os.environ, "MSGPACK_PUREPYTHON": "" if is_compiled else "1"},
        check=True,
        timeout=60,
    )
