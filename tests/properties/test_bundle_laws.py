"""Laws of bundles: what is whole comes in, nothing else does, and nothing depends on the order."""

import random
import tracemalloc

from hypothesis import given, settings
from hypothesis import strategies as st

from mycelia_protocol.bundle import BundleWriter, Label
from mycelia_protocol.bundle_reader import BundleReader, Found, RecordsFound
from mycelia_protocol.chunks import PREFIX, seal_chunk
from mycelia_protocol.encoding import Value, encode
from mycelia_protocol.errors import BundleError
from mycelia_protocol.limits import SIGNATURE_SIZE
from mycelia_protocol.record import Record, build_record
from support.luggage import MADE_MS, bundle_of, carry, pack, pieces_of, read, records_in
from support.mesh import Mesh
from support.scribe import village

LENGTH = 16
CHARTER, (FOUNDER, OAK, *_) = village(LENGTH)
RECORDS = FOUNDER.written
CHUNKS = bundle_of(RECORDS, FOUNDER.seed)
WHOLE = b"".join(CHUNKS)
ENDS = [sum(map(len, CHUNKS[: n + 1])) for n in range(len(CHUNKS))]
PER_CHUNK = 4


def ids(records: list[Record]) -> list[bytes]:
    """Return the ids of records."""
    return [record.id for record in records]


def untouched(spoilt: set[int]) -> list[bytes]:
    """Return the ids of records in chunks in which no byte was touched."""
    hit = {chunk_at(place) for place in spoilt}
    return [one for n in range(1, len(CHUNKS) - 1) if n not in hit for one in ids(records_at(n))]


def read_or_none(data: bytes, rng: random.Random) -> list[Record]:
    """Return the records that a reader finds, whatever the stream's pieces are."""
    code, (_, found) = read_or_code(data, rng)
    assert code in ("", "bundle")
    return records_in(found)


def read_or_code(data: bytes, rng: random.Random) -> tuple[str, tuple[BundleReader, list[Found]]]:
    """Return the error code of a stream, "" if there is none; then what was found in it."""
    try:
        return "", read(pieces_of(data, rng, 2_000), CHARTER.commons)
    except BundleError as error:
        return error.code, (BundleReader(), [])


@settings(max_examples=150, deadline=None)
@given(st.integers(0, len(WHOLE)), st.integers(0, 999))
def test_any_cut_leaves_what_lies_before_it(cut: int, seed: int) -> None:
    """Of a bundle that was cut short, all chunks before the cut come in, and nothing else."""
    found = read_or_none(WHOLE[:cut], random.Random(seed))
    assert ids(found) == untouched(set(range(cut, len(WHOLE))))


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(1, 255)), max_size=6),
    st.integers(0, 999),
)
def test_any_flips_cost_only_the_chunks_they_hit(flips: list[tuple[int, int]], seed: int) -> None:
    """A flipped bit costs its chunk; but one in a signature costs only the proof of its maker."""
    data = bytearray(WHOLE)
    for place, mask in flips:
        data[place] ^= mask
    touched = {place for place, _ in flips if data[place] != WHOLE[place]}
    found = read_or_none(bytes(data), random.Random(seed))
    assert ids(found) == untouched({place for place in touched if not is_signature(place)})


def is_signature(place: int) -> bool:
    """Return whether a byte belongs to the signature of a chunk."""
    start = [0, *ENDS][chunk_at(place)] + len(PREFIX) + 10 + 1 + 34 + 2
    return start <= place < start + SIGNATURE_SIZE


def chunk_at(place: int) -> int:
    """Return the number of the chunk in which a byte lies; below 128, it takes a byte itself."""
    return sum(end <= place for end in ENDS)


@settings(max_examples=80, deadline=None)
@given(st.integers(0, len(WHOLE)), st.integers(0, 2_000), st.binary(max_size=400))
def test_bytes_put_in_or_taken_out_cost_only_their_chunk(place: int, gone: int, put: bytes) -> None:
    """Whatever stands in place of some bytes, the chunks beside them come in, and nothing else."""
    data = WHOLE[:place] + put + WHOLE[place + gone :]
    found = set(ids(read_or_none(data, random.Random(place))))
    beside = [
        chunk
        for chunk, (start, end) in enumerate(zip([0, *ENDS], ENDS, strict=False))
        if end <= place or start >= place + gone
    ]
    whole = {one for n in beside if 0 < n < len(CHUNKS) - 1 for one in ids(records_at(n))}
    assert whole <= found <= set(ids(RECORDS))


