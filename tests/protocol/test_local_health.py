"""A node that is slow itself does not blame others for it."""

import random

from mycelia_protocol.events import Range
from mycelia_protocol.limits import (
    GRAFT_DELAY_MS,
    LATE_MIN_MS,
    LOCAL_HEALTH_MAX,
    WANT_TIMEOUT_MS,
)
from mycelia_protocol.local_health import LocalHealth
from mycelia_protocol.logs import Logs
from mycelia_protocol.messages import Announce, HeadEntry, Heads, Want
from mycelia_protocol.replicate import Replicate
from mycelia_protocol.told import Say

FIRST, SECOND = 1, 2
ENTRY = HeadEntry(bytes(32), bytes(8), 3, bytes(8))
WANTED = Want((Range(ENTRY.author, ENTRY.log, 0, 2),))


def asking() -> Replicate:
    """Return a node that has asked the first of two peers for a log at 0 ms."""
    replicate = Replicate(bytes(32), lambda _: True, random.Random(1), Logs())
    for link in (FIRST, SECOND):
        replicate.opened(link, bytes([link]) * 32, bytes(32), 0)
    for link in (FIRST, SECOND):
        replicate.heard(link, Heads((ENTRY,), complete=False), 0)
    return replicate


def wants(replicate: Replicate, now_ms: int) -> list[int]:
    """Return whom the timer asks for the log."""
    steps = [step for step in replicate.timer(now_ms) if isinstance(step, Say)]
    return [step.link for step in steps if step.message == WANTED]


def until(replicate: Replicate, end_ms: int) -> list[int]:
    """Fire timers in time until then, and return whom they ask for the log."""
    asked: list[int] = []
    while replicate.due_ms is not None and replicate.due_ms <= end_ms:
        asked += wants(replicate, replicate.due_ms)
    return asked


def test_who_does_not_answer_in_time_is_passed_over() -> None:
    """REP-5: the timeout as it is while the node is well."""
    replicate = asking()
    assert until(replicate, WANT_TIMEOUT_MS - 1) == []
    assert until(replicate, WANT_TIMEOUT_MS) == [SECOND]


def test_the_time_that_a_node_slept_through_is_not_counted() -> None:
    """9.7: answers wait in its own buffers; it looks at them before it asks somebody else."""
    replicate = asking()
    due_ms = replicate.due_ms
    assert due_ms is not None
    slept_ms = 60_000
    assert wants(replicate, due_ms + slept_ms) == []
    assert until(replicate, WANT_TIMEOUT_MS + slept_ms - 1) == []
    assert until(replicate, WANT_TIMEOUT_MS + slept_ms) == [SECOND]


def test_a_slow_node_waits_longer_for_pushes_too() -> None:
    """9.7: what is announced to it while it is slow is awaited for twice as long."""
    replicate = Replicate(bytes(32), lambda _: True, random.Random(1), Logs())
    replicate.opened(FIRST, bytes(32), bytes(32), 0)
    due_ms = replicate.due_ms
    assert due_ms is not None
    now_ms = due_ms + LATE_MIN_MS
    replicate.timer(now_ms)
    replicate.heard(FIRST, Announce((ENTRY,)), now_ms)
    assert until(replicate, now_ms + 2 * GRAFT_DELAY_MS - 1) == []
    assert until(replicate, now_ms + 2 * GRAFT_DELAY_MS) == [FIRST]


def test_the_score_has_bounds_and_falls_again() -> None:
    """Lifeguard: up by one for each late timer, down by one for each that is in time."""
    health = LocalHealth()
    for _ in range(20):
        assert health.woke(0, LATE_MIN_MS) == LATE_MIN_MS
    assert health.score == LOCAL_HEALTH_MAX
    assert health.stretched(100) == 100 * (LOCAL_HEALTH_MAX + 1)
    for _ in range(20):
        assert health.woke(0, LATE_MIN_MS - 1) == 0
    assert health.score == 0
    assert health.woke(None, 10**9) == 0
