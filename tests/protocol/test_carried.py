"""Carried records go through the engine as a peer's do: checked, stored, folded, told on."""

from dataclasses import replace

from mycelia_protocol import events
from mycelia_protocol.bundle import BundleWriter, Label
from mycelia_protocol.crypto import public_key
from mycelia_protocol.encoding import Value
from mycelia_protocol.events import Carried, HeadsCarried, RecordsCarried
from mycelia_protocol.notices import ForkSeen
from mycelia_protocol.packing import Packing, heights_of
from mycelia_protocol.record import Record, build_record
from mycelia_protocol.types.answer import Answer
from mycelia_protocol.unpacking import Unpacking
from support.luggage import carry, pack, pack_all, pack_blocks, read, records_in
from support.mesh import Mesh, Node

WATER: dict[str, Value] = {
    "category": "food.water",
    "title": "Water",
    "quantity": 5,
    "unit": "mL",
}


def bring(node: Node, *records: Record) -> Carried:
    """Bring records to a node and return what became of them."""
    token = node.mesh.token()
    node.give(RecordsCarried(token, records))
    node.mesh.settle()
    return node.carried[token]


def ids(records: list[Record]) -> list[bytes]:
    """Return the ids of records; which signatures are kept depends on the way."""
    return [record.id for record in records]


def counts(answer: Carried | Unpacking) -> tuple[int, ...]:
    """Return new, known, strangers, gaps, contested, refused."""
    return (
        answer.new,
        answer.known,
        answer.strangers,
        answer.gaps,
        answer.contested,
        answer.refused,
    )


def test_islands_become_level_by_stick() -> None:
    """Two islands without a link exchange all by two bundles; the neighbours there get it too."""
    mesh = Mesh(count=4)
    one, two, three, four = mesh.nodes
    mesh.connect(one, two)
    mesh.connect(three, four)
    one.publish("offer", {**WATER, "lot": 1})
    four.publish("request", {**WATER, "urgency": "now"})
    mesh.run(2_000)
    carry(mesh, pack_all(two), three)
    mesh.run(2_000)
    carry(mesh, pack_all(four), one)
    mesh.run(2_000)
    carry(mesh, pack_all(one), four)
    mesh.run(2_000)
    digests = {node.engine.state.digest() for node in mesh.nodes}
    assert len(digests) == 2, "the grant is on one side alone"
    carry(mesh, pack_all(three), two)
    carry(mesh, pack_all(two), three)
    mesh.run(2_000)
    assert len({node.engine.state.digest() for node in mesh.nodes}) == 1
    assert [answer.body.accept for answer in one.engine.state.every(Answer)] == [True]


def test_what_is_known_changes_nothing() -> None:
    """The second time all is known, and nothing is stored or told."""
    mesh = Mesh()
    one, two = mesh.nodes
    one.publish("offer", {**WATER, "lot": 1})
    first = carry(mesh, pack_all(one), two)
    assert first.new == 1
    before = two.disk.records()
    second = carry(mesh, pack_all(one), two)
    assert counts(second) == (0, len(before), 0, 0, 0, 0)
    assert two.disk.records() == before


def test_each_sort_of_unusable_record_is_counted_as_what_it_is() -> None:
    """Strangers', foreign, forged, bodiless records and those beyond a gap are not taken in."""
    mesh = Mesh(count=3)
    one, two, _ = mesh.nodes
    for n in range(5):
        one.publish("offer", {**WATER, "title": f"Water {n}", "lot": 1})
    own = [r for r in one.disk.records() if r.kind == "offer"]
    assert counts(bring(two, own[-1])) == (0, 0, 0, 1, 0, 0)
    forged = replace(own[0], signature=bytes(64))
    bodiless = replace(own[0], body=None)
    stranger = build(mesh, b"\7" * 32)
    foreign = build(mesh, b"\7" * 32, bytes(32))
    answer = bring(two, forged, bodiless, stranger, foreign)
    assert counts(answer) == (0, 0, 1, 0, 0, 3)
    assert not two.closed
    assert bring(two, *own).new == 5
    assert ids(two.disk.records()) == ids(one.disk.records())


