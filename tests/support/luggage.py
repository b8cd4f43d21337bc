"""Bundles for tests: made of records, taken apart again, and carried between engines."""

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence

from mycelia_protocol.bundle import BundleWriter, Label
from mycelia_protocol.bundle_reader import (
    BundleReader,
    EvidenceFound,
    FormsFound,
    Found,
    HeightsFound,
    Load,
    RecordsFound,
)
from mycelia_protocol.crypto import public_key
from mycelia_protocol.events import Carried, HeadsCarried
from mycelia_protocol.form_events import ReadForms
from mycelia_protocol.limits import RUN_SIZE_MAX
from mycelia_protocol.logs import LogKey
from mycelia_protocol.packing import Packing, heights_of
from mycelia_protocol.record import Record
from mycelia_protocol.unpacking import Unpacking, carried_event
from support.mesh import Mesh, Node

MADE_MS = 1_700_000_000_000


def bundle_of(
    records: Sequence[Record], seed: bytes, per_chunk: int = 4, bundle: bytes = b"bundle-1"
) -> list[bytes]:
    """Return the chunks of a bundle: label, some records each, end."""
    label = Label(records[0].commons, public_key(seed), MADE_MS)
    writer = BundleWriter(seed, bundle, label)
    first = writer.begin()
    starts = range(0, len(records), per_chunk)
    chunks = [writer.add(records[start : start + per_chunk]) for start in starts]
    return [first, *chunks, writer.end()]


def read(pieces: Iterable[bytes], commons: bytes | None = None) -> tuple[BundleReader, list[Found]]:
    """Return a reader that has read everything, and what it found."""
    reader = BundleReader(commons)
    found: list[Found] = []
    for piece in pieces:
        found += reader.feed(piece)
    return reader, found + reader.finish()


def records_in(found: Iterable[Found]) -> list[Record]:
    """Return the records among what was found."""
    return [r for one in found if isinstance(one, RecordsFound) for r in one.records]


def pieces_of(data: bytes, rng: random.Random, most: int = 300) -> Iterator[bytes]:
    """Cut a stream at random places."""
    start = 0
    while start < len(data):
        size = rng.randint(1, most)
        yield data[start : start + size]
        start += size


def pack(
    node: Node, known: Mapping[LogKey, int] | None = None, size_max: int = RUN_SIZE_MAX
) -> list[bytes]:
    """Return the chunks of a bundle of all that a node of a mesh holds, but for what is known."""
    label = Label(node.mesh.charter.commons, node.key, node.mesh.now_ms)
    writer = BundleWriter(node.seed, node.mesh.rng.randbytes(8), label)
    packing = Packing(node.engine.logs, node.engine.state, known or {})
    packing.size_max = size_max
    chunks = [writer.begin(heights_of(node.engine.logs)), *pack_blocks(node, packing, writer)]
    assert not packing.missing
    return [*chunks, writer.end()]


def pack_blocks(node: Node, packing: Packing, writer: BundleWriter) -> Iterator[bytes]:
    """Yield the chunks of what is to be packed."""
    while wanted := packing.next():
        proof = tuple[bytes, ...]()
        if isinstance(wanted, ReadForms):
            records, proof = node.disk.read_forms(wanted)
        else:
            records = node.disk.read_ranges(wanted, packing.size_max)
        if block := packing.took(writer, records, proof):
            yield block


def pack_all(node: Node) -> bytes:
    """Return a bundle of all that a node holds."""
    return b"".join(pack(node))


def carry(mesh: Mesh, data: bytes, node: Node) -> Unpacking:
    """Bring a bundle to a node once, chunk by chunk; return what became of its records."""
    reader, found = read([data], mesh.charter.commons)
    unpacking = Unpacking()
    for one in found:
        if isinstance(one, RecordsFound | FormsFound | EvidenceFound):
            again = offer(node, unpacking, one, None)
            if again is not None:
                assert not offer(node, unpacking, *again)
    assert unpacking.is_idle
    heads = [h for one in found if isinstance(one, HeightsFound) for h in one.heights]
    if reader.tally.is_whole and heads:
        assert reader.label is not None
        node.give(HeadsCarried(reader.label.maker, {(h.author, h.log): h.next_seq for h in heads}))
    return unpacking


def offer(
    node: Node, unpacking: Unpacking, load: Load, before: Carried | None
) -> tuple[Load, Carried] | None:
    """Let an engine take a load; return what to offer once more, with the answer to the first."""
    token = node.mesh.token()
    unpacking.offered(token, load, node.engine.state.member_count, before)
    node.give(carried_event(token, load))
    node.mesh.settle()
    again = unpacking.answered(node.carried[token], node.engine.state.member_count)
    return None if again is None else (again, node.carried[token])
