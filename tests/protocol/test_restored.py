"""Nodes whose store lost records: what they may have promised stays frozen. Spec: 6.6."""

from dataclasses import replace

import pytest

from mycelia_protocol import events
from mycelia_protocol.allocate import lack
from mycelia_protocol.encoding import Value
from mycelia_protocol.errors import LocalError
from mycelia_protocol.gate import STRANGERS_MAX
from mycelia_protocol.recount import counted_anew
from mycelia_protocol.statuses import request_status
from mycelia_protocol.types.accounts import account_of
from mycelia_protocol.types.grant import Grant
from mycelia_protocol.types.offer import Offer, content
from mycelia_protocol.types.promises import grant_state
from mycelia_protocol.types.request import Request
from support.mesh import Mesh, Node

WATER: dict[str, Value] = {
    "category": "food.water",
    "title": "Drinking water",
    "quantity": 20,
    "unit": "1",
}
ASKED: dict[str, Value] = {**WATER, "urgency": "now"}


def cut_all(mesh: Mesh) -> None:
    """End all links."""
    for link in list(mesh.ends):
        mesh.cut(link)
    mesh.settle()


def forgetful() -> tuple[Mesh, bytes, bytes]:
    """Return a mesh whose n0 forgot a grant of all its water that only n1 knows of.

    Returns:
        The mesh, the offer, and the grant.
    """
    mesh = Mesh(count=4, allocate=False)
    first, second, *_ = mesh.nodes
    offer = first.publish("offer", WATER)
    for other in mesh.nodes[1:]:
        mesh.connect(first, other)
    cut_all(mesh)
    mesh.connect(first, second)
    grant = first.publish("grant", {"quantity": 20}, offer, second.publish("request", ASKED))
    cut_all(mesh)
    log = first.engine.publisher.log
    assert log is not None
    first.disk.logs[first.key, log].pop()
    first.start(None, is_restored=True)
    return mesh, offer, grant


def refusal(node: Node, kind: str, quantity: int, *refs: bytes) -> str | None:
    """Return the code with which a node refuses to write something, None if it writes it."""
    token = node.mesh.token()
    node.give(events.PublishRequested(token, kind, {"quantity": quantity}, refs))
    node.mesh.settle()
    return node.refusals[token].code if token in node.refusals else None


def test_what_was_promised_to_an_island_is_not_promised_again() -> None:
    """INC-5: two outside the island open the gate, and what it knows stays frozen until it told."""
    mesh, offer, grant = forgetful()
    first, second, third, fourth = mesh.nodes
    mesh.connect(first, third)
    mesh.connect(first, fourth)
    assert first.engine.gate.is_open
    request = third.publish("request", ASKED)
    assert refusal(first, "grant", 5, offer, request) == "frozen"
    assert refusal(first, "grant", 5, first.publish("offer", WATER), request) is None
    mesh.connect(first, second)
    mesh.run(300_000)
    assert not first.engine.is_frozen(offer)
    assert account_of(first.engine.state, offer).free == (0,)
    assert refusal(first, "grant", 5, offer, request) == "spent"
    assert grant_state(first.engine.state, grant).status == "offered"


def test_the_doubt_outlives_a_clean_end_and_a_crash() -> None:
    """INC-5: what is frozen stays so over restarts, and what is new stays free."""
    mesh, offer, _ = forgetful()
    first, _, third, fourth = mesh.nodes
    mesh.connect(first, third)
    mesh.connect(first, fourth)
    fresh = first.publish("offer", WATER)
    for log in (first.engine.resumable_log, None):
        cut_all(mesh)
        first.start(log)
        assert [first.engine.is_frozen(one) for one in (offer, fresh)] == [True, False]


def test_a_store_that_others_know_more_of_is_in_doubt() -> None:
    """INC-5: whatever the files beside the store say, own records that come back prove a loss."""
    mesh, offer, grant = forgetful()
    first, second, *_ = mesh.nodes
    first.disk.known_since = 0
    first.start(None)
    assert not first.engine.is_frozen(offer)
    mesh.connect(first, second)
    assert first.engine.is_frozen(offer)
    assert first.engine.state.find(grant, Grant) is not None
    assert first.disk.known_since == first.engine.gate.known_since > 0


def test_an_empty_store_is_in_doubt_once_it_hears_of_its_past() -> None:
    """INC-5: who begins anew with an old key has nothing to freeze before its records come."""
    mesh, offer, _ = forgetful()
    first, second, *_ = mesh.nodes
    first.disk.logs.clear()
    first.disk.known_since = 0
    first.start(None, is_restored=True)
    assert not first.engine.gate.known_since
    fresh = first.publish("offer", WATER)
    assert not first.engine.is_frozen(fresh)
    mesh.connect(first, second)
    mesh.run(60_000)
    assert first.engine.is_frozen(offer)