def build(mesh: Mesh, seed: bytes, commons: bytes | None = None) -> Record:
    """Return the first record of somebody for whom nobody vouched."""
    return build_record(
        commons=commons or mesh.charter.commons,
        seed=seed,
        author=public_key(seed),
        log=b"12345678",
        seq=0,
        prev=None,
        kind="incarnation",
        time_ms=0,
        content={"heads": []},
        salt=bytes(16),
    )


def test_a_fork_in_a_bundle_is_noticed_and_blamed_on_nobody() -> None:
    """The other end of a fork is told to people; the log stays as it is."""
    mesh = Mesh(count=3)
    one, two, three = mesh.nodes
    bring(two, *one.disk.records())
    one.publish("offer", {**WATER, "lot": 1})
    offer = one.disk.records()[-1]
    twin = build_record(
        commons=offer.commons, seed=one.seed, author=offer.author, log=offer.log, seq=offer.seq,
        prev=offer.prev, kind="offer", time_ms=1, content={**WATER, "lot": 1}, salt=bytes(16),
    )  # fmt: skip
    assert bring(two, offer).new == 1
    assert counts(bring(two, twin)) == (0, 0, 0, 0, 1, 0)
    assert ForkSeen(offer.author, offer.log, offer.seq) in two.notices
    assert not three.closed


def test_an_own_record_from_a_stick_opens_a_new_log_and_shuts_the_gate() -> None:
    """A node that forgot what it wrote learns of it by stick as by a link: INC-3, INC-4."""
    mesh = Mesh()
    one, two = mesh.nodes
    mesh.connect(one, two)
    two.publish("offer", {**WATER, "lot": 1})
    mesh.run(1_000)
    log = two.engine.publisher.log
    assert log is not None
    two.disk.logs[two.key, log].pop()  # an old backup, and a lie that it is the latest
    two.start(log)
    assert is_open(two)
    carry(mesh, pack_all(one), two)
    assert not is_open(two)
    two.publish("profile", {"name": "Two"})
    assert two.engine.publisher.log != log
    assert ids(two.disk.logs[two.key, log]) == ids(one.disk.logs[two.key, log])


def test_the_gate_opens_by_sticks_that_know_the_present_log() -> None:
    """A restored node may spend again once members' bundles know of its new log, and not before."""
    mesh = Mesh(count=4)
    one, two, three, four = mesh.nodes
    for node in (two, three):
        mesh.connect(one, node)
    one.publish("offer", {**WATER, "lot": 1})
    mesh.run(1_000)
    one.start(None)
    assert not is_open(one)
    for node in (two, three, four):
        carry(mesh, pack_all(node), one)
    assert not is_open(one), "those were made before it began anew"
    one.publish("profile", {"name": "One"})
    old = pack_all(three)
    carry(mesh, pack_all(one), two)
    carry(mesh, pack_all(two), one)
    assert not is_open(one), "one is not enough"
    carry(mesh, old, one)
    assert not is_open(one), "it does not know the present log"
    carry(mesh, pack_all(one), four)
    carry(mesh, pack_all(four), one)
    assert is_open(one)


def test_the_gate_stays_shut_while_a_stick_tells_of_more() -> None:
    """A member that holds more of the own older logs than the node does confirms nothing."""
    mesh = Mesh()
    one, two = mesh.nodes
    mesh.connect(one, two)
    one.publish("offer", {**WATER, "lot": 1})
    mesh.run(1_000)
    log = one.engine.publisher.log
    assert log is not None
    one.disk.logs[one.key, log].pop()
    one.start(None)
    one.publish("profile", {"name": "One"})
    carry(mesh, pack_all(one), two)
    heads = {(h.author, h.log): h.next_seq for h in heights_of(two.engine.logs)}
    one.give(HeadsCarried(two.key, heads))
    assert not is_open(one), "what it has forgotten is not here yet"
    carry(mesh, pack_all(two), one)
    assert not is_open(one), "its own records came from another: it begins once more"
    one.publish("profile", {"name": "One again"})
    carry(mesh, pack_all(one), two)
    carry(mesh, pack_all(two), one)
    assert is_open(one)


