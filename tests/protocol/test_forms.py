"""Logs in compact form: what goes, what is given in its place, and what newcomers make of it."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from mycelia_protocol import forms
from mycelia_protocol.close_codes import CLOSE_FORGED
from mycelia_protocol.compact import shorten
from mycelia_protocol.confirming import confirmed
from mycelia_protocol.encoding import Value
from mycelia_protocol.form_frames import FormFrame, Forms
from mycelia_protocol.options import Options
from mycelia_protocol.record import Record
from mycelia_protocol.types.offer import Offer
from mycelia_protocol.types.profile import Profile
from support.mesh import Mesh, Node

DAY_MS = 86_400_000
OFFER: dict[str, Value] = {
    "category": "food.water",
    "title": "Water",
    "quantity": 10,
    "unit": "mL",
}


def options(compact_after_ms: int | None) -> Options:
    """Return what the node's owners chose."""
    return Options(
        allocate=False,
        discover=False,
        checkpoint_after=6,
        acknowledge_within_ms=10_000,
        compact_after_ms=compact_after_ms,
    )


def shortened(count: int = 3, *, keepers: int = 0) -> Mesh:
    """Return linked nodes that wrote, acknowledged, and let go of what is old.

    Args:
        keepers: how many of them keep everything.
    """
    mesh = Mesh(count=count, allocate=False)
    for number, node in enumerate(mesh.nodes):
        node.options = options(None if number < keepers else 30 * DAY_MS)
        node.start(node.disk.records()[-1].log if number == 0 else None)
    for node in mesh.nodes[1:]:
        mesh.connect(mesh.nodes[0], node)
    for node in mesh.nodes:
        node.publish("profile", {"name": node.name, "about": "by the river"})
        for _ in range(8):
            node.publish("withdraw", {"reason": "spilt"}, node.publish("offer", OFFER))
        node.publish("offer", {**OFFER, "title": "Still there"})
    mesh.run(60_000)
    for node in mesh.nodes:  # so that checkpoints and what they cover are below the end
        node.publish("withdraw", {}, node.publish("offer", OFFER))
    mesh.now_ms += 40 * DAY_MS
    mesh.run(60_000)
    return mesh


def compact_records(node: Node) -> list[Record]:
    """Return what the node holds in compact form only."""
    return [each for each in node.disk.records() if each.is_compact]


def join(mesh: Mesh, inviter: Node) -> Node:
    """Return a newcomer with nothing but its vouch."""
    newcomer = Node(mesh, "newcomer", mesh.rng.randbytes(32), options(30 * DAY_MS))
    inviter.publish("vouch", {"key": newcomer.key})
    mesh.run(1_000)
    mesh.nodes.append(newcomer)
    return newcomer


def test_old_records_of_others_go_and_nothing_changes() -> None:
    """CHECK-6: own logs stay, and so does what is open, who is who, and what is shown signed."""
    mesh = shortened(keepers=1)
    keeper, *others = mesh.nodes
    assert not compact_records(keeper)
    for node in others:
        gone = compact_records(node)
        assert len(gone) > 20
        assert node.key not in {each.author for each in gone}
        assert {each.kind for each in gone} <= {"incarnation", "offer", "withdraw"}
        assert node.engine.state.digest() == keeper.engine.state.digest()
        node.start(None)
        state = node.engine.state
        assert state.digest() == keeper.engine.state.digest()
        open_titles = [each.body.title for each in state.every(Offer) if each.body.title]
        assert open_titles.count("Still there") == 3
        assert all(each.body.about for each in state.every(Profile))


def test_a_newcomer_starts_from_nodes_that_let_go() -> None:
    """CHECK-7, CHECK-8: it comes to the same state, and holds compact what they do."""
    mesh = shortened()
    newcomer = join(mesh, mesh.nodes[0])
    mesh.connect(newcomer, mesh.nodes[1])
    mesh.run(60_000)
    digests = {node.engine.state.digest() for node in mesh.nodes}
    assert len(digests) == 1
    assert len(compact_records(newcomer)) > 20
    assert newcomer.engine.state.roster() == mesh.nodes[0].engine.state.roster()
    assert not [each for node in mesh.nodes for each in node.closed]
    newcomer.start(None)
    assert {newcomer.engine.state.digest()} == digests


