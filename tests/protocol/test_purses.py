"""Rights, leases and deadlines between real engines: spent on both sides, and given back."""

import random
from itertools import pairwise

import pytest

from mycelia_protocol import events
from mycelia_protocol.encoding import Value
from mycelia_protocol.limits import ACCEPT_WITHIN_MS, LEASE_MARGIN_MS
from mycelia_protocol.record import Record
from mycelia_protocol.types.accounts import account_of, purse_of
from mycelia_protocol.types.grant import Grant
from mycelia_protocol.types.offer import Offer
from mycelia_protocol.types.promises import grant_state, holdings_of
from mycelia_protocol.types.rights import Rights
from mycelia_protocol.types.rows import offer_row
from mycelia_protocol.types.withdraw import Withdraw
from support.mesh import Mesh, Node

WATER: dict[str, Value] = {"category": "food.water", "title": "Water", "unit": "mL"}
LONG_MS = 60_000


def offer(node: Node, quantity: int, **fields: Value) -> bytes:
    """Offer water."""
    return node.publish("offer", {**WATER, "quantity": quantity, **fields})


def ask(node: Node, quantity: int) -> bytes:
    """Ask for water."""
    return node.publish("request", {**WATER, "quantity": quantity, "urgency": "now"})


def entrust(giver: Node, holder: Node, purse: bytes, quantity: int, **fields: Value) -> bytes:
    """Give rights to the log that the holder writes on."""
    log = holder.engine.publisher.log
    assert log is not None
    content: dict[str, Value] = {"to": holder.key, "log": log, "quantity": quantity, **fields}
    return giver.publish("rights", content, purse)


def chain(mesh: Mesh) -> None:
    """Link each node with the next."""
    for one, other in pairwise(mesh.nodes):
        mesh.connect(one, other)


def cut_all(mesh: Mesh) -> None:
    """End all links."""
    for link in list(mesh.ends):
        mesh.cut(link)
    mesh.settle()


def statuses(node: Node) -> list[str]:
    """Return what became of all grants, sorted."""
    state = node.engine.state
    return sorted(grant_state(state, grant.id).status for grant in state.every(Grant))


def of_kind(node: Node, kind: str) -> list[Record]:
    """Return the records of one kind that a node wrote itself."""
    return [each for each in node.disk.records() if each.kind == kind and each.author == node.key]


def test_both_sides_of_a_cut_grant_from_one_offer() -> None:
    """The holder of rights serves its side, the issuer the other, and nothing is overdrawn."""
    mesh = Mesh(count=4)
    issuer, west, holder, east = mesh.nodes
    holder.publish("profile", {"name": "Holder"})
    chain(mesh)
    water = offer(issuer, 10)
    entrust(issuer, holder, water, 4)
    cut_all(mesh)
    mesh.connect(issuer, west)
    mesh.connect(holder, east)
    ask(west, 9)
    ask(east, 9)
    mesh.run(LONG_MS)
    assert statuses(issuer) == statuses(holder) == ["accepted"]
    mesh.connect(west, holder)
    mesh.run(LONG_MS)
    for node in mesh.nodes:
        state = node.engine.state
        amounts = sorted(grant.body.quantity for grant in state.every(Grant))
        assert (statuses(node), amounts) == (["accepted"] * 2, [4, 6])
        where = holdings_of(state, water)
        assert (where.free, where.escrow, where.granted) == (0, 0, 10)


def test_what_nobody_answers_comes_back_and_goes_to_another() -> None:
    """A grant lapses by its author's own record when its time is over, and not before."""
    mesh = Mesh(count=3)
    issuer, silent, waiting = mesh.nodes
    mesh.connect(issuer, silent)
    ask(silent, 5)
    cut_all(mesh)
    water = offer(issuer, 5)
    mesh.run(ACCEPT_WITHIN_MS - LONG_MS)
    assert statuses(issuer) == ["offered"]
    mesh.connect(issuer, waiting)
    ask(waiting, 5)
    mesh.run(2 * LONG_MS)
    assert statuses(issuer) == ["accepted", "lapsed"]
    (taken,) = [g for g in issuer.engine.state.every(Grant) if g.refs[0] == water][1:]
    assert grant_state(waiting.engine.state, taken.id).status == "accepted"


