"""What a node erases by itself, and what words are still needed for."""

from mycelia_protocol.encoding import Value
from mycelia_protocol.options import Options
from mycelia_protocol.tidying import TIDY_DELAY_MS, TIDY_INTERVAL_MS, use_of
from mycelia_protocol.types.offer import Offer
from mycelia_protocol.types.party import Party
from mycelia_protocol.types.profile import Profile
from support.mesh import Mesh, Node

DAY_MS = 86_400_000
THING: dict[str, Value] = {
    "category": "food.water",
    "title": "Water",
    "quantity": 10,
    "unit": "mL",
    "note": "the blue door",
}


def two() -> tuple[Mesh, Node, Node]:
    """Return two linked nodes, of which the first lets go of words after ten days."""
    mesh = Mesh(count=2, allocate=False)
    one, other = mesh.nodes
    one.options = Options(allocate=False, discover=False, erase_after_ms=10 * DAY_MS)
    one.start(None)
    mesh.connect(one, other)
    return mesh, one, other


def titles(node: Node) -> list[str]:
    """Return the titles of all offers, sorted."""
    return sorted(each.body.title for each in node.engine.state.every(Offer))


def test_a_node_erases_what_has_been_over_for_long() -> None:
    """A withdrawn offer goes, ten days after its withdrawal; an open one stays, as do names."""
    mesh, one, other = two()
    party: dict[str, Value] = {"form": "ecosystem", "name": "Creek", "about": "the blue door"}
    one.publish("party", party)
    over = one.publish("offer", {**THING, "title": "Over"})
    one.publish("offer", {**THING, "title": "Open"})
    one.publish("profile", {"name": "Mill"})
    one.publish("profile", {"name": "Mill and Co"})
    mesh.now_ms += 9 * DAY_MS
    one.publish("withdraw", {"reason": "spilt"}, over)
    before = other.engine.state.digest()
    mesh.now_ms += 2 * DAY_MS
    mesh.run(TIDY_INTERVAL_MS)
    assert titles(one) == titles(other) == ["Open", "Over"]
    mesh.now_ms += 9 * DAY_MS
    mesh.run(TIDY_INTERVAL_MS)
    assert titles(one) == titles(other) == ["", "Open"]
    assert other.engine.state.digest() == before == one.engine.state.digest()
    state = other.engine.state
    names = {each.body.name for each in state.by_author(one.key, Profile)}
    assert names == {"", "Mill and Co"}
    assert [each.body.name for each in state.every(Party)] == ["Creek"]
    count = len([record for record in one.disk.records() if record.kind == "erase"])
    mesh.run(TIDY_INTERVAL_MS)
    assert len([record for record in one.disk.records() if record.kind == "erase"]) == count


def test_what_is_promised_stays_until_it_is_received() -> None:
    """An offer that was given away to the last drop is over when all of it was received."""
    mesh, one, other = two()
    state = one.engine.state
    offer = one.publish("offer", THING)
    request = other.publish("request", {**THING, "urgency": "now"})

    def uses() -> list[str | None]:
        found = (state.statement(record) for record in (offer, request))
        return [use_of(state, each, mesh.now_ms) if each else "gone" for each in found]

    assert uses() == ["open", "open"]
    grant = one.publish("grant", {"quantity": 10}, offer, request)
    assert uses() == ["promised", "promised"]
    other.publish("answer", {"accept": True}, grant)
    one.publish("receipt", {"side": "handed", "quantity": 10}, grant)
    dispute = other.publish("dispute", {"matter": "damaged", "text": "it leaks"}, grant)
    assert uses() == ["promised", "promised"]
    statement = state.statement(dispute)
    assert statement is not None
    assert use_of(state, statement, mesh.now_ms) == "disputed"
    other.publish("withdraw", {}, dispute)
    other.publish("receipt", {"side": "received", "quantity": 10}, grant)
    assert uses() == [None, None]
    assert use_of(state, statement, mesh.now_ms) is None


def test_a_node_whose_owner_says_never_erases_nothing() -> None:
    """Without a time there is no timer for it."""
    mesh = Mesh(count=2, allocate=False)
    one, other = mesh.nodes
    mesh.connect(one, other)
    over = one.publish("offer", THING)
    one.publish("withdraw", {}, over)
    mesh.now_ms += 1_000 * DAY_MS
    mesh.run(TIDY_DELAY_MS)
    assert titles(one) == ["Water"]
