"""One purse while it is walked: what is free, what holds, what gave back. Spec: section 8.3.1."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, TypeGuard

from mycelia_protocol.types.base import Facts, Order, Statement
from mycelia_protocol.types.grant import Grant
from mycelia_protocol.types.receipt import confirmed
from mycelia_protocol.types.rights import Rights
from mycelia_protocol.types.withdraw import Withdraw, withdrawals

Outcome: TypeAlias = Literal["held", "back", "waiting", "void", "overdrawn"]
Spend: TypeAlias = "Statement[Grant] | Statement[Rights]"


def is_grant(spend: Spend) -> TypeGuard[Statement[Grant]]:
    """Return whether what is spent goes to a request, and not to another's purse."""
    return isinstance(spend.body, Grant)


@dataclass(slots=True)
class Ledger:
    """One purse while it is walked, and what came out.

    Attributes:
        free: base units that may still be spent, by slot (one amount if there are no slots).
        held: grant id -> base units that it takes now.
        given: rights id -> base units.
        back: grants that gave their quantity back.
        overdrawn: grants and rights that did not fit, in their author's order.
        waiting: those that did not fit, but rest on returns that are not here yet.
    """

    free: list[int]
    held: dict[bytes, int] = field(default_factory=dict)
    given: dict[bytes, int] = field(default_factory=dict)
    back: set[bytes] = field(default_factory=set)
    overdrawn: list[bytes] = field(default_factory=list)
    waiting: set[bytes] = field(default_factory=set)

    def spend(self, spend: Spend, index: int, is_endless: bool = False) -> bool:
        """Take what a grant or rights cost; return False if that is more than there is."""
        amount = spend.body.quantity
        if amount > self.free[index]:
            return False
        self.free[index] -= 0 if is_endless else amount
        (self.held if is_grant(spend) else self.given)[spend.id] = amount
        return True

    def take_back(self, grant: bytes, index: int, is_endless: bool = False) -> None:
        """Put back what a grant took, if it holds."""
        amount = self.held.pop(grant, None)
        if amount is not None:
            self.free[index] += 0 if is_endless else amount
            self.back.add(grant)

    def outcome(self, spend: bytes) -> Outcome:
        """Say what became of a grant or of rights; `void` if they do not spend this purse."""
        if spend in self.held or spend in self.given:
            return "held"
        if spend in self.back:
            return "back"
        if spend in self.waiting:
            return "waiting"
        return "overdrawn" if spend in self.overdrawn else "void"


@dataclass(frozen=True, slots=True)
class Entry:
    """A place in an author's order where something is spent, or comes back."""

    order: Order
    spend: Spend
    index: int
    is_back: bool


def taken_back(facts: Facts, grant: Statement[Grant]) -> Statement[Withdraw] | None:
    """Return the withdrawal with which a grant was taken back, or None (GRANT-2).

    It is the first one at whose place its author had not handed over anything.
    """
    for withdrawal in withdrawals(facts, grant):
        handed = confirmed(facts, grant.id, grant.author, "handed", withdrawal.order)
        if handed is None or not handed.quantity:
            return withdrawal
    return None


def in_order(facts: Facts, spends: Iterable[tuple[Spend, int]]) -> list[Entry]:
    """Return where these are spent and where they come back, in their author's order."""
    entries: list[Entry] = []
    for spend, index in spends:
        entries.append(Entry(spend.order, spend, index, False))
        back = taken_back(facts, spend) if is_grant(spend) else None
        if back is not None:
            entries.append(Entry(back.order, spend, index, True))
    return sorted(entries, key=lambda entry: entry.order)