def test_what_is_declined_goes_to_another() -> None:
    """The granter takes a declined grant back at once, and grants it again."""
    mesh = Mesh(count=3)
    issuer, full, waiting = mesh.nodes
    chain(mesh)
    request = ask(full, 5)
    cut_all(mesh)
    full.publish("withdraw", {"met_elsewhere": True}, request)
    offer(issuer, 5)
    mesh.run(LONG_MS)
    ask(waiting, 5)
    chain(mesh)
    mesh.run(LONG_MS)
    assert statuses(waiting) == ["accepted", "declined"]


def test_a_lease_ends_by_the_holders_own_record() -> None:
    """The holder returns what it did not grant; then the issuer names that, and grants it."""
    mesh = Mesh(count=3)
    issuer, holder, asking = mesh.nodes
    holder.publish("profile", {"name": "Holder"})
    chain(mesh)
    water = offer(issuer, 10)
    until_ms = mesh.now_ms + 10 * LONG_MS
    rights = entrust(issuer, holder, water, 10, until_ms=until_ms)
    mesh.run(10 * LONG_MS - LEASE_MARGIN_MS - 1_000)
    assert of_kind(holder, "return") == []
    mesh.run(2_000)
    (back,) = of_kind(holder, "return")
    assert back.refs == (rights,)
    ask(asking, 7)
    mesh.run(LONG_MS)
    (grant,) = issuer.engine.state.every(Grant)
    assert (grant.author, grant.refs[2:]) == (issuer.key, (back.id,))
    assert statuses(asking) == ["accepted"]
    where = holdings_of(asking.engine.state, water)
    assert (where.free, where.escrow, where.granted) == (3, 0, 7)


def test_rights_to_a_lost_log_are_not_spent_again_but_returned() -> None:
    """INC-4, ESC-1: who begins a new log returns the old one's rights once its gate is open."""
    mesh = Mesh(count=3)
    issuer, holder, asking = mesh.nodes
    holder.publish("profile", {"name": "Holder"})
    chain(mesh)
    water = offer(issuer, 10)
    entrust(issuer, holder, water, 10)
    cut_all(mesh)
    holder.start(None)
    ask(asking, 3)
    mesh.connect(holder, asking)
    mesh.run(LONG_MS)
    assert (of_kind(holder, "grant"), of_kind(holder, "return")) == ([], [])
    mesh.connect(holder, issuer)
    mesh.run(LONG_MS)
    (back,) = of_kind(holder, "return")
    assert back.content == {"quantity": 10}
    assert statuses(asking) == ["accepted"]
    assert holdings_of(asking.engine.state, water).granted == 3


def test_two_people_who_spend_at_once_do_not_overdraw() -> None:
    """What is asked for while something is being written waits, and is refused if it is gone."""
    mesh = Mesh(count=2)
    issuer, holder = mesh.nodes
    holder.publish("profile", {"name": "Holder"})
    chain(mesh)
    water = offer(issuer, 10, lot=2)
    log = holder.engine.publisher.log
    assert log is not None
    content: dict[str, Value] = {"to": holder.key, "log": log, "quantity": 6}
    for token in (701, 702):
        issuer.give(events.PublishRequested(token, "rights", content, (water,)))
    assert 702 not in issuer.refusals
    mesh.settle()
    assert issuer.answers[701] is not None
    refused = issuer.refusals[702]
    assert (refused.code, refused.reason) == ("spent", "only 4 base units are left, not 6")
    for token, quantity, purse in ((703, 3, water), (704, 2, bytes(32)), (705, 2, log * 4)):
        fields: dict[str, Value] = {**content, "quantity": quantity}
        issuer.give(events.PublishRequested(token, "rights", fields, (purse,)))
    mesh.settle()
    assert [issuer.refusals[token].code for token in (703, 704, 705)] == ["spent"] * 3


