"""Which derivations change when a record arrives. Spec: section 8.3 says what rests on what.

    offer's account <- rights' purse <- grant -> request

A request's walk rests on the purses of its grants, a grant's status on its purse and its request,
rights on the account of their offer, and an account on the returns and decisions that are named in
it.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from mycelia_protocol.types.accounts import grants_from, rights_from
from mycelia_protocol.types.answer import Answer
from mycelia_protocol.types.base import Facts, Statement
from mycelia_protocol.types.decision import DECISIONS
from mycelia_protocol.types.dispute import Dispute
from mycelia_protocol.types.grant import Grant
from mycelia_protocol.types.offer import Offer
from mycelia_protocol.types.promises import grants_to
from mycelia_protocol.types.receipt import Receipt
from mycelia_protocol.types.request import Request
from mycelia_protocol.types.returns import Return
from mycelia_protocol.types.rights import Rights
from mycelia_protocol.types.withdraw import Withdraw

SPENDS: Final[tuple[type, ...]] = (Grant, Rights)


def touched(facts: Facts, statement: Statement[object]) -> list[bytes]:
    """Return the ids of offers, rights, requests and grants whose derivation may change.

    What was derived through a walk left that walk derived. So where a purse or a request is not,
    nothing that rests on it is either, and its grants need not be gone through: else each grant
    of thousands would cost as much as all before it. What a statement itself completes was waited
    for without a walk, and is always gone through.
    """
    if not statement.refs and not any(facts.about(statement.id, by) for by in SPENDS):
        return [statement.id]  # an offer or a request of which nobody spoke before
    if isinstance(statement.body, Receipt) and not facts.about(statement.refs[0], Withdraw):
        # Only what is taken back hangs on whether it was handed over.
        return sorted({statement.id, *statement.refs})
    reach = _Reach(facts, statement)
    if isinstance(statement.body, Answer):  # whether a grant was accepted changes no purse
        reach.note_request_of(statement.refs[0])
        return reach.spread()
    if isinstance(statement.body, DECISIONS):  # until it was there, it might have been a return
        for purse in _naming(facts, statement.id):
            reach.note(purse)
        return reach.spread()
    for record in (statement.id, *statement.refs):
        reach.note(record)
    if isinstance(statement.body, Rights):
        for back in facts.about(statement.id, Return):
            reach.offers.update(_naming(facts, back.id))
    return reach.spread()


def _naming(facts: Facts, record: bytes) -> Iterator[bytes]:
    """Yield the purses of grants and rights that name a return."""
    for grant in facts.about(record, Grant):
        yield grant.refs[0]
    for rights in facts.about(record, Rights):
        yield rights.refs[0]


class _Reach:
    """Goes from what a statement speaks of to all that rests on it."""

    def __init__(self, facts: Facts, statement: Statement[object]) -> None:
        self.offers = set[bytes]()
        self._rights = set[bytes]()
        self._requests = set[bytes]()
        self._found = {statement.id}
        self._facts = facts
        self._new = statement.id

    def note_request_of(self, record: bytes) -> None:
        """Note whom a grant is promised to."""
        grant = self._facts.find(record, Grant)
        if grant:
            self._found.add(record)
            self._requests.add(grant.refs[1])

    def note(self, record: bytes) -> None:
        """Note a record that a statement is, or refers to."""
        facts = self._facts
        self._found.add(record)
        grant, back = facts.find(record, Grant), facts.find(record, Return)
        for purse in (record, *(grant.refs[:1] if grant else ()), *(back.refs if back else ())):
            if facts.find(purse, Offer):
                self.offers.add(purse)
            if facts.find(purse, Rights):
                self._rights.add(purse)
        if grant:
            self._requests.add(grant.refs[1])
        dispute = facts.find(record, Dispute)
        if dispute:
            self._found.add(dispute.refs[0])
        if facts.find(record, Request):
            self._requests.add(record)
        if back:
            self.offers.update(_naming(facts, back.id))

    def spread(self) -> list[bytes]:
        """Return everything that rests on what was noted, and that itself."""
        facts = self._facts
        for offer in sorted(self.offers):
            if self._is_walked(offer):
                self._rights.update(rights.id for rights in rights_from(facts, offer))
                self._add(grants_from(facts, offer))
        for rights in sorted(self._rights):
            if self._is_walked(rights):
                self._add(grants_from(facts, rights))
        for request in sorted(self._requests):
            if self._is_walked(request):
                self._found.update(grant.id for grant in grants_to(facts, request))
        return sorted(self._found | self.offers | self._rights | self._requests)

    def _is_walked(self, record: bytes) -> bool:
        return record == self._new or self._facts.is_derived(record)

    def _add(self, grants: Iterable[Statement[Grant]]) -> None:
        for grant in grants:
            self._found.add(grant.id)
            self._requests.add(grant.refs[1])
