"""One author can't fill everybody's store at once; what is left aside comes later, and counts."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mycelia_protocol import allowances, replicate
from mycelia_protocol.allowances import HOUR_MS, Allowances
from mycelia_protocol.encoding import Value
from mycelia_protocol.limits import AUTHOR_BURST_MAX, AUTHOR_RATE_PER_HOUR
from mycelia_protocol.types.offer import Offer
from support.mesh import Mesh, Node
from support.scribe import village

OFFER: dict[str, Value] = {
    "category": "food.water",
    "title": "Water",
    "quantity": 20,
    "unit": "mL",
    "note": "x" * 300,
}
BURST = 4_000  # bytes: some six offers


@pytest.fixture
def mesh(monkeypatch: pytest.MonkeyPatch) -> Mesh:
    """Three nodes in a row that take little of one author at once."""
    monkeypatch.setattr(allowances, "AUTHOR_BURST_MAX", BURST)
    monkeypatch.setattr(allowances, "AUTHOR_RATE_PER_HOUR", 20 * BURST)
    monkeypatch.setattr(replicate, "RUN_SIZE_MAX", BURST // 2)
    return Mesh(count=3, allocate=False)


def offers(node: Node, author: Node) -> int:
    """Return how many offers of an author a node knows."""
    return len(node.engine.state.by_author(author.key, Offer))


def digests(mesh: Mesh) -> set[bytes]:
    """Return the states of all nodes."""
    return {node.engine.state.digest() for node in mesh.nodes}


@pytest.mark.parametrize("is_live", [True, False])
def test_what_is_too_much_at_once_comes_later(mesh: Mesh, is_live: bool) -> None:
    """REP-16: pushed or fetched, it is left aside without judgement, and all agree in the end."""
    loud, near, far = mesh.nodes
    if is_live:
        mesh.connect(loud, near)
        mesh.connect(near, far)
    for _ in range(40):
        loud.publish("offer", OFFER)
    far.publish("offer", OFFER)
    if not is_live:
        mesh.connect(loud, near)
        mesh.connect(near, far)
    mesh.run(1_000)
    assert 0 < offers(near, loud) < 40
    assert offers(near, far) == 1
    held_back = near.engine.replicate.allowances
    assert held_back.spent(mesh.now_ms) == [loud.key]
    assert mesh.now_ms < held_back.ready_ms(loud.key) <= mesh.now_ms + HOUR_MS
    before = offers(near, loud)
    mesh.run(5 * 60_000)
    assert before < offers(near, loud) < 40
    mesh.run(25 * 60_000)
    assert offers(near, loud) == offers(far, loud) == 40
    assert len(digests(mesh)) == 1
    assert not near.closed


def test_a_node_that_lost_its_store_takes_all_of_its_own_back(mesh: Mesh) -> None:
    """What it wrote itself is not bounded: it must know it before it may spend."""
    loud, near, _ = mesh.nodes
    mesh.connect(loud, near)
    for _ in range(12):
        loud.publish("offer", OFFER)
        mesh.now_ms += HOUR_MS
    mesh.run(120_000)
    assert offers(near, loud) == 12
    for link in list(mesh.ends):
        mesh.cut(link)
    mesh.settle()
    loud.disk.logs.clear()
    loud.start(None)
    assert offers(loud, loud) == 0
    mesh.connect(loud, near)
    assert offers(loud, loud) == 12


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 30 * HOUR_MS), st.integers(1, 15)), max_size=9))
def test_no_author_gets_more_than_its_bucket_gives(steps: list[tuple[int, int]]) -> None:
    """Over any time: a burst, what the hours bring, and the one answer that goes beyond."""
    _, (mill, *_) = village(1)
    offer = mill.write("offer", {**OFFER, "note": "x" * 2_000})
    bucket, now_ms, taken, largest = Allowances(), 0, 0, 0
    for pause_ms, records in steps:
        now_ms += pause_ms
        if bucket.is_spent(mill.key, now_ms):
            assert bucket.ready_ms(mill.key) > now_ms
            assert not bucket.is_spent(mill.key, bucket.ready_ms(mill.key))
            continue
        size = records * 1_000 * offer.size
        bucket.take([offer] * records * 1_000, now_ms)
        taken, largest = taken + size, max(largest, size)
    assert taken <= AUTHOR_BURST_MAX + now_ms * AUTHOR_RATE_PER_HOUR // HOUR_MS + largest