def test_the_new_generation_comes_after_logs_that_were_forgotten() -> None:
    """6.7: a backup that is older than a log names fewer; what it takes back comes later still."""
    mesh = Mesh(count=2, allocate=False)
    first, second = mesh.nodes
    offer = first.publish("offer", WATER)
    mesh.connect(first, second)
    request = second.publish("request", ASKED)
    backup = {key: list(log) for key, log in first.disk.logs.items()}
    grants: list[bytes] = []
    for _ in range(2):  # crashes, each with a log of its own
        cut_all(mesh)
        first.start(None)
        mesh.connect(first, second)
        grants.append(first.publish("grant", {"quantity": 10}, offer, request))
    cut_all(mesh)
    first.disk.logs = backup
    first.start(None, is_restored=True)
    first.publish("withdraw", {}, offer)
    mesh.connect(first, second)
    mesh.run(60_000)
    for node in (first, second):
        account = account_of(node.engine.state, offer)
        assert (account.withdrawn, account.ledger.overdrawn) == (True, [])
        assert all(grant_state(node.engine.state, one).holds for one in grants)


def test_what_is_counted_anew_can_be_granted_and_old_promises_stand() -> None:
    """INC-5: the old offer burns what is free, the new one is of the new log, nothing is void."""
    mesh, offer, grant = forgetful()
    first, second, third, fourth = mesh.nodes
    mesh.connect(first, third)
    mesh.connect(first, fourth)
    old = first.engine.state.find(offer, Offer)
    assert old is not None
    again = counted_anew(first.engine.state, old, 4, mesh.now_ms)
    assert again == content(replace(old.body, quantity=4))
    first.publish("withdraw", {}, offer)
    fresh = first.publish("offer", again)
    assert refusal(first, "grant", 4, fresh, third.publish("request", ASKED)) is None
    mesh.connect(first, second)
    mesh.run(300_000)
    assert account_of(first.engine.state, offer).burnt == 0
    assert grant_state(first.engine.state, grant).holds


def test_what_is_over_can_not_be_counted_anew() -> None:
    """Nothing can be granted of what has ended, nor offered without a title."""
    mesh = Mesh(count=1, allocate=False)
    first = mesh.nodes[0]
    offer = first.publish("offer", {**WATER, "expires_ms": mesh.now_ms + 10})
    old = first.engine.state.find(offer, Offer)
    assert old is not None
    assert counted_anew(first.engine.state, old, 4, mesh.now_ms)["quantity"] == 4
    with pytest.raises(LocalError, match="its time is over"):
        counted_anew(first.engine.state, old, 4, mesh.now_ms + 10)
    nameless = replace(old, body=replace(old.body, title=""))
    with pytest.raises(LocalError, match="erased"):
        counted_anew(first.engine.state, nameless, 4, mesh.now_ms)


def test_a_promise_that_turns_out_void_is_off_at_once() -> None:
    """A machine that was set back promises twice; the later one's request is open to others."""
    mesh = Mesh(count=4, confirm_handovers=False)
    first, second, third, fourth = mesh.nodes
    for other in mesh.nodes[1:]:
        mesh.connect(first, other)
    offer = first.publish("offer", WATER)
    mesh.run(1_000)
    cut_all(mesh)
    before = {key: list(log) for key, log in first.disk.logs.items()}
    mesh.connect(first, second)
    second.publish("request", ASKED)
    mesh.run(5_000)
    cut_all(mesh)
    (kept,) = second.engine.state.every(Grant)
    first.disk.logs = before
    first.start(None)  # it passes for a crash
    mesh.connect(first, third)
    mesh.connect(first, fourth)
    request = third.publish("request", ASKED)
    mesh.run(5_000)
    (broken,) = (grant for grant in third.engine.state.every(Grant) if grant.id != kept.id)
    wanted = third.engine.state.find(request, Request)
    assert wanted is not None
    assert request_status(third.engine.state, wanted, mesh.now_ms) == "granted"
    mesh.connect(third, second)
    for node in (second, third):
        assert grant_state(node.engine.state, broken.id).status == "overdrawn"
        assert lack(node.engine.state, wanted) == 20
    assert request_status(third.engine.state, wanted, mesh.now_ms) == "open"
    mesh.connect(first, second)
    mesh.connect(fourth, second)
    fourth.publish("offer", WATER)
    mesh.run(300_000)
    assert grant_state(third.engine.state, broken.id).status == "overdrawn"
    assert grant_state(third.engine.state, kept.id).status == "accepted"
    assert request_status(third.engine.state, wanted, mesh.now_ms) == "granted"
    assert account_of(third.engine.state, offer).free == (0,)


def test_whoever_joined_since_is_heard_once_its_vouch_is_here() -> None:
    """INC-5: of strangers to its store it keeps what few told; the others tell again."""
    mesh = Mesh(count=4, allocate=False)
    first, *others = mesh.nodes
    log = first.disk.logs[first.key, first.engine.publisher.log or b""]
    del log[-1]
    first.start(None, is_restored=True)
    late = others[-1]
    assert not first.engine.state.is_member(late.key)
    told = {(mesh.rng.randbytes(32), mesh.rng.randbytes(8)): 1 for _ in range(50)}
    for _ in range(50):
        first.engine.gate.shown(mesh.rng.randbytes(32), told)
    assert len(first.engine.gate._behind) == STRANGERS_MAX
    for other in reversed(others):
        mesh.connect(first, other)
    mesh.run(400_000)
    assert first.engine.state.is_member(late.key)
    assert not first.engine.gate.known_since
