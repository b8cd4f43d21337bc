"""Whom a node dials, and what members' claims about addresses can and can't do."""

import random
from collections.abc import Callable

from mycelia_protocol.limits import DEGREE_HIGH, DEGREE_OUTBOUND, DIAL_RANDOM_INTERVAL_MS
from mycelia_protocol.overlay import Overlay

OWN, OAK, LIAR = b"own", b"oak", b"liar"
OAKS_ADDRESS = "oak.example:7946"
SECOND_MS, HOUR_MS = 1_000, 3_600_000


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


def crowded(dialled: int, accepted: int, *fixed: str) -> Overlay:
    """Return an overlay with links that it dialled, and later ones that others dialled."""
    made = overlay(*fixed)
    for link in range(dialled + accepted):
        key, address = link.to_bytes(32), f"host{link}:1"
        made.regions[key] = (0, 0)
        if link < dialled:
            made.heard_of(key, [address], OWN)
            made.opened(link, address)
        made.identified(link, key)
    return made


def test_a_node_with_links_enough_lets_go_of_one_that_it_dialled() -> None:
    """Random dials go on for ever; without this everybody would be linked with everybody."""
    made = crowded(DEGREE_HIGH + 1, 0)
    for link in range(DEGREE_HIGH + 1):
        chosen = made.surplus()
        if chosen is None:
            break
        assert chosen != DEGREE_HIGH, "the newest looks beyond the others"
        made.lost(chosen)
        made.closed(chosen, link)
    assert made.surplus() is None
    assert len(made._connected) == DEGREE_HIGH


def test_links_that_others_dialled_are_theirs_to_let_go() -> None:
    """Else whoever dials most could crowd out all whom a node chose itself, and the reverse."""
    assert crowded(0, DEGREE_HIGH + 5).surplus() is None
    assert crowded(DEGREE_OUTBOUND, DEGREE_HIGH + 5).surplus() is None
    assert crowded(DEGREE_OUTBOUND + 1, DEGREE_HIGH).surplus() in range(DEGREE_OUTBOUND + 1)


def test_who_dials_here_is_never_the_newest_in_place_of_who_was_dialled() -> None:
    """Else a member who dials again and again would let each look beyond the others end at once."""
    made = crowded(DEGREE_HIGH, 1)
    for _ in range(40):
        assert made.surplus() in range(DEGREE_HIGH - 1)


def test_the_only_link_to_a_region_and_fixed_addresses_stay() -> None:
    """A commons that is cut between regions heals at the few links that cross."""
    made = crowded(DEGREE_HIGH + 1, 0, "host0:1")
    made.regions = {key: (number, 0) for number, key in enumerate(made._connected.values())}
    assert made.surplus() is None
    for key in list(made.regions)[:2]:
        made.regions[key] = (99, 99)
    assert made.surplus() == 1


def test_a_region_without_a_link_is_dialled_first() -> None:
    """However many members another region has."""
    made = overlay()
    for number in range(40):
        key = number.to_bytes(32)
        made.heard_of(key, [f"near{number}:1"], OWN)
        made.regions[key] = (0, 0)
    made.heard_of(OAK, [OAKS_ADDRESS], OWN)
    made.regions[OAK] = (5, 5)
    first = made.timer(0)
    assert OAKS_ADDRESS in first
    assert len(first) > 1


def calm(hours: int) -> Overlay:
    """Return an overlay with links enough, whose dials of further members all lead to links."""
    made = overlay()
    for link in range(DEGREE_HIGH):
        made.identified(link, link.to_bytes(32))
    made.heard_of(OAK, [OAKS_ADDRESS], OWN)
    for now_ms in range(0, hours * HOUR_MS, SECOND_MS):
        for address in made.timer(now_ms):
            made.opened(-1, address)
            made.identified(-1, OAK)
            made.lost(-1)
            made.closed(-1, now_ms)  # it was one too many
    return made


def test_a_node_looks_again_soon_when_something_was_lost_or_is_new() -> None:
    """9.7: a link that broke, a dial that failed, a new address; not a link that was let go."""
    begin_ms = HOUR_MS
    happenings: dict[str, Callable[[Overlay], None]] = {
        "broken": lambda made: made.closed(0, begin_ms, is_broken=True),
        "failed": lambda made: made.failed(OAKS_ADDRESS, begin_ms),
        "moved": lambda made: made.heard_of(OAK, ["elsewhere.example:1"], OWN),
        "let go": lambda made: made.closed(0, begin_ms),
        "as before": lambda made: made.heard_of(OAK, [OAKS_ADDRESS], OWN),
    }
    for happening, happens in happenings.items():
        made = calm(hours=1)
        before_ms = made.due_ms
        assert before_ms is not None
        happens(made)
        due_ms = made.due_ms
        assert due_ms is not None
        is_sooner = happening in ("broken", "failed", "moved")
        assert (due_ms < before_ms) == is_sooner, happening
        assert not is_sooner or due_ms <= begin_ms + DIAL_RANDOM_INTERVAL_MS * 3 // 2, happening
