"""Rows of the state digest: what follows from the records, in short. Spec: section 8.4."""

from collections.abc import Sequence
from typing import cast

from mycelia_protocol.encoding import Value
from mycelia_protocol.types.accounts import account_of, is_untold, purse_of
from mycelia_protocol.types.base import Facts, Statement
from mycelia_protocol.types.offer import Offer
from mycelia_protocol.types.parties import side_of
from mycelia_protocol.types.promises import (
    GrantState,
    GrantStatus,
    grant_state,
    request_state,
    times_of,
)
from mycelia_protocol.types.request import Request


def offer_row(facts: Facts, statement: Statement[object]) -> list[Value]:
    """Return an offer's row: where all of it is, whose it is, and when it ends."""
    offer = facts.find(statement.id, Offer)
    assert offer is not None
    body = offer.body
    if is_untold(facts, offer.id):  # all of it is free: no account need be made for that
        free = body.amounts
        first: list[Value] = [offer.id, sum(free), 0, 0, free, 0, False, 0, side_of(facts, offer)]
        return [*first, body.expires_ms, body.until_ms]
    account = account_of(facts, offer.id)
    ledger, times = account.ledger, times_of(facts, offer)
    given = sum(ledger.given.values()) - sum(account.credited.values())
    return [
        statement.id,
        account.supply,
        sum(ledger.held.values()),
        given,
        list(account.free),
        account.burnt,
        account.withdrawn,
        len(ledger.overdrawn),
        side_of(facts, offer),
        times.expires_ms,
        times.until_ms,
    ]


def rights_row(facts: Facts, statement: Statement[object]) -> list[Value]:
    """Return the row of rights: whether they hold, what is granted, free and returned."""
    purse = purse_of(facts, statement.id)
    ledger = purse.ledger
    granted = sum(ledger.held.values())
    row: list[Value] = [statement.id, purse.outcome, granted, purse.free, purse.returned]
    return [*row, len(ledger.overdrawn)]


def request_row(facts: Facts, statement: Statement[object]) -> list[Value]:
    """Return a request's row: how far it is filled, for whom it is, and when it ends."""
    state = request_state(facts, statement.id)
    request = facts.find(statement.id, Request)
    assert request is not None
    times = times_of(facts, request)
    return [
        statement.id,
        state.filled,
        len(state.surplus),
        state.withdrawn,
        side_of(facts, request),
        times.expires_ms,
        times.needed_by_ms,
    ]


def grant_row(facts: Facts, statement: Statement[object]) -> list[Value]:
    """Return a grant's row: what has become of it, and what each side confirmed."""
    state = grant_state(facts, statement.id)
    confirmed = [state.handed, state.received, state.brought, state.returned]
    return [statement.id, state.status, state.holds, *confirmed]


def grant_of(row: Sequence[Value]) -> GrantState:
    """Return what has become of a grant, from its row: that says all of it."""
    _, status, holds, *confirmed = row
    amounts = cast("list[int | None]", confirmed)
    return GrantState(cast(GrantStatus, status), holds is True, *amounts)