def is_open(node: Node) -> bool:
    """Return whether a node may grant."""
    return node.engine.gate.is_open


def test_a_full_disk_is_told_and_nothing_is_kept() -> None:
    """When the store fails, whoever brought the records hears of it, and may try again."""
    mesh = Mesh()
    one, two = mesh.nodes
    one.publish("offer", {**WATER, "lot": 1})
    offer = one.disk.records()[-1]
    two.disk.fails = True
    token = mesh.token()
    two.give(RecordsCarried(token, (offer,)))
    mesh.settle()
    assert two.refusals[token].code == "store"
    assert token not in two.carried
    two.disk.fails = False
    assert bring(two, offer).new == 1


def test_the_heads_of_a_peer_are_kept_when_its_link_ends() -> None:
    """What a peer told is saved at the end of its link, and a bundle for it leaves that out."""
    mesh = Mesh()
    one, two = mesh.nodes
    link, _ = mesh.connect(one, two)
    two.publish("offer", {**WATER, "lot": 1})
    mesh.run(1_000)
    mesh.cut(link)
    mesh.settle()
    known = one.disk.heads[two.key]
    assert known
    one.publish("offer", {**WATER, "title": "Later", "lot": 1})
    packing = Packing(one.engine.logs, one.engine.state, known)
    assert packing.records == 1
    assert packing.left_out == len(one.disk.records()) - 1
    assert counts(carry(mesh, b"".join(pack(one, known)), two)) == (1, 0, 0, 0, 0, 0)


def test_packing_goes_on_where_the_room_ended() -> None:
    """Whatever fits into a chunk, all is packed once, in order, and each run ends signed."""
    mesh = Mesh()
    one, _ = mesh.nodes
    for n in range(40):
        one.publish("offer", {**WATER, "title": f"Water {n}", "note": "x" * 500, "lot": 1})
    packing = Packing(one.engine.logs, one.engine.state, {})
    packing.size_max = 4_000
    packed: list[Record] = []
    for block in pack_blocks(one, packing, writer_of(one)):
        records = records_in(read([block])[1])
        packed += records
        assert records[-1].signature is not None
    assert ids(packed) == ids(one.disk.records())
    assert packing.missing == 0


def test_what_the_store_does_not_give_is_counted() -> None:
    """Records that can't be read are left out and counted, and the packing ends."""
    mesh = Mesh()
    one, two = mesh.nodes
    mesh.connect(one, two)
    two.publish("offer", {**WATER, "lot": 1})
    mesh.run(1_000)
    packing = Packing(one.engine.logs, one.engine.state, {})
    lost = one.disk.logs.pop((one.key, one.engine.logs.stored_logs()[0][1]), None)
    log = one.disk.logs[two.key, two.engine.logs.stored_logs()[-1][1]] if lost is None else None
    gone = len(lost or [])
    if log is not None:
        gone = len(log)
        log.clear()
    writer = writer_of(one)
    assert list(pack_blocks(one, packing, writer))
    assert (packing.missing, writer.records) == (gone, packing.records - gone)


def writer_of(node: Node) -> BundleWriter:
    """Return what writes a bundle of a node's."""
    label = Label(node.mesh.charter.commons, node.key, node.mesh.now_ms)
    return BundleWriter(node.seed, bytes(8), label)


def test_events_are_answered_once() -> None:
    """Each `RecordsCarried` gets one answer, also when several wait for one write."""
    mesh = Mesh()
    one, two = mesh.nodes
    for n in range(3):
        one.publish("offer", {**WATER, "title": f"Water {n}", "lot": 1})
    offers = one.disk.records()[-3:]
    outputs = [two.engine.handle(RecordsCarried(n, (r,)), 0) for n, r in enumerate(offers)]
    stores = [o for out in outputs for o in out if isinstance(o, events.StoreRecords)]
    assert not [o for out in outputs for o in out if isinstance(o, Carried)]
    answers = [
        o
        for store in stores
        for o in two.engine.handle(events.RecordsStored(store.batch), 0)
        if isinstance(o, Carried)
    ]
    assert [(a.token, a.new) for a in answers] == [(0, 1), (1, 1), (2, 1)]
