"""Logs in compact form go by stick: under the rules of a link, in any order, as far as is whole."""

import random
from collections.abc import Iterator

import pytest

from mycelia_protocol.bundle import BundleWriter, Label
from mycelia_protocol.bundle_reader import EvidenceFound, FormsFound, RecordsFound
from mycelia_protocol.crypto import public_key
from mycelia_protocol.events import Carried
from mycelia_protocol.form_events import FormsCarried
from mycelia_protocol.form_frames import form_rows
from mycelia_protocol.packing import Packing
from mycelia_protocol.types import acknowledge
from mycelia_protocol.types.checkpoint import Checkpoint
from mycelia_protocol.types.offer import Offer
from mycelia_protocol.unpacking import Unpacking, carried_event
from protocol.test_forms import OFFER, compact_records, join, shortened
from support.luggage import carry, pack, pack_all, pack_blocks, read
from support.mesh import Mesh, Node


@pytest.fixture
def town() -> tuple[Mesh, Node]:
    """Return nodes that let go of old records, and a newcomer that has met nobody."""
    mesh = shortened()
    return mesh, join(mesh, mesh.nodes[0])


def bring(node: Node, mesh: Mesh, chunks: list[bytes]) -> Unpacking:
    """Take a bundle in, again and again as long as it brings something; return the last time."""
    unpacking = carry(mesh, b"".join(chunks), node)
    for _ in range(40):
        unpacking = carry(mesh, b"".join(chunks), node)
        if not unpacking.new:
            break
    return unpacking


def left(unpacking: Unpacking) -> dict[str, int]:
    """Return what found no place, by reason."""
    names = ("strangers", "gaps", "contested", "refused", "unconfirmed")
    return {name: getattr(unpacking, name) for name in names if getattr(unpacking, name)}


def forms_in(chunks: list[bytes]) -> Iterator[FormsFound]:
    """Yield the parts of logs in a bundle."""
    for one in read([b"".join(chunks)])[1]:
        if isinstance(one, FormsFound):
            yield one


def offer(node: Node, part: FormsFound) -> Carried:
    """Bring one part of a log and return what became of it."""
    token = node.mesh.token()
    node.give(FormsCarried(token, part.checkpoint, part.first, part.records, part.proof))
    node.mesh.settle()
    return node.carried[token]


def kinds_of(chunks: list[bytes]) -> list[type]:
    """Return what each chunk of a bundle holds, as far as an engine takes it."""
    found = read(chunks)[1]
    return [
        type(each) for each in found if isinstance(each, RecordsFound | EvidenceFound | FormsFound)
    ]


def test_a_newcomer_starts_from_one_stick(town: tuple[Mesh, Node]) -> None:
    """Forms, who confirmed them, and what came since: it comes to the same state in one pass."""
    mesh, newcomer = town
    first = carry(mesh, pack_all(mesh.nodes[1]), newcomer)
    assert not left(first)
    assert newcomer.engine.state.digest() == mesh.nodes[0].engine.state.digest()
    assert len(compact_records(newcomer)) > 20
    offers = newcomer.engine.state.every(Offer)
    assert [one.body.title for one in offers].count("Still there") == 3, "no words were lost"
    before = newcomer.disk.records()
    again = carry(mesh, pack_all(mesh.nodes[1]), newcomer)
    assert (again.new, left(again)) == (0, {})
    assert newcomer.disk.records() == before
    newcomer.start(None)
    assert newcomer.engine.state.digest() == mesh.nodes[0].engine.state.digest()


def test_what_came_by_stick_goes_on_by_stick_and_by_link(town: tuple[Mesh, Node]) -> None:
    """Who started from a stick makes one from which the next can start, or gives forms itself."""
    mesh, first = town
    second, third = join(mesh, mesh.nodes[0]), join(mesh, mesh.nodes[0])
    carry(mesh, pack_all(mesh.nodes[1]), first)
    assert not left(carry(mesh, pack_all(first), second))
    mesh.connect(second, third)
    mesh.run(60_000)
    assert {each.engine.state.digest() for each in (second, third)} == {first.engine.state.digest()}
    assert not [each for node in mesh.nodes for each in node.closed]


