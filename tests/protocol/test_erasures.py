"""Words that their author wants gone are gone everywhere, and nothing that counts is."""

import random
from dataclasses import replace
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from mycelia_protocol.encoding import Value
from mycelia_protocol.erasures import Erasures
from mycelia_protocol.events import StoreRecords
from mycelia_protocol.limits import RECONCILE_INTERVAL_MS
from mycelia_protocol.logs import Logs
from mycelia_protocol.messages import Push
from mycelia_protocol.replicate import Replicate
from mycelia_protocol.spans import Spans
from mycelia_protocol.types import erase
from mycelia_protocol.types.offer import Offer
from mycelia_protocol.types.profile import Profile
from support.mesh import Mesh, Node
from support.scribe import village
from support.visitor import a_member

NOTE = "Ring at the blue door"
OFFER: dict[str, Value] = {
    "category": "food.water",
    "title": "From our well",
    "quantity": 20,
    "unit": "mL",
    "note": NOTE,
}
NUMBERS = st.tuples(st.booleans(), st.integers(0, 30), st.integers(0, 6))


def mesh(count: int) -> Mesh:
    """Return a commons whose first node offers water and says where."""
    made = Mesh(count=count, allocate=False)
    made.nodes[0].publish("offer", OFFER)
    return made


def let_go(node: Node) -> bytes:
    """Let a node erase its whole present log, as far as it goes; return the erasure's id."""
    (key,) = [key for key in node.disk.logs if key[0] == node.key]
    return node.publish("erase", erase.content(key[1], [(0, len(node.disk.logs[key]) - 1)]))


def speaks(node: Node) -> bool:
    """Return whether the words are anywhere on a node's disk or in its memory."""
    on_disk = any(NOTE.encode() in (record.body or b"") for record in node.disk.records())
    offers = node.engine.state.every(Offer)
    assert on_disk == any(offer.body.note == NOTE for offer in offers)
    return on_disk


def digests(made: Mesh) -> set[bytes]:
    """Return the states of all nodes."""
    return {node.engine.state.digest() for node in made.nodes}


def test_words_go_everywhere_and_the_state_stays() -> None:
    """ERASE-4: on each disk and in each memory, also of whoever comes later; facts stay."""
    made = mesh(4)
    first, second, third, late = made.nodes
    made.connect(first, second)
    made.connect(second, third)
    (before,) = {node.engine.state.digest() for node in (first, second, third)}
    assert all(map(speaks, (first, second, third)))
    let_go(first)
    made.connect(third, late)
    assert not any(map(speaks, made.nodes))
    assert digests(made) == {before}
    for node in made.nodes:
        (offer,) = node.engine.state.every(Offer)
        assert (offer.body.title, offer.body.quantity) == ("", 20)
        assert node.engine.replicate.erasures.is_complete
    late.start(None)
    assert late.engine.state.digest() == before
    assert late.engine.replicate.erasures.is_complete


def test_islands_agree_whichever_of_them_has_heard_of_an_erasure() -> None:
    """FOLD-1: while one side has erased and the other writes on, and after they meet."""
    made = mesh(4)
    first, second, third, fourth = made.nodes
    links = [made.connect(*pair) for pair in ((first, second), (second, third), (third, fourth))]
    made.cut(links[1][0])
    made.settle()
    let_go(first)
    (offer,) = third.engine.state.every(Offer)
    assert (speaks(second), speaks(third)) == (False, True)
    assert digests(made) == {first.engine.state.digest()}
    request: dict[str, Value] = {**OFFER, "title": "For us", "note": "", "urgency": "now"}
    third.publish("request", {**request, "quantity": 5})
    asked = fourth.publish("request", {**request, "quantity": 3})
    assert len(digests(made)) == 2
    made.connect(second, third)
    first.publish("grant", {"quantity": 3}, offer.id, asked)
    made.run(1_000)
    assert not any(map(speaks, made.nodes))
    assert len(digests(made)) == 1


def test_a_record_that_comes_whole_after_its_erasure_is_stripped() -> None:
    """ERASE-2, ERASE-4: an erasure counts for an older log of its author that comes later."""
    charter, (mill, *_) = village(1)
    offer = mill.write("offer", OFFER)
    old = list(mill.written)
    mill.reincarnate()
    erasure = mill.write("erase", erase.content(offer.log, [(0, 9)]))
    erasures = Erasures()
    new = tuple(record for record in mill.written if record.log == mill.log)
    assert erasures.admit(new)[1][0].log == offer.log
    kept, _ = erasures.admit(tuple(old))
    assert kept[offer.seq] == offer.without_words()
    assert erasures.strip([offer, erasure]) == [offer.without_words(), erasure]
    assert erasures.is_complete
    assert charter.commons == offer.commons


