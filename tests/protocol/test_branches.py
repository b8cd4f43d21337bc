"""Who counts when a checkpoint is confirmed: branches of members, and not keys."""

import random
import time
import tracemalloc
from itertools import pairwise

import pytest

from mycelia_protocol.branches import branches
from mycelia_protocol.confirming import Witnesses

FOUNDER, A, B, C, LIAR, P, Q = (bytes([number]) * 32 for number in range(7))
SUM = b"s" * 32
OTHER = b"o" * 32


def naive(founder: bytes, vouched: dict[bytes, set[bytes]], without: bytes | None) -> object:
    """Return the same straight from its definition: who is reached no more without somebody."""

    def reached(gone: bytes | None) -> set[bytes]:
        found, rest = {founder}, [founder]
        while rest:
            fresh = vouched.get(rest.pop(), set()) - found - {gone, without}
            found |= fresh
            rest += fresh
        return found

    members = reached(None)
    lost = {each: members - reached(each) for each in members - {founder}}
    carriers = {key: {each for each in lost if key in lost[each]} for key in members}
    return {
        key: next((each for each in carriers[key] if carriers[each] == {each}), key)
        for key in members
    }


@pytest.mark.parametrize("seed", range(20))
def test_branches_are_what_their_definition_says(seed: int) -> None:
    """CHECK-4: whatever the vouches, those in circles and those written twice."""
    rng = random.Random(seed)
    for _ in range(20):
        keys = [bytes([number]) for number in range(rng.randrange(1, 9))]
        vouched: dict[bytes, set[bytes]] = {}
        for _ in range(rng.randrange(20)):
            vouched.setdefault(rng.choice(keys), set()).add(rng.choice(keys))
        for without in (None, *keys[1:]):
            assert branches(keys[0], vouched, without) == naive(keys[0], vouched, without)


def confirms(
    vouches: list[tuple[bytes, bytes]], told: dict[bytes, list[bytes]], author: bytes = LIAR
) -> bool:
    """Return whether SUM, by an author, is confirmed."""
    found = {
        Witnesses(FOUNDER, order(vouches), order(list(told.items()))).confirm(SUM, author)
        for order in (list, reversed, sorted)
    }
    assert len(found) == 1
    return found.pop()


STAR = [(FOUNDER, each) for each in (A, B, C, LIAR)]
PUPPETS = [(LIAR, P), (P, Q)]


@pytest.mark.parametrize(
    ("vouches", "told", "author", "is_confirmed"),
    [
        pytest.param(STAR, {P: [SUM], Q: [SUM]}, LIAR, False, id="puppets alone, unknown"),
        pytest.param([*STAR, *PUPPETS], {P: [SUM], Q: [SUM]}, LIAR, False, id="own puppets"),
        pytest.param(
            [*STAR, *PUPPETS], {LIAR: [SUM], Q: [SUM]}, P, False, id="puppets of one liar"
        ),
        pytest.param([*STAR, *PUPPETS], {A: [SUM], P: [SUM]}, LIAR, False, id="one accomplice"),
        pytest.param(
            [*STAR, (LIAR, P), (A, P)], {A: [SUM], P: [SUM]}, LIAR, False, id="let in by both"
        ),
        pytest.param([*STAR, *PUPPETS], {A: [SUM]}, P, False, id="one member"),
        pytest.param([*STAR, *PUPPETS], {A: [SUM], B: [SUM]}, LIAR, True, id="two members"),
        pytest.param(
            [*STAR, *PUPPETS],
            {A: [SUM], B: [SUM], LIAR: [OTHER], P: [OTHER], Q: [OTHER]},
            C,
            True,
            id="puppets are one voice against it",
        ),
        pytest.param(
            [(FOUNDER, each) for each in (A, B, C, LIAR, P)],
            {A: [SUM], B: [SUM], C: [OTHER], P: [OTHER]},
            LIAR,
            False,
            id="half",
        ),
        pytest.param([(FOUNDER, A)], {A: [SUM]}, FOUNDER, False, id="two in the commons"),
        pytest.param(
            [(FOUNDER, A), (A, B)], {FOUNDER: [SUM], A: [SUM]}, B, True, id="three in the commons"
        ),
        pytest.param([(FOUNDER, A), (A, B)], {A: [SUM], B: [SUM]}, FOUNDER, False, id="a chain"),
        pytest.param(
            [(FOUNDER, A), (FOUNDER, B)], {A: [SUM], B: [SUM]}, FOUNDER, True, id="the founder's"
        ),
    ],
)
def test_one_liar_confirms_nothing_whatever_it_hides_and_whoever_it_lets_in(
    vouches: list[tuple[bytes, bytes]],
    told: dict[bytes, list[bytes]],
    author: bytes,
    *,
    is_confirmed: bool,
) -> None:
    """CHECK-4: two branches, neither let in by the author alone, and most of those that spoke."""
    assert confirms(vouches, told, author) == is_confirmed


def test_what_is_kept_to_judge_many_authors_does_not_grow_with_their_square(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """CHECK-4: and where one liar's keys alone named something, nothing is worked out for it."""
    keys = [number.to_bytes(4, "big") for number in range(400)]
    vouches = [(keys[at // 3], keys[at]) for at in range(1, 400)]
    told = [(key, [b"sum" + each for each in keys]) for key in keys[1:3]]
    witnesses = Witnesses(keys[0], vouches, told)
    tracemalloc.start()
    found = [witnesses.confirm(b"sum" + key, key) for key in keys]
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert any(found)
    assert size < 1_000_000
    liars = Witnesses(FOUNDER, [*STAR, *PUPPETS], [(P, [SUM]), (Q, [SUM]), (LIAR, [SUM])])
    monkeypatch.setattr(liars, "_apart_from", None)
    assert not liars.confirm(SUM, A)


def test_no_pattern_of_vouches_that_one_member_makes_up_keeps_a_node_busy() -> None:
    """CHECK-4: branches of many keys are told in moments, in circles and in long chains too."""
    keys = [number.to_bytes(4, "big") for number in range(20_002)]
    vouched: dict[bytes, set[bytes]] = {keys[0]: {keys[1]}}
    circles = {keys[1]: {keys[2], keys[-1]}, keys[-1]: {keys[-2]}}
    for before, key in pairwise(keys[2:-1]):
        circles.setdefault(before, set()).add(key)
        circles.setdefault(key, set()).add(before)
    chain = {before: {key} for before, key in pairwise(keys[1:10_000])}
    chain[keys[2]] = {*keys[10_000:], keys[3]}  # they are let in by both ends of the chain
    chain[keys[9_999]] = set(keys[10_000:])
    begun_s = time.process_time()
    for pattern in (circles, chain):
        assert set(branches(keys[0], vouched | pattern).values()) == {keys[0], keys[1]}
    assert time.process_time() - begun_s < 10