def test_honest_nodes_never_overdraw_whatever_happens() -> None:
    """Links come and go, nodes begin anew, rights are given and end: nobody promises twice."""
    for seed in range(12):
        rng = random.Random(seed)
        mesh = Mesh(seed, count=4, confirm_handovers=seed % 2 == 0)
        for node in mesh.nodes:
            node.publish("profile", {"name": node.name})
        chain(mesh)
        for _ in range(60):
            _happen(mesh, rng)
            mesh.run(rng.choice((50, 200, 5_000)))
        cut_all(mesh)
        chain(mesh)
        mesh.run(5 * LONG_MS)
        _check(mesh)


def _happen(mesh: Mesh, rng: random.Random) -> None:
    """Let one thing happen to somebody."""
    node, other = rng.sample(mesh.nodes, 2)
    own = [each for each in node.engine.state.by_author(node.key, Offer) if not each.body.slots]
    match rng.choice(("offer", "ask", "ask", "rights", "rights", "cut", "link", "start", "slow")):
        case "offer":
            offer(node, rng.randint(1, 20), renewing=True)
        case "ask":
            ask(node, rng.randint(1, 20))
        case "rights" if own and node.engine.gate.is_open and other.engine.publisher.log:
            _entrust_some(mesh, rng, node, other, rng.choice(own).id)
        case "cut" if mesh.ends:
            mesh.cut(rng.choice(sorted(mesh.ends)))
        case "link":
            mesh.connect(node, other)
        case "start":
            for link, (far, _) in sorted(mesh.ends.items()):
                if far is node:
                    mesh.cut(link)
            mesh.settle()
            node.start(None)
        case "slow" if own:
            node.publish("renew", {"quantity": rng.randint(1, 5)}, rng.choice(own).id)
        case _:
            pass


def _entrust_some(mesh: Mesh, rng: random.Random, node: Node, other: Node, purse: bytes) -> None:
    """Give rights to some of what is free, as the issuer's own account says."""
    account = account_of(node.engine.state, purse)
    if node.engine.publisher.is_idle and account.free[0]:
        amount = rng.randint(1, account.free[0])
        fields: dict[str, Value] = {}
        if rng.random() < 0.5:
            fields["until_ms"] = mesh.now_ms + rng.choice((1_000, 70_000, 200_000))
        entrust(node, other, purse, amount, **fields)


def _check(mesh: Mesh) -> None:
    """Check that all agree, that nothing is overdrawn, and where everything is."""
    assert len({node.engine.state.digest() for node in mesh.nodes}) == 1
    state = mesh.nodes[0].engine.state
    for each in state.every(Offer):
        account, where = account_of(state, each.id), holdings_of(state, each.id)
        assert account.ledger.overdrawn == []
        assert where.free + where.escrow + where.granted + where.burnt == account.supply
    for rights in state.every(Rights):
        assert purse_of(state, rights.id).ledger.overdrawn == []
    assert not {"overdrawn", "void", "waiting"}.intersection(statuses(mesh.nodes[0]))


@pytest.mark.parametrize(
    "fields",
    [
        {"quantity": 10, "lot": 5, "expires_ms": 9, "until_ms": 8},
        {"quantity": 10, "renewing": True},
        {"quantity": 10, "inexhaustible": True},
        {"quantity": 2, "terms": "lend", "unit": "1", "slots": ((0, 5), (7, 9))},
    ],
)
def test_an_offer_of_which_nobody_spoke_has_the_row_that_a_walk_gives(
    fields: dict[str, Value],
) -> None:
    """Its account is not made for its row; a word that changes nothing brings about the walk."""
    mesh = Mesh(count=2)
    giver, other = mesh.nodes
    chain(mesh)
    mesh.settle()
    thing = giver.publish("offer", {**WATER, **fields})
    mesh.settle()
    state = giver.engine.state
    statement = state.find(thing, Offer)
    assert statement is not None
    short = offer_row(state, statement)
    assert not state.is_derived(thing)
    other.publish("withdraw", {}, thing)  # it is not its author's
    mesh.settle()
    assert state.about(thing, Withdraw)
    assert offer_row(state, statement) == short
    assert state.is_derived(thing)
