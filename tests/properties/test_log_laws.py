"""Laws of authenticity: which records a node accepts does not depend on how they came."""

import random
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from mycelia_protocol.logs import Logs
from mycelia_protocol.record import Record
from support.scribe import village

LENGTH = 12
_, (FOUNDER, *_rest) = village(LENGTH)
LOG = FOUNDER.written[:LENGTH]
KEY = (LOG[0].author, LOG[0].log)


def spoilt(record: Record) -> Record:
    """Return the same record with a signature that does not verify."""
    return replace(record, signature=bytes(64))


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.booleans(), min_size=LENGTH, max_size=LENGTH),
    st.randoms(use_true_random=False),
)
def test_any_interleaving_ends_in_the_same_authentic_set(
    good: list[bool], rng: random.Random
) -> None:
    """What is accepted in the end is exactly what the last good signature reaches.

    Records with good and spoilt signatures are offered, in any order and grouping, until nothing
    changes any more.
    """
    wire = [record if fine else spoilt(record) for record, fine in zip(LOG, good, strict=True)]
    logs = Logs()
    before = -1
    while logs.accepted(KEY).next_seq != before:
        before = logs.accepted(KEY).next_seq
        offered = list(wire)
        rng.shuffle(offered)
        while offered:
            size = rng.randint(1, len(offered))
            logs.take(offered[:size])
            del offered[:size]
        logs.take(wire)
    assert logs.accepted(KEY).next_seq == max(
        (seq + 1 for seq, fine in enumerate(good) if fine), default=0
    )


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, LENGTH - 1), max_size=40))
def test_what_is_accepted_is_contiguous_and_ends_signed(order: list[int]) -> None:
    """Every intake keeps each log without a gap, and only checked signatures."""
    logs, kept = Logs(), list[Record]()
    for seq in order:
        kept.extend(logs.take([LOG[seq]]).accepted)
    assert [record.seq for record in kept] == list(range(len(kept)))
    assert all(record.signature is None or record.is_signed() for record in kept)
    assert logs.accepted(KEY).next_seq == len(kept)