def test_nobody_erases_the_words_of_others() -> None:
    """ERASE-2: an erasure that names a log of somebody else is about a log that is not there."""
    made = mesh(2)
    first, second = made.nodes
    made.connect(first, second)
    (key,) = [key for key in first.disk.logs if key[0] == first.key]
    second.publish("erase", erase.content(key[1], [(0, 100)]))
    assert speaks(first)
    assert speaks(second)


def withhold(node: Node) -> None:
    """Let a node lie: it has all records without their words, as if their authors had asked."""
    for log in node.disk.logs.values():
        log[:] = [record.without_words() for record in log]


def test_words_that_somebody_holds_back_are_sought_elsewhere() -> None:
    """ERASE-5, ERASE-6: what counts is taken at once, and the words come from another member."""
    made = mesh(3)
    author, liar, victim = made.nodes
    made.connect(author, liar)
    withhold(liar)
    made.connect(liar, victim)
    assert victim.engine.state.digest() == author.engine.state.digest()
    assert not speaks(victim)
    made.run(2 * RECONCILE_INTERVAL_MS)
    assert not speaks(victim)
    victim.start(None)
    made.connect(liar, victim)
    made.connect(author, victim)
    made.run(20 * RECONCILE_INTERVAL_MS)
    assert speaks(victim)
    assert victim.engine.replicate.erasures.is_complete
    assert victim.engine.state.profile(author.key) == author.engine.state.profile(author.key)
    assert digests(made) == {author.engine.state.digest()}


def test_no_spoilt_signature_comes_in_with_words() -> None:
    """LOG-4: who passed it on would be taken for a forger, wherever a range ends with it."""
    made = mesh(2)
    victim = made.nodes[0]
    (offer,) = [each for each in victim.disk.records() if each.kind == "offer"]
    withhold(victim)
    victim.start(None)
    visitor = a_member(made)
    visitor.say(Push((replace(offer, signature=bytes(64)),)))
    assert all(each.is_signed() for each in victim.disk.records())
    assert not speaks(victim)
    visitor.say(Push((offer,)))
    assert all(each.is_signed() for each in victim.disk.records())
    assert speaks(victim)


def test_who_pushes_new_records_without_their_words_is_not_heeded() -> None:
    """ERASE-5: a pushed record is taken whole, or left until somebody brings it."""
    charter, (mill, *_) = village(1)
    offer = mill.write("offer", OFFER)
    replicate = Replicate(charter.commons, lambda _: True, random.Random(1), Logs())
    replicate.opened(1, mill.key, bytes(32), 0)
    start = tuple(mill.written[:-1])
    assert any(isinstance(step, StoreRecords) for step in replicate.heard(1, Push(start), 0))
    stripped = replicate.heard(1, Push((offer.without_words(),)), 0)
    assert not any(isinstance(step, StoreRecords) for step in stripped)
    assert not replicate.logs.holds(offer)
    replicate.heard(1, Push((offer,)), 0)
    assert replicate.logs.holds(offer)


def test_a_profile_may_lose_its_words_too() -> None:
    """What was said of a member that has gone: its name goes, its place and number stay."""
    made = Mesh(count=2, allocate=False)
    first, second = made.nodes
    made.connect(first, second)
    first.publish("profile", {"name": "Mill", "about": NOTE, "members": 4})
    let_go(first)
    for node in made.nodes:
        profile = node.engine.state.profile(first.key)
        assert isinstance(profile, Profile)
        assert (profile.name, profile.about, profile.members) == ("", "", 4)


@given(st.lists(NUMBERS, max_size=25))
def test_spans_are_a_set(changes: list[tuple[bool, int, int]]) -> None:
    """Whatever is added and taken away, what is in it is what would be in a set, in fewest runs."""
    spans, model = Spans(), set[int]()
    for is_new, first, length in changes:
        numbers = range(first, first + length + 1)
        if is_new:
            spans.add(first, first + length)
            model.update(numbers)
        else:
            spans.remove(first, first + length)
            model.difference_update(numbers)
        assert {number for number in range(45) if number in spans} == model
        assert bool(spans) == bool(model)
        runs = list(spans)
        assert sum(last - begin + 1 for begin, last in runs) == len(model)
        assert all(one[1] + 1 < other[0] for one, other in pairwise(runs))