@pytest.mark.parametrize("seed", range(4))
def test_chunks_may_come_in_any_order_and_be_small(seed: int, town: tuple[Mesh, Node]) -> None:
    """CARRY-2: evidence behind forms, forms backwards, records first: only more passes."""
    mesh, newcomer = town
    rng = random.Random(seed)
    chunks = pack(mesh.nodes[1], size_max=rng.choice((300, 900, 5_000)))
    rng.shuffle(chunks) if seed else chunks.reverse()
    assert not left(bring(newcomer, mesh, chunks))
    assert newcomer.engine.state.digest() == mesh.nodes[0].engine.state.digest()


def test_without_evidence_nothing_of_it_is_believed(town: tuple[Mesh, Node]) -> None:
    """CHECK-8: forms wait for who confirmed them, which a second stick may show."""
    mesh, newcomer = town
    chunks = pack(mesh.nodes[1])
    bare = [each for each in chunks if EvidenceFound not in kinds_of([each])]
    assert len(bare) == len(chunks) - 1
    unpacking = bring(newcomer, mesh, bare)
    assert unpacking.unconfirmed or unpacking.strangers
    assert not compact_records(newcomer)
    assert not left(bring(newcomer, mesh, pack(mesh.nodes[2])))
    assert newcomer.engine.state.digest() == mesh.nodes[0].engine.state.digest()


def test_a_stick_that_lost_chunks_gives_the_others(town: tuple[Mesh, Node]) -> None:
    """What is whole comes in, what is behind a hole waits, and the next stick fills it."""
    mesh, newcomer = town
    chunks = pack(mesh.nodes[1], size_max=900)
    places = [at for at, each in enumerate(chunks) if kinds_of([each]) == [FormsFound]]
    holed = [each for at, each in enumerate(chunks) if at not in places[1::3]]
    unpacking = bring(newcomer, mesh, holed)
    assert unpacking.gaps
    assert compact_records(newcomer)
    ends = [log[-1] for log in newcomer.disk.logs.values()]
    assert all(each.is_compact or each.is_signed() for each in ends)
    assert not left(bring(newcomer, mesh, chunks))
    assert newcomer.engine.state.digest() == mesh.nodes[0].engine.state.digest()


def test_districts_that_only_exchange_sticks_converge() -> None:
    """One let go of what is old, the other was away meanwhile: both come to the same."""
    mesh = shortened(4, keepers=1)
    keeper, other, *_ = mesh.nodes
    for link in list(mesh.ends):
        mesh.cut(link)
    mesh.settle()
    keeper.publish("offer", OFFER)
    other.publish("offer", OFFER)
    for source, target in ((keeper, other), (other, keeper)):
        assert not left(carry(mesh, pack_all(source), target))
    assert keeper.engine.state.digest() == other.engine.state.digest()
    assert not compact_records(keeper)