def test_a_newcomer_passes_on_what_it_took_in() -> None:
    """CHECK-8: the next one starts from the newcomer alone, and finds checkpoints right as well."""
    mesh = shortened()
    first = join(mesh, mesh.nodes[0])
    mesh.connect(first, mesh.nodes[1])
    mesh.run(60_000)
    second = join(mesh, mesh.nodes[0])
    mesh.connect(second, first)
    mesh.run(120_000)
    assert second.engine.state.digest() == mesh.nodes[0].engine.state.digest()
    assert not second.engine.checkpoints.refuted
    kinds = [each.kind for each in second.disk.records() if each.author == second.key]
    assert kinds.count("acknowledge") == 1


def test_whoever_keeps_everything_and_who_does_not_are_level() -> None:
    """CHECK-6: heads are the same, and a keeper that was away gets what came since as records."""
    mesh = shortened(keepers=1)
    keeper, other, _ = mesh.nodes
    for link in list(mesh.ends):
        mesh.cut(link)
    mesh.settle()
    other.publish("offer", OFFER)
    mesh.connect(keeper, other)
    mesh.run(60_000)
    assert keeper.engine.state.digest() == other.engine.state.digest()
    assert not compact_records(keeper)


def test_an_island_that_was_away_meanwhile_goes_on_with_forms() -> None:
    """CHECK-7: who has the beginning of a log as records takes the rest of what is covered."""
    mesh = Mesh(count=4, allocate=False)
    for number, node in enumerate(mesh.nodes):
        node.options = options(30 * DAY_MS)
        node.start(node.disk.records()[-1].log if number == 0 else None)
    *there, away = mesh.nodes
    for node in mesh.nodes[1:]:
        mesh.connect(mesh.nodes[0], node)
    for _ in range(3):
        for node in there:
            node.publish("withdraw", {}, node.publish("offer", OFFER))
    mesh.run(60_000)
    for link, (node, _) in list(mesh.ends.items()):
        if node is away:
            mesh.cut(link)
    mesh.settle()
    away.publish("offer", {**OFFER, "title": "from the island"})
    for _ in range(8):
        for node in there:
            node.publish("withdraw", {}, node.publish("offer", OFFER))
    mesh.run(60_000)
    mesh.now_ms += 40 * DAY_MS
    mesh.run(60_000)
    assert compact_records(there[1])
    mesh.connect(away, there[1])
    mesh.run(60_000)
    assert len({node.engine.state.digest() for node in mesh.nodes}) == 1
    assert compact_records(away)
    assert not [each for node in mesh.nodes for each in node.closed]


def test_nothing_goes_that_could_become_unconfirmed() -> None:
    """CHECK-6: who was away speaks for other logs later, and still comes to one that is old."""
    mesh = Mesh(count=5, allocate=False)
    for number, node in enumerate(mesh.nodes):
        node.options = options(30 * DAY_MS)
        node.start(node.disk.records()[-1].log if number == 0 else None)
    gone, *there, one, other = mesh.nodes
    for node in mesh.nodes[1:]:
        mesh.connect(gone, node)
    mesh.run(60_000)
    for link, (node, _) in list(mesh.ends.items()):
        if node in (one, other):
            mesh.cut(link)
    mesh.connect(one, other)
    mesh.connect(*there)
    for node in mesh.nodes:
        for _ in range(8):
            node.publish("withdraw", {}, node.publish("offer", OFFER))
    mesh.run(60_000)
    mesh.now_ms += 40 * DAY_MS
    mesh.run(60_000)
    for link, (node, _) in list(mesh.ends.items()):  # and its disk is lost
        if node is gone:
            mesh.cut(link)
    mesh.settle()
    mesh.nodes.remove(gone)
    mesh.connect(there[0], one)
    mesh.run(120_000)
    assert len({node.engine.state.digest() for node in mesh.nodes}) == 1


@contextmanager
def spoilt(node: Node) -> Iterator[None]:
    """Let a node's disk give other facts in one compact form."""
    logs = (log for _, log in sorted(node.disk.logs.items()))
    log = next(log for log in logs if any(each.is_compact for each in log))
    at = next(at for at, each in enumerate(log) if each.is_compact and each.kind == "offer")
    true = log[at]
    other = next(each for each in log if each.is_compact and each.kind != "offer")
    log[at] = replace(true, body=other.body)
    yield
    log[at] = true


