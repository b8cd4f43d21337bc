"""A node with one planted defect: where it decides who gets what, who asked first is left out."""

import runpy
from dataclasses import replace

from mycelia_protocol import deciding, gather
from mycelia_protocol.purses import Stock
from mycelia_protocol.sharing.change import Inputs
from mycelia_protocol.sharing.policy import Policy
from mycelia_protocol.state import State


def look_away(state: State, key: bytes, stock: Stock, policy: Policy, as_of_ms: int) -> Inputs:
    """Return what a decision is made from, but for the oldest request."""
    inputs = gather.gather(state, key, stock, policy, as_of_ms)
    first = min(inputs.requests, key=lambda request: request.first_posted_ms)
    return replace(inputs, requests=[each for each in inputs.requests if each is not first])


deciding.gather = look_away  # type: ignore[attr-defined]
runpy.run_module("mycelia_node", run_name="__main__")
