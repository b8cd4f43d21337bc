"""Bundles: what a reader finds in whole, damaged, mixed and foreign ones."""

import random
from dataclasses import replace

import pytest

from mycelia_protocol.bundle import (
    END,
    RECORDS,
    BundleWriter,
    Height,
    Label,
)
from mycelia_protocol.bundle_reader import (
    BundleReader,
    ChunkDamaged,
    HeightsFound,
    LabelFound,
)
from mycelia_protocol.chunks import HEADER_SIZE_MAX, PREFIX, ChunkScanner, Gap, seal_chunk
from mycelia_protocol.crypto import public_key
from mycelia_protocol.encoding import Value, decode, encode
from mycelia_protocol.errors import BundleError, LimitExceeded
from mycelia_protocol.limits import BUNDLE_CHUNKS_MAX, CHUNK_SIZE_MAX
from support.luggage import MADE_MS, bundle_of, pieces_of, read, records_in
from support.scribe import village

CHARTER, (FOUNDER, OAK, *_) = village(12)
RECORDS_OF_FOUNDER = FOUNDER.written
SEED = FOUNDER.seed
CHUNKS = bundle_of(RECORDS_OF_FOUNDER, SEED)
WHOLE = b"".join(CHUNKS)


def test_a_whole_bundle_gives_all_that_was_put_in() -> None:
    """Label, heads and records come out as they went in, all signed, with nothing missing."""
    label = Label(CHARTER.commons, FOUNDER.key, MADE_MS, OAK.key, 5)
    writer = BundleWriter(SEED, b"12345678", label)
    height = Height(FOUNDER.key, FOUNDER.log, 12, RECORDS_OF_FOUNDER[-1].id[:8])
    parts = [writer.begin([height]), writer.add(RECORDS_OF_FOUNDER), writer.end()]
    reader, found = read(parts, CHARTER.commons)
    assert found[:2] == [LabelFound(label, True), HeightsFound((height,))]
    assert records_in(found) == RECORDS_OF_FOUNDER
    assert reader.tally.is_whole
    assert reader.tally.signed == reader.tally.chunks == reader.tally.chunks_made == 4
    assert reader.tally.records == reader.tally.records_made == len(RECORDS_OF_FOUNDER)


def test_a_bundle_is_plain_messagepack() -> None:
    """Each chunk is one canonical value of six fields, so any library can walk through."""
    for number, chunk in enumerate(CHUNKS):
        value = decode(chunk)
        assert isinstance(value, tuple)
        assert len(value) == 6
        assert value[2] == number
        assert encode(value) == chunk


def test_the_end_tells_what_a_truncated_bundle_lacks() -> None:
    """Without its end a bundle is not whole; with a chunk missing the count says so."""
    reader, found = read(CHUNKS[:-1])
    assert (reader.tally.chunks_made, reader.tally.is_whole) == (None, False)
    assert records_in(found) == RECORDS_OF_FOUNDER
    reader, found = read([*CHUNKS[:1], *CHUNKS[2:]])
    assert reader.tally.chunks_made == reader.tally.chunks + 1
    assert not reader.tally.is_whole
    assert not reader.tally.damaged
    assert records_in(found) == RECORDS_OF_FOUNDER[4:]


def test_a_lost_label_is_told_by_the_end() -> None:
    """Without its first chunk a bundle still tells its maker, who signed all that is there."""
    reader, found = read(CHUNKS[1:])
    assert isinstance(found[-1], LabelFound)
    assert (reader.label, found[-1].is_signed) == (found[-1].label, True)
    assert reader.tally.signed == reader.tally.chunks


def test_chunks_come_in_any_order_and_more_than_once() -> None:
    """Order means nothing, and what comes twice is read once."""
    twice = [*CHUNKS[::-1], *CHUNKS]
    reader, found = read(twice)
    assert sorted(r.seq for r in records_in(found)) == [r.seq for r in RECORDS_OF_FOUNDER]
    assert reader.tally.is_whole
    assert reader.tally.repeated == len(CHUNKS)


def test_unknown_kinds_are_passed_over() -> None:
    """A kind of a later version, and sealed messages, cost a reader nothing of the rest."""
    odd = [seal_chunk(SEED, b"bundle-1", 40 + n, encode([n, b"sealed"])) for n in (5, 8, 999)]
    reader, found = read([CHUNKS[0], *odd, *CHUNKS[1:]])
    assert reader.tally.ignored == 3
    assert not reader.tally.damaged
    assert records_in(found) == RECORDS_OF_FOUNDER