def test_false_forms_cost_their_sender_its_link_and_nothing_else() -> None:
    """CHECK-7: what does not come to the root is refused, and asked of somebody else."""
    mesh = shortened()
    newcomer = join(mesh, mesh.nodes[0])
    with spoilt(mesh.nodes[1]):
        mesh.connect(newcomer, mesh.nodes[1])
        mesh.run(60_000)
    assert [each.code for each in newcomer.closed][:1] == [CLOSE_FORGED]
    mesh.connect(newcomer, mesh.nodes[2])
    mesh.run(60_000)
    assert newcomer.engine.state.digest() == mesh.nodes[0].engine.state.digest()


def test_another_checkpoint_that_comes_meanwhile_makes_nobody_a_forger(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """CHECK-7: an answer is held to the checkpoint on which the question rested."""
    mesh = shortened()
    author, giver = mesh.nodes[:2]
    for _ in range(4):
        author.publish("withdraw", {}, author.publish("offer", OFFER))
    mesh.run(60_000)
    newcomer = join(mesh, author)
    offered: list[Record] = []
    honest = forms.FormExchange.heard

    def heard(
        self: forms.FormExchange, link: int, frame: FormFrame, now_ms: int
    ) -> list[forms.FormStep]:
        if isinstance(frame, Forms) and frame.records and not offered:
            log = (frame.seek.author, frame.seek.log)
            offered.extend(
                each
                for each in giver.disk.records()
                if (each.author, each.log) == log
                and each.kind == "checkpoint"
                and each.seq != frame.seek.until
            )
            self.came(link, offered[-1:], {}, now_ms)
        return honest(self, link, frame, now_ms)

    monkeypatch.setattr(forms.FormExchange, "heard", heard)
    mesh.connect(newcomer, giver)
    mesh.run(60_000)
    assert offered
    assert not [each for node in mesh.nodes for each in node.closed]
    assert newcomer.engine.state.digest() == giver.engine.state.digest()


def test_nothing_is_taken_that_too_few_confirmed() -> None:
    """CHECK-4, CHECK-8: a checkpoint that lies is not confirmed, so its forms are not asked for."""
    mesh = shortened()
    liar, victim = mesh.nodes[1], join(mesh, mesh.nodes[0])
    lie = liar.publish("checkpoint", {"root": bytes(32)})
    mesh.run(60_000)
    for node in (mesh.nodes[0], mesh.nodes[2]):
        assert lie in node.engine.checkpoints.refuted
        assert lie not in [each.id for each in confirmed(node.engine.state)]
    log = liar.disk.logs[liar.key, liar.engine.publisher.log or b""]
    for at in range(len(log) - 1):  # it offers its own log by the lie alone
        log[at] = shorten(log[at]) if log[at].kind != "checkpoint" else log[at]
    liar.disk.compact[liar.key, liar.engine.publisher.log or b""] = len(log) - 1
    liar.start(liar.engine.publisher.log)
    mesh.connect(victim, liar)
    mesh.run(60_000)
    assert not victim.engine.logs.accepted((liar.key, log[0].log)).next_seq
    mesh.connect(victim, mesh.nodes[2])
    mesh.run(60_000)
    assert victim.engine.state.digest() == mesh.nodes[0].engine.state.digest()


@pytest.mark.parametrize("seed", range(6))
def test_a_link_that_breaks_anywhere_costs_nothing_that_came(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CHECK-7: what was proven stays, and the rest comes from others, whole or compact."""
    rng = random.Random(seed)
    monkeypatch.setattr(forms, "RUN_SIZE_MAX", rng.choice((300, 900, 100_000)))
    mesh = shortened(4, keepers=rng.randrange(2))
    newcomer = join(mesh, mesh.nodes[0])
    for _ in range(6):
        far = rng.choice(mesh.nodes[:-1])
        link = mesh.begin(newcomer, far)
        for _ in range(rng.randrange(120)):
            if mesh.queue:
                node, event = mesh.queue.popleft()
                node.give(event)
                ends = [log[-1] for log in newcomer.disk.logs.values()]
                assert all(each.is_compact or each.is_signed() for each in ends)
        before = len(newcomer.disk.records())
        mesh.cut(link)
        mesh.settle()
        assert len(newcomer.disk.records()) >= before
    for node in mesh.nodes[:-1]:
        mesh.connect(newcomer, node)
    mesh.run(90_000)
    assert len({node.engine.state.digest() for node in mesh.nodes}) == 1
    assert not [each for node in mesh.nodes for each in node.closed]
    newcomer.start(None)
    assert newcomer.engine.state.digest() == mesh.nodes[0].engine.state.digest()
