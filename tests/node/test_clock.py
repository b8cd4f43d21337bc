"""The node's clock."""

import time

import pytest

from mycelia_node.clock import Clock


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """The machine's two clocks in ms, in the hands of the test."""
    state = {"wall": 1_000_000, "monotonic": 5_000}
    monkeypatch.setattr(time, "time_ns", lambda: state["wall"] * 1_000_000)
    monkeypatch.setattr(time, "monotonic_ns", lambda: state["monotonic"] * 1_000_000)
    return state


def test_it_goes_on_when_the_wall_clock_is_set_back(clocks: dict[str, int]) -> None:
    """Timers go on at their pace when somebody sets the clock back an hour."""
    clock = Clock()
    clocks["wall"] -= 3_600_000
    clocks["monotonic"] += 250
    assert clock.now_ms() == 1_000_250


def test_it_follows_a_wall_clock_that_is_ahead(clocks: dict[str, int]) -> None:
    """After a sleep of the machine, or a first contact with a time server, it follows at once."""
    clock = Clock()
    clocks["wall"] += 3_600_000
    clocks["monotonic"] += 10
    assert clock.now_ms() == 4_600_000
    clocks["monotonic"] += 10
    clocks["wall"] += 10
    assert clock.now_ms() == 4_600_010


def test_small_differences_change_nothing(clocks: dict[str, int]) -> None:
    """A wall clock that is slewed does not make time jump."""
    clock = Clock()
    clocks["wall"] += 300
    clocks["monotonic"] += 100
    assert clock.now_ms() == 1_000_100
