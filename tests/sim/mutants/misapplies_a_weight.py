"""A node with one planted defect: it decides by another weight than its policy says."""

import runpy
from dataclasses import replace

from mycelia_protocol import deciding, gather
from mycelia_protocol.purses import Stock
from mycelia_protocol.sharing.change import Inputs
from mycelia_protocol.sharing.policy import FACTORS, Policy
from mycelia_protocol.state import State


def weigh_otherwise(
    state: State, key: bytes, stock: Stock, policy: Policy, as_of_ms: int
) -> Inputs:
    """Let nothing count but how full a load is, under the name of the policy in force."""
    inputs = gather.gather(state, key, stock, policy, as_of_ms)
    weights = tuple(1_000 if name == "fill" else 0 for name in FACTORS)
    return replace(inputs, policy=replace(policy, weights=weights))


deciding.gather = weigh_otherwise  # type: ignore[attr-defined]
runpy.run_module("mycelia_node", run_name="__main__")