@pytest.mark.parametrize(
    "payload",
    [
        [],
        [True, []],
        ["records", []],
        7,
        [RECORDS],
        [RECORDS, None],
        [RECORDS, [], 0],
        [2, [[b"", b"", 1, b""]]],
        [2, [[bytes(32), bytes(8), 0, bytes(8)]]],
        [2, [[bytes(32), bytes(8), True, bytes(8)]]],
        [1, 1, bytes(32), bytes(32), 0, None],
        [1, 1, bytes(31), bytes(32), 0, None, None],
        [1, 1, bytes(32), bytes(32), -1, None, None],
        [1, 1, bytes(32), bytes(32), True, None, None],
        [1, 1, bytes(32), bytes(32), 0, b"", None],
        [1, 1, bytes(32), bytes(32), 0, None, "x"],
        [END, 1, bytes(32), bytes(32), 0, None, None, 1],
        [END, 1, bytes(32), bytes(32), 0, None, None, -1, 1],
        [1, True, bytes(32), bytes(32), 0, None, None],
        [1],
    ],
)
def test_wrong_fields_damage_one_chunk_alone(payload: Value) -> None:
    """A chunk of a known kind whose fields are wrong is named as damaged; the rest is read."""
    odd = seal_chunk(SEED, b"bundle-1", 40, encode(payload))
    reader, found = read([*CHUNKS[:2], odd, *CHUNKS[2:]])
    start = len(CHUNKS[0]) + len(CHUNKS[1])
    assert ChunkDamaged(start, start + len(odd)) in found
    assert (reader.tally.damaged, reader.tally.lost) == (1, len(odd))
    assert records_in(found) == RECORDS_OF_FOUNDER


def test_a_wrong_envelope_costs_itself_alone() -> None:
    """Envelopes that break a rule of their structure are counted; those beside them are taken."""
    good = RECORDS_OF_FOUNDER[0].envelope()
    rows: list[Value] = [good, [b"x", None, None], 7, [*good[:2], b"another body"]]
    odd = seal_chunk(SEED, b"bundle-1", 1, encode([RECORDS, rows]))
    reader, found = read([CHUNKS[0], odd])
    assert records_in(found) == RECORDS_OF_FOUNDER[:1]
    assert (reader.tally.records, reader.tally.refused) == (4, 3)


def test_another_commons_and_another_version_are_refused() -> None:
    """A bundle for others ends the reading with its own error, as does one of a later version."""
    with pytest.raises(BundleError) as caught:
        read(CHUNKS, bytes(32))
    assert caught.value.code == "commons"
    later = seal_chunk(SEED, b"bundle-1", 0, encode([1, 2, "whatever"]))
    with pytest.raises(BundleError) as caught:
        read([later])
    assert caught.value.code == "version"


@pytest.mark.parametrize(
    "data", [b"", b"hello", PREFIX, WHOLE[: len(CHUNKS[0]) - 1], b"\x96" * 999]
)
def test_what_is_no_bundle_is_said_to_be_none(data: bytes) -> None:
    """A file without one whole chunk is no bundle."""
    with pytest.raises(BundleError) as caught:
        read([data])
    assert caught.value.code == "bundle"


def test_two_bundles_in_one_file_are_both_read() -> None:
    """Chunks of a second bundle give their records, and count as what they are."""
    OAK.offer(5)
    other = bundle_of(OAK.written, OAK.seed, bundle=b"bundle-2")
    reader, found = read([WHOLE, *other])
    assert records_in(found) == [*RECORDS_OF_FOUNDER, *OAK.written]
    assert reader.tally.others == len(other)
    assert reader.tally.is_whole
    assert reader.label is not None
    assert reader.label.maker == FOUNDER.key


def test_a_chunk_in_anothers_place_is_read_and_shown() -> None:
    """Somebody who adds a chunk with a number that is taken can't keep the right one out."""
    rows: list[Value] = [FOUNDER.written[0].envelope()]
    false = seal_chunk(OAK.seed, b"bundle-1", 1, encode([RECORDS, rows]))
    reader, found = read([CHUNKS[0], false, *CHUNKS[1:]])
    assert records_in(found) == [FOUNDER.written[0], *RECORDS_OF_FOUNDER]
    assert reader.tally.signed == reader.tally.chunks - 1
    assert reader.tally.others == 1


