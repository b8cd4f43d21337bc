"""A node with one planted defect: its allocator forgets what it has granted already.

Each grant is checked against the whole offer instead of what is left of it.
"""

import runpy
from dataclasses import replace

from mycelia_protocol import purses
from mycelia_protocol.types.accounts import Account, account_of
from mycelia_protocol.types.base import Facts
from mycelia_protocol.types.offer import Offer


def forgetful_account(facts: Facts, offer: bytes) -> Account:
    """Return the account of an offer as if nothing of it had been granted."""
    statement = facts.find(offer, Offer)
    assert statement is not None
    account = account_of(facts, offer)
    whole = [statement.body.quantity] * statement.body.slot_count
    return replace(account, ledger=replace(account.ledger, free=whole))


purses.account_of = forgetful_account  # type: ignore[attr-defined]
runpy.run_module("mycelia_node", run_name="__main__")
