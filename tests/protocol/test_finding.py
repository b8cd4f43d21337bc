"""Whom nodes are linked with in a commons where all look for each other, and how they find back."""

from mycelia_protocol import events
from mycelia_protocol.events import Output
from mycelia_protocol.limits import (
    DEGREE_HIGH,
    DEGREE_OUTBOUND,
    DEGREE_TARGET,
    DIAL_RANDOM_INTERVAL_MAX_MS,
    DIAL_RANDOM_INTERVAL_MS,
)
from mycelia_protocol.options import Options
from support.mesh import Mesh, Node

MONTH_MS = 30 * 86_400_000
MINUTE_MS = 60_000
HALF_HOUR_MS = 30 * MINUTE_MS


class Town(Mesh):
    """A mesh in which a dial leads to whoever is at the address, if both are not away."""

    def __init__(self, count: int) -> None:
        self.places: dict[str, Node] = {}
        self.away: set[str] = set()  # names of nodes that reach nobody
        self.half: set[str] = set()  # names of nodes that reach only each other
        self.dials: list[tuple[int, Node, str]] = []
        super().__init__(count=count)
        for node in self.nodes:
            node.options = Options(allocate=False, discover=True, presence=False)
            node.start(None)
        for node in self.nodes:
            self.move(node, f"{node.name}:1")
        profiles = {record.id: record for node in self.nodes for record in node.disk.records()}
        for node in self.nodes:
            for record in sorted(profiles.values(), key=lambda one: (one.log, one.seq)):
                log = node.disk.logs.setdefault((record.author, record.log), [])
                if record.seq == len(log):
                    log.append(record)
            node.start(None)

    def move(self, node: Node, address: str) -> None:
        """Let a node be at an address, and tell so in its profile."""
        self.places = {at: who for at, who in self.places.items() if who is not node}
        self.places[address] = node
        node.publish("profile", {"name": node.name, "addresses": (address,)})

    def perform(self, node: Node, output: Output) -> None:
        """Carry out one output; a dial leads to whoever is there."""
        if not isinstance(output, events.Dial):
            super().perform(node, output)
            return
        self.dials.append((self.now_ms, node, output.address))
        there = self.places.get(output.address)
        if there is None or {node.name, there.name} & self.away or self.is_cut(node, there):
            self.queue.append((node, events.DialFailed(output.address, "no route")))
            return
        self._links += 2
        here, far = self._links - 1, self._links
        self.ends[here], self.ends[far] = (there, far), (node, here)
        self.queue.append((node, events.LinkOpened(here, True, output.address)))
        self.queue.append((there, events.LinkOpened(far, False, node.name)))

    def leave(self, node: Node) -> None:
        """Cut a node off."""
        self.away.add(node.name)
        for link in [link for link, (far, _) in self.ends.items() if far is node]:
            self.cut(link)
        self.settle()

    def part(self, count: int) -> None:
        """Cut the first so many nodes from the others."""
        self.half = {node.name for node in self.nodes[:count]}
        for link in list(self.ends):
            if link in self.ends and self.is_cut(self.ends[link][0], self.near(link)):
                self.cut(link)
        self.settle()

    def near(self, link: int) -> Node:
        """Return whose end of a link this is."""
        return self.ends[self.ends[link][1]][0]

    def is_cut(self, one: Node, other: Node) -> bool:
        """Return whether two nodes are apart."""
        return (one.name in self.half) != (other.name in self.half)


def linked(node: Node) -> set[bytes]:
    """Return whom a node is linked with."""
    keys = (node.engine.peers.key_of(link) for link in node.engine.peers.ready_links())
    return {key for key in keys if key is not None}


def outbound(node: Node) -> int:
    """Return how many of a node's links it dialled itself."""
    peers = node.engine.peers
    return sum(peers._peers[link].session.outbound for link in peers.ready_links())


