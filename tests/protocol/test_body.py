"""Bodies: whole and erased forms of the same, and what is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mycelia_protocol.body import (
    NO_WORDS,
    WORDS,
    erase_words,
    is_whole,
    join_body,
    read_content,
    split_body,
    write_body,
)
from mycelia_protocol.encoding import Value, encode
from mycelia_protocol.errors import LimitExceeded, RecordError, SchemaError
from mycelia_protocol.limits import BODY_SIZE_MAX, BODY_SIZE_MIN
from mycelia_protocol.record import Record
from mycelia_protocol.schema import check
from mycelia_protocol.types import KINDS
from support.scribe import village

SALT = bytes(range(16))
OFFER: dict[str, Value] = {
    "category": "food.water",
    "title": "From the well in our yard",
    "quantity": 5,
    "unit": "mL",
    "note": "Ring twice",
}


@given(st.binary(max_size=600), st.binary(max_size=600), st.binary(min_size=16, max_size=16))
def test_both_forms_have_one_hash(facts: bytes, words: bytes, salt: bytes) -> None:
    """REC-9: without words a body has the same facts and the same hash, and nothing of the rest."""
    body = join_body(salt, facts, words)
    assert body == encode([salt, facts, words])
    erased = erase_words(body)
    if words == NO_WORDS:
        assert erased == body
        return
    assert (is_whole(body), is_whole(erased)) == (True, False)
    whole = split_body(body)
    assert split_body(erased) == (whole.blind, whole.facts, None)
    assert split_body(erased).hash == split_body(body).hash
    assert erase_words(erased) == erased
    assert erased == encode([split_body(body).blind, facts])


@given(st.binary(max_size=80), st.sampled_from((b"", b"\x93\xc4\x10", b"\x92\xc4\x20")))
def test_noise_is_no_body(noise: bytes, start: bytes) -> None:
    """REC-9: what splits is one of the two forms to the byte; all else is refused."""
    try:
        parts = split_body(start + noise)
    except RecordError:
        return
    salt_or_blind = (start + noise)[3 : 35 if parts.words is None else 19]
    rest = [parts.facts] if parts.words is None else [parts.facts, parts.words]
    assert encode([salt_or_blind, *rest]) == start + noise


def test_what_people_tell_goes_and_what_counts_stays() -> None:
    """Erasing takes title and note away, from the bytes too, and leaves what an offer offers."""
    body = write_body(SALT, OFFER)
    assert read_content(body) == OFFER
    erased = erase_words(body)
    assert read_content(erased) == {k: v for k, v in OFFER.items() if k not in WORDS}
    for text in (b"From the well", b"Ring twice", SALT):
        assert text in body
        assert text not in erased
    assert len(write_body(SALT, {})) == BODY_SIZE_MIN
    with pytest.raises(LimitExceeded, match="at most"):
        write_body(SALT, {"note": "x" * BODY_SIZE_MAX})


def test_a_record_proves_its_facts_without_its_words() -> None:
    """The header's hash holds for both forms, and for no other facts or size."""
    _, (mill, *_) = village()
    offer = mill.write("offer", OFFER)
    erased = offer.without_words()
    assert (offer.is_whole, erased.is_whole) == (True, False)
    assert Record.parse(offer.header, offer.signature, erased.body) == erased
    assert erased.id == offer.id
    assert erased.size < offer.size
    assert erased.body is not None
    parts = split_body(erased.body)
    other = encode([parts.blind, encode({"quantity": 6})])
    with pytest.raises(RecordError, match="not the one in the header"):
        offer.check_body(other)


def test_words_are_judged_when_they_are_written_and_never_again() -> None:
    """BODY-5: a draft without its title is refused; a record without one counts all the same."""
    table = KINDS["offer"].fields
    untitled = {key: value for key, value in OFFER.items() if key != "title"}
    with pytest.raises(SchemaError, match="title is missing"):
        check(untitled, table, is_draft=True)
    with pytest.raises(SchemaError, match="title"):
        check({**OFFER, "title": ""}, table, is_draft=True)
    assert check({**OFFER, "title": 7}, table) == check(untitled, table)
    with pytest.raises(SchemaError, match="category is missing"):
        check({"title": "Water"}, table)
