"""Text ids: bech32m after BIP-350, with a prefix for each kind."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mycelia_protocol.errors import LocalError, TextIdError
from mycelia_protocol.identity import (
    PREFIXES,
    SIZES,
    TextKind,
    bech32m_decode,
    bech32m_encode,
    from_text,
    parse_text,
    to_text,
)

KINDS: list[TextKind] = ["key", "record", "commons", "state", "log"]

# Both lists: BIP-350, "Test vectors for Bech32m".
PUBLISHED_VALID = [
    "A1LQFN3A",
    "a1lqfn3a",
    "an83characterlonghumanreadablepartthatcontainsthetheexcludedcharactersbioandnumber11sg7hg6",
    "abcdef1l7aum6echk45nj3s0wdvt2fg8x9yrzpqzd3ryx",
    "11" + "l" * 83 + "udsr8",
    "split1checkupstagehandshakeupstreamerranterredcaperredlc445v",
    "?1v759aa",
]
PUBLISHED_INVALID = {
    "\x201xj0phk": "printable",
    "\x7f1g6xzxy": "printable",
    "\x801vctc34": "printable",
    "an84characterslonghumanreadablepartthatcontainsthetheexcludedcharactersbioandnumber1"
    "1d6pts4": "longer",
    "qyrz8wqd2c9m": "no prefix",
    "1qyrz8wqd2c9m": "no prefix",
    "y1b0jsk6g": "'b' does not occur",
    "lt1igcx5c0": "'i' does not occur",
    "in1muywd": "cut short",
    "mm1crxm3i": "'i' does not occur",
    "au1s5cgom": "'o' does not occur",
    "M1VUXWEZ": "checksum",
    "16plkw9": "no prefix",
    "1p2gdwpf": "no prefix",
}


@pytest.mark.parametrize("text", PUBLISHED_VALID)
def test_published_strings_decode_and_encode(text: str) -> None:
    """Each valid string of BIP-350 decodes, and encoding the result gives it back."""
    prefix, groups = bech32m_decode(text)
    assert bech32m_encode(prefix, groups) == text.lower()


@pytest.mark.parametrize(("text", "reason"), PUBLISHED_INVALID.items())
def test_published_faults_are_found(text: str, reason: str) -> None:
    """Each invalid string of BIP-350 is refused, for the reason that the BIP states."""
    with pytest.raises(TextIdError, match=reason):
        bech32m_decode(text)


@pytest.mark.parametrize("text", ["a12uel5l", "A12UEL5L", "?1ezyfcl"])
def test_the_older_checksum_is_refused(text: str) -> None:
    """A bech32 string of BIP-173 is no bech32m string."""
    with pytest.raises(TextIdError, match="checksum"):
        bech32m_decode(text)


@given(st.sampled_from(KINDS), st.binary(min_size=32, max_size=32))
def test_ids_come_back_from_their_text(kind: TextKind, data: bytes) -> None:
    """Every id survives its text form, in lower and in upper case, and says its kind."""
    data = data[: SIZES[kind]]
    text = to_text(kind, data)
    assert text.startswith(PREFIXES[kind] + "1")
    assert from_text(text) == from_text(text.upper(), kind) == data
    assert parse_text(text) == (kind, data)


@given(st.binary(min_size=32, max_size=32), st.data())
def test_up_to_four_typing_errors_are_always_found(data: bytes, draw: st.DataObject) -> None:
    """Any one to four changed characters after the prefix are noticed."""
    text = to_text("key", data)
    places = draw.draw(st.sets(st.integers(4, len(text) - 1), min_size=1, max_size=4))
    changed = list(text)
    for place in sorted(places):
        letters = [letter for letter in "qpzry9x8gf2tvdw0s3jn54khce6mua7l" if letter != text[place]]
        changed[place] = draw.draw(st.sampled_from(letters))
    with pytest.raises(TextIdError, match="checksum"):
        from_text("".join(changed))


@given(st.text(max_size=100) | st.text("qpzry1mycMYC", max_size=70))
def test_no_text_raises_anything_else(text: str) -> None:
    """Whatever is typed gives an id or a TextIdError, never another exception."""
    try:
        data = from_text(text)
    except TextIdError:
        return
    assert len(data) in SIZES.values()


def test_an_id_of_another_kind_is_named() -> None:
    """A record's id where a key is asked for is refused, and the message names both."""
    text = to_text("record", bytes(32))
    with pytest.raises(TextIdError, match="the id of a record, not of a key") as caught:
        from_text(text, "key")
    assert caught.value.requirement == "ID-3"
    assert caught.value.code == "text-id"


def test_a_foreign_prefix_is_refused() -> None:
    """A string that is right but belongs to something else is no id."""
    with pytest.raises(TextIdError, match="'bc' is not the prefix") as caught:
        from_text(bech32m_encode("bc", [0] * 52))
    assert caught.value.requirement == "ID-3"


@pytest.mark.parametrize(
    ("groups", "reason"),
    [
        ([0] * 50, "32 bytes, this one 31"),
        ([0] * 53, "32 bytes, this one 33"),
        ([0] * 51 + [1], "left over"),
        ([0] * 51 + [8], "left over"),
        ([0] * 54, "left over"),
        ([], "this one 0"),
    ],
)
def test_size_and_padding_are_exact(groups: list[int], reason: str) -> None:
    """An id has exactly its bytes: no more, no fewer, and zero bits to fill up."""
    with pytest.raises(TextIdError, match=reason) as caught:
        from_text(bech32m_encode("myc", groups))
    assert caught.value.requirement == "ID-4"


def test_case_may_not_be_mixed() -> None:
    """One capital in lower case is refused, as BIP-173 asks."""
    text = to_text("log", bytes(8))
    with pytest.raises(TextIdError, match="mixed"):
        from_text(text[:-1] + text[-1].upper() if text[-1].isalpha() else "M" + text[1:])


def test_writing_an_id_of_a_wrong_size_is_our_own_mistake() -> None:
    """Ids have one size for each kind."""
    with pytest.raises(LocalError, match="a log id has 8 bytes, not 32"):
        to_text("log", bytes(32))
