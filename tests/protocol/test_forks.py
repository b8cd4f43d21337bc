"""Forks: an author wrote on two ends of one log. Nobody else is to blame for it."""

import random
from dataclasses import replace
from itertools import pairwise

import pytest

from mycelia_protocol.crypto import public_key
from mycelia_protocol.limits import GAP_RECORDS_MAX
from mycelia_protocol.logs import Logs
from mycelia_protocol.notices import ForkSeen, PeerMisbehaved
from mycelia_protocol.record import Record, build_record
from mycelia_protocol.types.fork import content
from support.mesh import Mesh, Node
from support.scribe import Scribe, village

Ends = tuple[list[Record], list[Record]]


def two_ends(common: int, first: int, second: int, seed: bytes, commons: bytes) -> Ends:
    """Return one log that parts after so many records, written to both its ends."""
    rng = random.Random(3)
    log = rng.randbytes(8)

    def write(records: list[Record], count: int) -> list[Record]:
        grown = list(records)
        for _ in range(count):
            last = grown[-1] if grown else None
            grown.append(
                build_record(
                    commons=commons,
                    seed=seed,
                    author=public_key(seed),
                    log=log,
                    seq=len(grown),
                    prev=last.id if last else None,
                    kind="offer" if last else "incarnation",
                    time_ms=1,
                    content={"heads": []} if last is None else {"title": "x"},
                    salt=rng.randbytes(16),
                )
            )
        return grown

    shared = write([], common)
    return write(shared, first), write(shared, second)


def ends_of_a_member(mesh: Mesh, common: int, first: int, second: int) -> Ends:
    """Return a forked log of the mesh's second node."""
    return two_ends(common, first, second, mesh.nodes[1].seed, mesh.charter.commons)


def stripped(records: list[Record]) -> list[Record]:
    """Return a run as it travels: signed at its end alone."""
    return [*(record.without_signature() for record in records[:-1]), records[-1]]


def plant(node: Node, records: list[Record]) -> None:
    """Put a log onto a node's disk and start the node from there."""
    node.disk.logs[records[0].author, records[0].log] = list(records)
    node.start(None)


def forks_seen(node: Node) -> list[ForkSeen]:
    """Return the forks that a node told of."""
    return [notice for notice in node.notices if isinstance(notice, ForkSeen)]


def blamed(mesh: Mesh) -> list[PeerMisbehaved]:
    """Return all complaints about peers."""
    notices = [notice for node in mesh.nodes for notice in node.notices]
    return [notice for notice in notices if isinstance(notice, PeerMisbehaved)]


def test_a_run_of_the_other_branch_is_a_fork_and_not_forged() -> None:
    """LOG-7: unsigned inner records of another branch are authentic by what follows them."""
    here, there = ends_of_a_member(Mesh(count=2), 3, 2, 4)
    logs = Logs()
    logs.take(here)
    intake = logs.take(stripped(there)[5:])
    assert intake.forks
    assert not intake.forged
    assert not intake.accepted


def test_a_run_that_hangs_on_nothing_and_ends_unsigned_is_forged() -> None:
    """LOG-2: without a good signature at its end, another branch is nothing but a claim."""
    here, there = ends_of_a_member(Mesh(count=2), 3, 2, 4)
    logs = Logs()
    logs.take(here)
    spoilt = replace(there[6], signature=bytes(64))
    intake = logs.take([there[5].without_signature(), spoilt])
    assert not intake.forks
    assert len(intake.forged) == 2


def test_a_contested_log_stays_as_it_is() -> None:
    """LOG-8: after a fork was seen neither branch goes on, nothing is held, nothing checked."""
    here, there = ends_of_a_member(Mesh(count=2), 3, 6, 6)
    logs = Logs()
    logs.take(here[:5])
    assert logs.take([there[8]]).missing
    assert logs.take([there[4]]).forks
    key = (here[0].author, here[0].log)
    assert logs.is_contested(key)
    checked = logs.verifications
    for records in (here, there, [there[8]]):
        intake = logs.take(records)
        assert [intake.accepted, intake.forks, intake.forged, intake.missing] == [[], [], [], {}]
    assert logs.verifications == checked
    assert logs.accepted(key).next_seq == 5


def test_other_logs_of_the_same_author_go_on() -> None:
    """Only the forked log stands still."""
    here, there = ends_of_a_member(Mesh(count=2), 3, 2, 2)
    _, (founder, *_) = village(2)
    logs = Logs()
    logs.take(here)
    logs.take(there)
    assert logs.take(founder.written).accepted


@pytest.mark.parametrize(
    ("common", "first", "second"),
    [(3, 1, 1), (1, 5, 1), (3, 2, 40), (3, 40, 2), (200, 30, 25), (0, 2, 2), (300, 1, 20)],
)
@pytest.mark.parametrize("are_signed", [True, False])
def test_the_place_is_found_and_proven_to_all(
    common: int, first: int, second: int, are_signed: bool
) -> None:
    """LOG-9, FOLD-4: whichever end nodes hold, one proof of the very first place reaches all."""
    mesh = Mesh(count=5, allocate=False)
    ends = ends_of_a_member(mesh, common, first, second)
    keepers = mesh.nodes[:1] + mesh.nodes[2:]
    for number, node in enumerate(keepers):
        records = ends[number % 2]
        plant(node, records if are_signed else stripped(records))
    mesh.run(1_000)
    for one, other in pairwise(keepers):
        mesh.connect(one, other)
    mesh.run(150_000)
    forked = (ends[0][0].author, ends[0][0].log)
    assert {node.engine.state.contested_from(forked) for node in keepers} == {common}
    assert len({node.engine.state.digest() for node in keepers}) == 1
    proofs = {each.id for node in keepers for each in node.disk.records() if each.kind == "fork"}
    assert 1 <= len(proofs) <= 2
    assert not blamed(mesh)


