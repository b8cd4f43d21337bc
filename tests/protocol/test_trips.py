"""How long a node waits for a push: longer where the link is slow, and never for ever."""

import random

from hypothesis import given
from hypothesis import strategies as st

from mycelia_protocol.crypto import public_key
from mycelia_protocol.events import Range
from mycelia_protocol.limits import GRAFT_DELAY_MAX_MS, GRAFT_DELAY_MS
from mycelia_protocol.logs import Logs
from mycelia_protocol.messages import Announce, Digest, HeadEntry, Want
from mycelia_protocol.replicate import Replicate
from mycelia_protocol.session import open_session
from mycelia_protocol.told import Say
from mycelia_protocol.trips import TRIPS_KEPT, Trips

SEEDS = (b"\1" * 32, b"\2" * 32)
KEY = (bytes(32), bytes(8))


def test_both_ends_of_a_handshake_see_a_round_trip() -> None:
    """REP-10: the first delay goes by the handshake, whoever opened the link."""
    now_ms, way_ms = 1_000, 90
    sides = [
        open_session(
            outbound=at == 0,
            commons=bytes(32),
            seed=SEEDS[at],
            static=bytes([at + 1]) * 32,
            ephemeral=bytes([at + 5]) * 32,
            now_ms=now_ms + at * way_ms,
        )
        for at in range(2)
    ]
    frame = sides[0].begin()
    turn = 1
    while frame is not None:
        now_ms += way_ms
        answers, _ = sides[turn].receive(frame, now_ms)
        frame = answers[0] if answers else None
        turn = 1 - turn
    assert all(side.is_ready for side in sides)
    assert [side.trip_ms for side in sides] == [2 * way_ms] * 2
    assert sides[0].peer_key == public_key(SEEDS[1])


@given(st.lists(st.integers(0, 100_000), max_size=50))
def test_the_delay_is_bounded_and_four_slow_round_trips(trips: list[int]) -> None:
    """REP-10: between the least and the most, and one slow trip in twenty changes nothing."""
    seen = Trips()
    for trip_ms in trips:
        seen.left(0)
        seen.came_back(trip_ms)
    last = sorted(trips[-TRIPS_KEPT:])
    assert GRAFT_DELAY_MS <= seen.graft_delay_ms <= GRAFT_DELAY_MAX_MS
    if last:
        assert seen.p95_ms in (last[-1], last[max(0, len(last) - 2)])
        assert sum(trip > seen.p95_ms for trip in last) <= len(last) // 20
        assert seen.graft_delay_ms == min(5_000, max(500, 4 * seen.p95_ms))


def test_over_a_slow_link_a_node_waits_longer_before_it_asks() -> None:
    """REP-10: at 400 ms there and back a push may come 1.6 s after the announcement."""
    replicate = Replicate(bytes(32), lambda _: True, random.Random(1), Logs())
    replicate.opened(1, bytes(32), bytes(32), 0, 400)
    replicate.heard(1, Digest(bytes(16), 0), 0)
    replicate.heard(1, Announce((HeadEntry(*KEY, 3, bytes(8)),)), 1_000)
    assert not [step for step in replicate.timer(2_599) if isinstance(step, Say)]
    wanted = [step.message for step in replicate.timer(2_600) if isinstance(step, Say)]
    assert Want((Range(*KEY, 0, 2),)) in wanted
