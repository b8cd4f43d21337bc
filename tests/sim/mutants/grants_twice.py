"""A node with one planted defect: its allocator forgets what it has granted already.

Each grant is checked against the whole offer instead of what is left of it.
"""

import runpy
from dataclasses import replace

from mycelia_protocol import allocate
from mycelia_protocol.state import State
from mycelia_protocol.types.base import Facts
from mycelia_protocol.types.offer import Offer
from mycelia_protocol.types.promises import OfferState, offer_state


def forgetful_state(facts: Facts, offer: bytes) -> OfferState:
    """Return the state of an offer as if nothing of it had been granted."""
    assert isinstance(facts, State)
    statement = facts.find(offer, Offer)
    assert statement is not None
    return replace(
        offer_state(facts, offer), free=(statement.body.quantity,) * statement.body.purses
    )


allocate.offer_state = forgetful_state  # type: ignore[attr-defined]
runpy.run_module("mycelia_node", run_name="__main__")