def test_nodes_come_to_their_degree_and_stay_there() -> None:
    """9.7: six links at least, not many more than twelve, some of them dialled by each itself."""
    town = Town(20)
    town.run(5 * MINUTE_MS)
    for node in town.nodes:
        assert DEGREE_TARGET <= len(linked(node)) <= DEGREE_HIGH + 4
    assert sum(len(linked(node)) for node in town.nodes) <= (DEGREE_HIGH + 1) * len(town.nodes)
    assert sum(outbound(node) >= DEGREE_OUTBOUND for node in town.nodes) >= 18
    assert len({frozenset(r.id for r in node.disk.records()) for node in town.nodes}) == 1


def test_one_random_member_is_dialled_for_ever() -> None:
    """9.7: each half minute, however well a node is linked, and with pauses where it is in vain."""
    town = Town(10)
    loner, *others = town.nodes
    town.run(MINUTE_MS)
    town.leave(others[-1])
    town.dials.clear()
    town.run(HALF_HOUR_MS)
    tries = [at for at, node, address in town.dials if node is loner and address == "n9:1"]
    assert len(tries) >= HALF_HOUR_MS // (2 * DIAL_RANDOM_INTERVAL_MS)
    assert len(tries) <= HALF_HOUR_MS // 10_000
    town.away.clear()
    town.run(2 * MINUTE_MS)
    assert len(linked(others[-1])) >= DEGREE_TARGET


def test_where_nothing_is_lost_members_are_dialled_more_and_more_seldom() -> None:
    """9.7: each fresh link costs frames; letting go of one too many is no loss."""
    town = Town(24)
    town.run(HALF_HOUR_MS)
    town.dials.clear()
    town.run(2 * HALF_HOUR_MS)
    dials = len(town.dials) / len(town.nodes)
    hour_ms = 2 * HALF_HOUR_MS
    assert hour_ms / (2 * DIAL_RANDOM_INTERVAL_MAX_MS) <= dials
    assert dials <= 2 * hour_ms / DIAL_RANDOM_INTERVAL_MAX_MS


def test_halves_that_were_cut_apart_find_each_other_within_a_minute() -> None:
    """9.7: however long all was calm before, and all was cut."""
    for apart_ms in (MINUTE_MS // 2, HALF_HOUR_MS):
        town = Town(24)
        town.run(HALF_HOUR_MS)
        town.part(12)
        town.run(apart_ms)
        town.half.clear()
        town.run(MINUTE_MS)
        others = {node.key for node in town.nodes[12:]}
        crossing = sum(len(linked(node) & others) for node in town.nodes[:12])
        assert crossing >= 6, apart_ms


def test_who_was_away_for_a_month_finds_back_from_any_one_member() -> None:
    """9.7: all but one have other addresses now; what that one tells leads to the others."""
    town = Town(12)
    town.run(MINUTE_MS)
    lost, only, *others = town.nodes[::-1]
    town.leave(lost)
    for node in others:
        town.move(node, f"{node.name}:2")
    town.run(MINUTE_MS)
    town.now_ms += MONTH_MS
    town.away.clear()
    town.run(2 * MINUTE_MS)
    assert only.key in linked(lost) or len(linked(lost)) >= DEGREE_TARGET
    assert len(linked(lost)) >= DEGREE_TARGET
    assert {r.id for r in lost.disk.records()} == {r.id for r in only.disk.records()}


def test_who_has_another_address_is_found_by_what_it_tells() -> None:
    """9.7: it dials one member; the others dial it, at the address that its profile names."""
    town = Town(8)
    town.run(MINUTE_MS)
    moved, *others = town.nodes[::-1]
    town.leave(moved)
    town.away.clear()
    moved.options = Options(allocate=False, discover=False, presence=False, dial=("n0:1",))
    moved.start(None)
    town.move(moved, "elsewhere:1")
    town.run(3 * MINUTE_MS)
    finders = {node.name for _, node, address in town.dials if address == "elsewhere:1"}
    assert finders
    assert finders <= {node.name for node in others}
    assert outbound(moved) == 1
    assert len(linked(moved)) >= DEGREE_TARGET
