"""Which policy is in force, from the records alone."""

import random

from mycelia_protocol.policies import in_force
from mycelia_protocol.sharing.baselines import baseline, document
from mycelia_protocol.sharing.policy import policy_id, write_policy
from mycelia_protocol.state import State
from support.scribe import Scribe, village

FIRST = baseline("fifo").id


def put(scribe: Scribe, name: str, epoch: int = 0) -> bytes:
    """Let somebody write down a policy; return its id."""
    previous = FIRST if epoch else None
    data = write_policy({**document(name), "epoch": epoch, "previous": previous})
    scribe.write("policy", {"document": data})
    return policy_id(data)


def test_first_come_first_served_until_the_founder_says_otherwise() -> None:
    """A policy by anybody else changes nothing."""
    _, (mill, oak) = village(2)
    put(oak, "mechanical", epoch=9)
    state = State(mill.charter)
    for record in mill.written + oak.written:
        state.add(record)
    assert in_force(state).id == FIRST


def test_the_highest_epoch_is_in_force_in_any_order() -> None:
    """Of two policies of one epoch the smaller id counts, whatever came first."""
    _, (mill, oak) = village(2)
    rivals = [put(mill, name, epoch=2) for name in ("balanced", "nearest")]
    put(mill, "lottery", epoch=1)
    records = mill.written + oak.written
    for seed in range(8):
        random.Random(seed).shuffle(records)
        state = State(mill.charter)
        for record in records:
            state.add(record)
        assert in_force(state).id == min(rivals)