def test_anothers_signature_is_noticed() -> None:
    """A label that its maker did not sign is told as unsigned, and a signed one corrects it."""
    label = Label(CHARTER.commons, OAK.key, 1)
    false = seal_chunk(SEED, b"bundle-1", 40, encode([1, *label.fields()]))
    reader, found = read([false, *CHUNKS])
    assert found[0] == LabelFound(label, False)
    assert [one for one in found if isinstance(one, LabelFound)][1:] == [
        LabelFound(Label(CHARTER.commons, FOUNDER.key, MADE_MS), True)
    ]
    assert reader.tally.signed == len(CHUNKS)


def test_damage_is_told_by_its_place() -> None:
    """A spoilt byte, and bytes that are missing, cost the chunk they are in and no other."""
    start, size = len(CHUNKS[0]), len(CHUNKS[1])
    spoilt = bytearray(WHOLE)
    spoilt[start + size // 2] ^= 1
    _, found = read([bytes(spoilt)])
    assert [one for one in found if isinstance(one, ChunkDamaged)] == [
        ChunkDamaged(start, start + size)
    ]
    assert records_in(found) == RECORDS_OF_FOUNDER[4:]
    shorter = WHOLE[: start + 300] + WHOLE[start + 400 :]
    _, found = read([shorter])
    assert ChunkDamaged(start, start + size - 100) in found
    assert records_in(found) == RECORDS_OF_FOUNDER[4:]


def test_a_wrong_length_hides_no_chunk_behind_it() -> None:
    """A length that was spoilt to reach over what follows is found out, even at the end."""
    payload = encode([RECORDS, [r.envelope() for r in RECORDS_OF_FOUNDER]])
    chunk = bytearray(seal_chunk(SEED, b"bundle-1", 1, payload))
    place = len(chunk) - len(payload) - 2
    assert chunk[place - 1] == 0xC5
    chunk[place] ^= 0x80
    reader, _ = read([CHUNKS[0], bytes(chunk), CHUNKS[-1]])
    assert reader.tally.damaged == 1
    assert reader.tally.chunks_made is not None


def test_limits_of_a_chunk_hold() -> None:
    """A writer makes no chunk beyond the limits, and a reader waits for none."""
    with pytest.raises(LimitExceeded):
        seal_chunk(SEED, b"bundle-1", 0, bytes(CHUNK_SIZE_MAX + 1))
    with pytest.raises(LimitExceeded):
        seal_chunk(SEED, b"bundle-1", BUNDLE_CHUNKS_MAX, b"")
    header = seal_chunk(SEED, b"bundle-1", 0, bytes(70_000))[:-70_000]
    endless = header[:-4] + (CHUNK_SIZE_MAX + 1).to_bytes(4, "big")
    scanner = ChunkScanner()
    scanner.feed(endless)
    for _ in range(40):
        scanner.feed(bytes(100_000))
    assert len(scanner._buffer) <= HEADER_SIZE_MAX + 100_000


def test_a_file_made_to_be_slow_is_not() -> None:
    """A reader hashes a hostile file but a few times over, however its chunks overlap."""
    header = seal_chunk(SEED, b"bundle-1", 0, bytes(CHUNK_SIZE_MAX))[:-CHUNK_SIZE_MAX]
    scanner = ChunkScanner()
    piece = header * 500
    for _ in range(160):
        scanner.feed(piece)
    assert scanner._given > 10_000_000
    assert scanner._hashed < 4 * scanner._given + 17 * CHUNK_SIZE_MAX
    assert all(isinstance(one, Gap) for one in scanner.finish())


def test_a_bundle_can_be_cut_anywhere_while_it_is_read() -> None:
    """What is found does not depend on how the stream comes in pieces."""
    whole = read([WHOLE])
    for seed in range(20):
        pieces = pieces_of(WHOLE, random.Random(seed))
        reader, found = read(pieces)
        assert (reader.tally, found) == (whole[0].tally, whole[1])


def test_a_writer_signs_as_who_it_says_it_is() -> None:
    """A label with another maker than the seed's is a mistake of the caller."""
    label = Label(CHARTER.commons, public_key(b"\2" * 32), 1)
    with pytest.raises(AssertionError):
        BundleWriter(SEED, b"bundle-1", label)
    assert replace(label, maker=FOUNDER.key).fields()[2] == FOUNDER.key


def test_a_reader_holds_no_more_than_it_needs() -> None:
    """Numbers far apart, as a hostile file may give them, cost four bytes each at most."""
    reader = BundleReader()
    reader.feed(seal_chunk(SEED, b"bundle-1", BUNDLE_CHUNKS_MAX - 1, encode([9])))
    reader.feed(bytes(HEADER_SIZE_MAX))
    assert reader.tally.ignored == 1
    assert len(reader._seen) == 4 * BUNDLE_CHUNKS_MAX
