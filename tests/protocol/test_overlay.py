"""Whom a node dials, and what members' claims about addresses can and can't do."""

import random

from mycelia_protocol.limits import DIAL_RANDOM_INTERVAL_MS
from mycelia_protocol.overlay import Overlay

OWN, OAK, LIAR = b"own", b"oak", b"liar"
OAKS_ADDRESS = "oak.example:7946"


def overlay(*fixed: str) -> Overlay:
    """Return an overlay that discovers."""
    return Overlay(fixed, (), True, random.Random(1))


def dialled(made: Overlay, within_ms: int) -> set[str]:
    """Return what is dialled within a time, all dials failing."""
    found = set[str]()
    for now_ms in range(0, within_ms, 1_000):
        for address in made.timer(now_ms):
            found.add(address)
            made.failed(address, now_ms)
    return found


def connect(made: Overlay, link: int, key: bytes) -> None:
    """Let a member's session come up that nobody here dialled."""
    made.identified(link, key)


def test_an_address_that_a_linked_member_claims_too_is_dialled_all_the_same() -> None:
    """A profile with somebody else's address does not keep a node from dialling them."""
    made = overlay()
    made.heard_of(OAK, [OAKS_ADDRESS], OWN)
    made.heard_of(LIAR, [OAKS_ADDRESS], OWN)
    connect(made, 1, LIAR)
    assert OAKS_ADDRESS in dialled(made, 3 * DIAL_RANDOM_INTERVAL_MS)


def test_a_fixed_address_is_dialled_whoever_claims_it() -> None:
    """What the owner configured can't be talked away."""
    made = overlay(OAKS_ADDRESS)
    made.heard_of(LIAR, [OAKS_ADDRESS], OWN)
    connect(made, 1, LIAR)
    assert OAKS_ADDRESS in dialled(made, 20_000)


def test_a_claim_that_is_taken_back_takes_nobody_elses_with_it() -> None:
    """An address goes only when no member names it any more."""
    made = overlay()
    made.heard_of(OAK, [OAKS_ADDRESS], OWN)
    made.heard_of(LIAR, [OAKS_ADDRESS], OWN)
    made.heard_of(LIAR, ["elsewhere.example:1"], OWN)
    assert OAKS_ADDRESS in dialled(made, 3 * DIAL_RANDOM_INTERVAL_MS)
    made.heard_of(OAK, [], OWN)
    assert OAKS_ADDRESS not in dialled(made, 3 * DIAL_RANDOM_INTERVAL_MS)


def test_a_member_that_is_linked_is_not_dialled_again() -> None:
    """One link a member is enough, whoever opened it."""
    made = overlay()
    made.heard_of(OAK, [OAKS_ADDRESS], OWN)
    connect(made, 1, OAK)
    assert OAKS_ADDRESS not in dialled(made, 3 * DIAL_RANDOM_INTERVAL_MS)


def test_who_answered_is_believed_before_who_claims() -> None:
    """An address where a linked member answered before is not dialled while it is linked."""
    made = overlay()
    made.heard_of(OAK, [OAKS_ADDRESS], OWN)
    assert made.timer(0) == [OAKS_ADDRESS]
    made.opened(1, OAKS_ADDRESS)
    made.identified(1, OAK)
    made.heard_of(LIAR, [OAKS_ADDRESS], OWN)
    made.lost(1)
    made.closed(1, 10)
    connect(made, 2, OAK)
    assert OAKS_ADDRESS not in dialled(made, 3 * DIAL_RANDOM_INTERVAL_MS)