@pytest.mark.parametrize("are_signed", [True, False])
@pytest.mark.parametrize(("late", "is_known"), [(0, False), (1, True), (2, False), (2, True)])
def test_of_three_ends_the_earliest_place_is_found(
    late: int, is_known: bool, are_signed: bool
) -> None:
    """LOG-11, FOLD-3: who holds another branch before the proven place shows it, even late."""
    mesh = Mesh(count=4, allocate=False)
    first, second = ends_of_a_member(mesh, 6, 3, 2)
    rng = random.Random(5)
    scribe = Scribe(mesh.nodes[1].seed, mesh.charter, rng)
    scribe.log, scribe.written = first[0].log, first[:3]
    for number in range(7):
        scribe.offer(number + 1)
    ends = [first, second, scribe.written]
    keepers = [mesh.nodes[0], *mesh.nodes[2:]]
    proof = Scribe(scribe.seed, mesh.charter, rng)
    proof.write("fork", content([first[6:], second[6:]]))
    for node, records in zip(keepers, ends, strict=True):
        node.disk.logs[proof.key, proof.log] = list(proof.written) if is_known else []
        plant(node, records if are_signed else stripped(records))
    others = [node for number, node in enumerate(keepers) if number != late]
    mesh.connect(*others)
    mesh.run(60_000)
    mesh.connect(others[0], keepers[late])
    mesh.run(150_000)
    forked = (first[0].author, first[0].log)
    assert [node.engine.state.contested_from(forked) for node in keepers] == [3, 3, 3]
    assert len({node.engine.state.digest() for node in keepers}) == 1
    assert not blamed(mesh)


def test_who_is_proven_to_fork_goes_on_in_another_log() -> None:
    """LOG-10: a copied folder, say; the node may not spend before others have shown its logs."""
    mesh = Mesh(count=3, allocate=False)
    here, there = ends_of_a_member(mesh, 3, 2, 2)
    author, other = mesh.nodes[1], mesh.nodes[2]
    plant(other, there)
    author.disk.logs[here[0].author, here[0].log] = list(here)
    author.start(here[0].log)
    assert author.engine.resumable_log == here[0].log
    mesh.connect(author, other)
    mesh.run(60_000)
    assert author.engine.publisher.log != here[0].log
    written = author.publish("profile", {"name": "Oak House"})
    assert other.engine.state.statement(written) is not None
    assert len({node.engine.state.digest() for node in (author, other)}) == 1


def test_a_proof_that_takes_no_part_is_told_again() -> None:
    """LOG-9: a proof on an end that others don't hold would leave them without it."""
    mesh = Mesh(count=4, allocate=False)
    ends = ends_of_a_member(mesh, 3, 1, 1)
    first, liar, second, third = mesh.nodes
    rng = random.Random(9)
    scribe = Scribe(liar.seed, mesh.charter, rng)
    scribe.reincarnate()
    proof = scribe.write("fork", content([ends[0][3:], ends[1][3:]]))
    rival = Scribe(liar.seed, mesh.charter, rng)
    rival.log, rival.written = scribe.log, scribe.written[:1]
    rival.write("fork", {"ends": []})
    for records in (ends[0], scribe.written):
        first.disk.logs[records[0].author, records[0].log] = list(records)
    for records in (ends[0], rival.written):
        second.disk.logs[records[0].author, records[0].log] = list(records)
    first.start(None)
    second.start(None)
    assert first.engine.state.is_proven((liar.key, ends[0][0].log), 3)
    mesh.connect(first, third)
    mesh.connect(third, second)
    mesh.run(120_000)
    nodes = (first, second, third)
    assert len({node.engine.state.digest() for node in nodes}) == 1
    assert len(second.engine.state.contested_logs()) == 2
    assert second.engine.state.statement(proof.id) is None


@pytest.mark.parametrize(("first", "second"), [(1, 1), (3, 3), (2, 7), (7, 2), (1, 400)])
def test_two_honest_nodes_with_two_branches_notice_and_stay_linked(first: int, second: int) -> None:
    """LOG-7, REP-7: where the branches meet both sides see it, and neither blames the other."""
    mesh = Mesh(count=3, allocate=False)
    ends = ends_of_a_member(mesh, 3, first, second)
    keepers = (mesh.nodes[0], mesh.nodes[2])
    for node, records in zip(keepers, ends, strict=True):
        plant(node, stripped(records))
    mesh.connect(*keepers)
    mesh.run(120_000)
    assert len(mesh.ends) == 2
    assert not blamed(mesh)
    assert [len(forks_seen(node)) for node in keepers] == [1, 1]
    record = keepers[0].publish("profile", {"name": "Oak House"})
    assert record in {one.id for one in keepers[1].disk.records()}


def test_a_full_gap_buffer_costs_no_more_checks() -> None:
    """What would not be held is not verified; a member can't buy checks with what goes nowhere."""
    mesh = Mesh(count=2)
    log, _ = ends_of_a_member(mesh, 3, GAP_RECORDS_MAX + 40, 0)
    logs = Logs(lambda record: record.signature is not None)
    key = (log[0].author, log[0].log)
    logs.take(log[1 : GAP_RECORDS_MAX + 1])
    assert logs.gap_load[0] == GAP_RECORDS_MAX
    checked = logs.verifications
    assert logs.take(log[GAP_RECORDS_MAX + 1 :]).missing == {key: 1}
    assert logs.verifications == checked
    assert len(logs.take(log[:1]).accepted) == GAP_RECORDS_MAX + 1
    assert logs.gap_load == (0, 0)