def test_what_the_audience_holds_is_left_out(town: tuple[Mesh, Node]) -> None:
    """--for: forms begin with the last record that it holds, evidence that it has is not shown."""
    mesh, newcomer = town
    maker = mesh.nodes[1]
    chunks = pack(maker, size_max=900)
    some = [each for at, each in enumerate(chunks) if at < len(chunks) // 2]
    bring(newcomer, mesh, some)
    logs = newcomer.engine.logs
    known = {key: logs.stored(key).next_seq for key in logs.stored_logs()}
    assert any(0 < known.get(key, 0) < until for key, until in maker.engine.logs.compact.items())
    rest = pack(maker, known)
    shown = [r for one in read(rest)[1] if isinstance(one, EvidenceFound) for r in one.records]
    assert shown
    assert all(each.seq >= known.get((each.author, each.log), 0) for each in shown)
    count = read(rest)[0].tally
    assert count.forms + count.records == len(maker.disk.records()) - sum(known.values())
    assert not left(carry(mesh, b"".join(rest), newcomer))
    assert newcomer.engine.state.digest() == maker.engine.state.digest()
    logs = newcomer.engine.logs
    known = {key: logs.stored(key).next_seq for key in logs.stored_logs()}
    assert kinds_of(pack(maker, known)) == []


def test_what_nothing_sums_up_is_counted_and_the_rest_goes(town: tuple[Mesh, Node]) -> None:
    """A compact log without a checkpoint over it: its maker can't show it, and says so."""
    mesh, newcomer = town
    maker = mesh.nodes[1]
    key = next(key for key in maker.engine.logs.compact if key[0] == mesh.nodes[2].key)
    last = maker.engine.logs.stored(key).next_seq - 1
    maker.engine.logs.note_compact(key, last)
    packing = Packing(maker.engine.logs, maker.engine.state, {})
    assert packing.unproven == last
    assert packing.records == len(maker.disk.records()) - last
    unpacking = carry(mesh, b"".join(pack(maker)), newcomer)
    assert left(unpacking) == {"gaps": 1}


def test_a_full_disk_is_told_and_the_forms_come_again(town: tuple[Mesh, Node]) -> None:
    """Nothing of a part that was not written is counted as held."""
    mesh, newcomer = town
    chunks = pack(mesh.nodes[1])
    (shown,) = [one for one in read(chunks)[1] if isinstance(one, EvidenceFound)]
    newcomer.give(carried_event(mesh.token(), shown))
    founder = mesh.nodes[0].key
    part = next(each for each in forms_in(chunks) if each.checkpoint.author == founder)
    newcomer.disk.fails = True
    token = mesh.token()
    newcomer.give(FormsCarried(token, part.checkpoint, part.first, part.records, part.proof))
    mesh.settle()
    assert newcomer.refusals[token].code == "store"
    newcomer.disk.fails = False
    assert offer(newcomer, part).new == len(part.records) + 1


def test_a_reader_of_forms_reads_what_its_writer_wrote(town: tuple[Mesh, Node]) -> None:
    """The totals of the END count records in RECORDS alone, as older readers do."""
    mesh, _ = town
    chunks = pack(mesh.nodes[1], size_max=900)
    reader, _ = read(chunks)
    assert reader.tally.is_whole
    assert reader.tally.records == reader.tally.records_made
    assert reader.tally.forms + reader.tally.records == len(mesh.nodes[1].disk.records())
    part = next(forms_in(chunks))
    writer = BundleWriter(bytes(32), bytes(8), Label(bytes(32), public_key(bytes(32)), 0))
    again = writer.add_forms(part.checkpoint, part.first, form_rows(part.records), part.proof)
    assert list(forms_in([again])) == [part]
    assert part.checkpoint.id in {each.id for each in mesh.nodes[0].engine.state.every(Checkpoint)}


def test_all_witnesses_are_shown(town: tuple[Mesh, Node]) -> None:
    """CARRY-15: also one who found other checkpoints right: it counts among those asked."""
    mesh, other = town
    mesh.connect(other, mesh.nodes[1])
    told = other.publish("acknowledge", acknowledge.content([bytes(32)]))
    mesh.settle()
    shown = {
        record.id: record
        for one in read(pack(mesh.nodes[1]))[1]
        if isinstance(one, EvidenceFound)
        for record in one.records
    }
    assert told in shown
    assert all(record.is_signed() for record in shown.values())


def test_a_log_may_be_shortened_while_it_is_packed() -> None:
    """What was whole when the bundle was begun goes as forms, and nothing is taken for lost."""
    mesh = shortened(3, keepers=1)
    keeper, other, _ = mesh.nodes
    packing = Packing(keeper.engine.logs, keeper.engine.state, {})
    packing.size_max = 1_200
    label = Label(mesh.charter.commons, keeper.key, mesh.now_ms)
    writer, chunks = BundleWriter(keeper.seed, bytes(8), label), list[bytes]()
    for block in pack_blocks(keeper, packing, writer):
        chunks.append(block)
        if len(chunks) == 3:
            for key, until in other.engine.logs.compact.items():
                if key[0] != keeper.key:
                    keeper.disk.logs[key][:] = other.disk.logs[key]
                    keeper.engine.logs.note_compact(key, until)
    assert packing.missing == packing.unproven == 0
    chunks = [writer.begin(), *chunks, writer.end()]
    assert FormsFound in kinds_of(chunks)
    newcomer = join(mesh, keeper)
    bring(newcomer, mesh, pack(other))
    assert not left(bring(newcomer, mesh, chunks))
    assert newcomer.engine.state.digest() == keeper.engine.state.digest()