def records_at(chunk: int) -> list[Record]:
    """Return the records of a chunk; the first holds the label."""
    return RECORDS[(chunk - 1) * PER_CHUNK : chunk * PER_CHUNK]


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=3_000), st.integers(0, 999))
def test_no_bytes_break_a_reader(junk: bytes, seed: int) -> None:
    """Any bytes are read without any other error than that they are no bundle for this reader."""
    for data in (junk, CHUNKS[1] + junk + CHUNKS[2], seal_chunk(OAK.seed, b"8 bytes.", 0, junk)):
        code, (reader, found) = read_or_code(data, random.Random(seed))
        assert code in ("", "bundle", "version", "commons")
        assert reader.tally.lost <= len(data)
        assert all(isinstance(r, Record) for r in records_in(found))


SCALARS = st.sampled_from([None, True, 0, 1, -1, 2**53 - 1, b"", bytes(8), bytes(32), "text"])
FIELDS = SCALARS | st.lists(SCALARS | st.lists(SCALARS, max_size=4), max_size=4)


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 6), st.lists(FIELDS, max_size=9))
def test_no_payload_breaks_a_reader(kind: int, fields: list[Value]) -> None:
    """Any fields in a whole chunk are read, passed over, or told as damage."""
    data = CHUNKS[1] + seal_chunk(OAK.seed, b"bundle-1", 99, encode([kind, *fields]))
    code, (reader, _) = read_or_code(data, random.Random(1))
    assert code in ("", "version", "commons")
    if not code:
        assert reader.tally.chunks == 2
        assert reader.tally.records >= PER_CHUNK


def test_a_stream_of_any_size_takes_little_memory() -> None:
    """A bundle of 32 MiB is written and read with a few chunks in memory at a time."""
    big = large(RECORDS[0])
    label = Label(CHARTER.commons, FOUNDER.key, MADE_MS)
    writer, reader = BundleWriter(FOUNDER.seed, b"bundle-1", label), BundleReader(CHARTER.commons)
    size = count = 0
    tracemalloc.start()
    try:
        reader.feed(writer.begin())
        while size < 32 * 2**20:
            data = writer.add([big] * 15)
            size += len(data)
            for piece in (data[:100_000], data[100_000:]):
                for found in reader.feed(piece):
                    assert isinstance(found, RecordsFound)
                    count += len(found.records)
        reader.feed(writer.end())
        reader.finish()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert count == writer.records == reader.tally.records
    assert reader.tally.is_whole
    assert peak < 4 * 2**20, f"{size} bytes took {peak}"


def large(record: Record) -> Record:
    """Return a record by the same author with a body of nearly the largest size."""
    return build_record(
        commons=record.commons,
        seed=FOUNDER.seed,
        author=record.author,
        log=b"12345678",
        seq=1,
        prev=bytes(32),
        kind="withdraw",
        time_ms=0,
        content={"reason": "x" * 16_000},
        salt=bytes(16),
        refs=(record.id,),
    )


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 999), st.integers(100, 2_000))
def test_any_order_of_chunks_ends_in_the_same_store(seed: int, size_max: int) -> None:
    """Offered until nothing new comes, a bundle in any order gives all that the maker held.

    The vouches that make authors members are in the bundle itself, wherever they lie.
    """
    mesh = Mesh(seed=seed, count=3)
    for n, node in enumerate(mesh.nodes):
        node.publish("profile", {"name": f"Node {n}"})
    mesh.connect(mesh.nodes[0], mesh.nodes[1])
    mesh.connect(mesh.nodes[0], mesh.nodes[2])
    mesh.run(5_000)
    mesh.nodes[2].disk.logs.clear()
    mesh.nodes[2].start(None)
    chunks = pack(mesh.nodes[0], size_max=size_max)
    random.Random(seed).shuffle(chunks)
    stream = b"".join(chunks)
    while carry(mesh, stream, mesh.nodes[2]).new:
        pass
    assert ids(mesh.nodes[2].disk.records()) == ids(mesh.nodes[0].disk.records())
    again = carry(mesh, stream, mesh.nodes[2])
    assert (again.new, again.known) == (0, len(mesh.nodes[0].disk.records()))


def test_a_packed_bundle_needs_one_pass() -> None:
    """Vouches come first, so an empty store takes in all of a bundle at once."""
    mesh = Mesh(count=6)
    for node in mesh.nodes:
        node.publish("profile", {"name": node.name})
    for node in mesh.nodes[1:]:
        mesh.connect(mesh.nodes[0], node)
    mesh.run(5_000)
    newcomer = mesh.nodes[5]
    newcomer.disk.logs.clear()
    newcomer.start(None)
    unpacking = carry(mesh, b"".join(pack(mesh.nodes[0], size_max=300)), newcomer)
    assert (unpacking.left, unpacking.known) == (0, 0)
    assert ids(newcomer.disk.records()) == ids(mesh.nodes[0].disk.records())
