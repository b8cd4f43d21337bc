"""Laws of the canonical encoding, over values and bytes that Hypothesis makes up."""

import random

from hypothesis import example, given
from hypothesis import strategies as st

from mycelia_protocol.encoding import Value, decode, encode
from mycelia_protocol.errors import EncodingError
from mycelia_protocol.limits import INT_MAX

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-INT_MAX, INT_MAX)
    | st.sampled_from([2**n + d for n in (5, 7, 8, 15, 16, 31, 32, 52) for d in (-1, 0, 1)])
    | st.text(max_size=40)
    | st.binary(max_size=300)
)
VALUES: st.SearchStrategy[Value] = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=20).map(tuple)
        | st.dictionaries(st.text(max_size=8), inner, max_size=20)
    ),
    max_leaves=25,
)
# Bytes that begin like MessagePack get deeper into the decoder than noise does.
FORMATS = st.sampled_from([bytes([n]) for n in (*range(0x7C, 0xA8), *range(0xC0, 0x100))])
NOISE = st.lists(FORMATS | st.binary(max_size=6), max_size=30).map(b"".join) | st.binary()


@given(VALUES)
def test_what_is_encoded_decodes_to_itself(value: Value) -> None:
    """decode(encode(x)) == x, with the same types."""
    result = decode(encode(value), maps=True)
    assert result == value
    assert encode(result) == encode(value)


@given(VALUES, st.randoms(use_true_random=False))
def test_the_order_of_keys_does_not_matter(value: Value, rng: random.Random) -> None:
    """Maps that are equal have the same bytes."""
    if isinstance(value, dict):
        keys = list(value)
        rng.shuffle(keys)
        assert encode({key: value[key] for key in keys}) == encode(value)


@given(NOISE)
@example(b"\xc1")
@example(b"\xdd\xff\xff\xff\xff")
def test_any_bytes_are_canonical_or_refused(data: bytes) -> None:
    """Bytes either raise EncodingError or are the very encoding of the value they give."""
    for maps in (False, True):
        try:
            value = decode(data, maps=maps)
        except EncodingError:
            continue
        assert encode(value) == data


@given(VALUES, st.data())
def test_damaged_bytes_are_canonical_or_refused(value: Value, draw: st.DataObject) -> None:
    """One changed, added or missing byte never raises anything but EncodingError."""
    data = bytearray(encode(value))
    at = draw.draw(st.integers(0, len(data) - 1))
    data[at : at + draw.draw(st.integers(0, 1))] = draw.draw(st.binary(max_size=1))
    try:
        decoded = decode(bytes(data), maps=True)
    except EncodingError:
        return
    assert encode(decoded) == data


@given(VALUES, VALUES)
def test_different_values_have_different_bytes(one: Value, other: Value) -> None:
    """encode(x) == encode(y) only if decoding them gives the same."""
    same = encode(one) == encode(other)
    assert same == (_typed(one) == _typed(other))


def _typed(value: Value) -> object:
    """Return `value` with types written beside scalars, since True == 1 in Python."""
    if isinstance(value, tuple):
        return ("array", *map(_typed, value))
    if isinstance(value, dict):
        return ("map", *((key, _typed(value[key])) for key in sorted(value)))
    return (type(value).__name__, value)
