"""Plans in which nodes share out of finite offers, and nodes that do it wrongly, for canaries."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from mycelia_protocol import allocate, purses
from mycelia_protocol.encoding import Value
from mycelia_protocol.gate import RestoreGate
from mycelia_protocol.publish import Publisher
from mycelia_protocol.purses import Stock
from mycelia_protocol.record import Record
from mycelia_protocol.state import State
from mycelia_protocol.types.accounts import account_of
from mycelia_protocol.types.grant import Grant
from mycelia_protocol.types.ledger import Ledger
from mycelia_protocol.types.offer import Offer
from mycelia_protocol.types.rights import Rights
from mycelia_sim.plan import Cut, Kill, Plan, Post
from support.liars import a_plan

Planted = pytest.MonkeyPatch

SOUP = Post(0, 500, "n0", "offer", "food.meal", "Soup", 10, "1", 1, None, None)


def sharing(*posts: Post) -> Plan:
    """Return a plan for four nodes in which only this is posted."""
    numbered = tuple(replace(post, n=n) for n, post in enumerate(posts))
    return replace(a_plan(nodes=4, duration_ms=12_000, posts_each=0), posts=numbered)


def wish(at_ms: int, node: str, quantity: int) -> Post:
    """Return a request for soup."""
    wanted = replace(SOUP, at_ms=at_ms, node=node, kind="request", quantity=quantity)
    return replace(wanted, urgency="now")


def entrusted() -> tuple[Post, ...]:
    """Return an offer by n0, and rights to half of it for n1, whose log begins with another."""
    rights = replace(SOUP, at_ms=1_500, kind="rights", quantity=0, of=0, to="n1")
    return SOUP, rights, replace(SOUP, at_ms=200, node="n1", category="food.dry")


def last_soup() -> Plan:
    """Return a plan in which more is wanted than there is, and half may be granted by n1."""
    wishes = [wish(3_000 + 1_500 * n, f"n{2 + n % 2}", 6) for n in range(4)]
    return sharing(*entrusted(), *wishes)


def taken_back() -> Plan:
    """Return a plan in which an offer is withdrawn before anybody asks for it."""
    withdrawal = replace(SOUP, at_ms=2_000, kind="withdraw", quantity=0, of=0)
    return sharing(SOUP, withdrawal, wish(4_000, "n2", 6))


def holder_falls() -> Plan:
    """Return a plan in which a node that holds rights loses its power before it grants."""
    kill = Kill("k", 4_000, "n1", 5_000, "keep", 0)
    return replace(sharing(*entrusted(), wish(8_000, "n2", 3)), kills=(kill,))


def restarted_alone() -> Plan:
    """Return a plan in which a node loses its power, starts where nobody reaches it, and offers."""
    away = Cut("p", 5_000, 11_000, "reset", False, 0, (("n0",), ("n1", "n2", "n3")), "isolate", ())
    kill = Kill("k", 6_000, "n0", 7_000, "keep", 0)
    plan = sharing(SOUP, wish(2_000, "n2", 16), replace(SOUP, at_ms=8_000))
    return replace(plan, cuts=(away,), kills=(kill,))


# --- nodes that spend wrongly ---

Stocks = Callable[[State, bytes, bytes | None, int], Iterator[Stock]]


def _plant(planted: Planted, wrong: Stocks) -> None:
    """Let nodes see stock that is not there, besides what is; not again once it came out.

    What is spent wrongly holds nothing, so a node that looked again would spend it for ever.
    """
    stocks = purses.stocks
    planted.setattr(purses, "stocks", lambda *args: (*stocks(*args), *wrong(*args)))


def sees_stock_left(planted: Planted) -> None:
    """A node that counts what it offered, and not what it gave away of that."""

    def naive(state: State, key: bytes, log: bytes | None, now_ms: int) -> Iterator[Stock]:
        for offer in state.by_author(key, Offer):
            account = account_of(state, offer.id)
            if not account.withdrawn and not account.ledger.overdrawn and sum(account.free) < 10:
                yield Stock(offer.id, offer, None, offer.body.quantity)

    _plant(planted, naive)


def keeps_granting(planted: Planted) -> None:
    """A node that goes on granting from an offer that it has withdrawn."""

    def stubborn(state: State, key: bytes, log: bytes | None, now_ms: int) -> Iterator[Stock]:
        for offer in state.by_author(key, Offer):
            account = account_of(state, offer.id)
            if account.withdrawn and not account.ledger.overdrawn:
                yield Stock(offer.id, offer, None, offer.body.quantity)

    _plant(planted, stubborn)


def spends_in_any_log(planted: Planted) -> None:
    """A node that grants from rights which were given to another log of its."""

    def careless(state: State, key: bytes, log: bytes | None, now_ms: int) -> Iterator[Stock]:
        for rights in state.addressed_to(key, Rights):
            offer = state.find(rights.refs[0], Offer)
            is_spent = any(grant.refs[0] == rights.id for grant in state.by_author(key, Grant))
            if offer is not None and rights.body.log != log and not is_spent:
                yield Stock(rights.id, offer, rights.body.slot, rights.body.quantity)

    _plant(planted, careless)
    planted.setattr(purses, "give_back", lambda *args: iter(()))


def loses_what_comes_back(planted: Planted) -> None:
    """A fold that takes a grant's quantity from an offer, and forgets it when that is put back."""

    def forgetful(ledger: Ledger, grant: bytes, index: int, is_endless: bool = False) -> None:
        if ledger.held.pop(grant, None) is not None:
            ledger.back.add(grant)

    planted.setattr(Ledger, "take_back", forgetful)


def never_waits(planted: Planted) -> None:
    """A node that grants at once after a start, whatever it may have forgotten."""
    always = property(lambda gate: True, lambda gate, is_open: None)
    planted.setattr(RestoreGate, "is_open", always, raising=False)


def never_answers(planted: Planted) -> None:
    """A node that lets grants to its requests lie."""
    planted.setattr(allocate, "answers", lambda *args: iter(()))


def writes_nonsense(planted: Planted) -> None:
    """A node that signs a request for nothing, which means nothing to anybody."""
    build = Publisher._build

    def careless(
        publisher: Publisher,
        kind: str,
        content: dict[str, Value],
        refs: tuple[bytes, ...],
        now_ms: int,
    ) -> Record:
        if kind == "request":
            content = {**content, "quantity": 0}
        return build(publisher, kind, content, refs, now_ms)

    planted.setattr(Publisher, "_build", careless)
