"""Forks: an author wrote on two ends of one log. Nobody else is to blame for it."""

import random
from dataclasses import replace

import pytest

from mycelia_protocol.crypto import public_key
from mycelia_protocol.limits import GAP_RECORDS_MAX
from mycelia_protocol.logs import Logs
from mycelia_protocol.notices import ForkSeen, PeerMisbehaved
from mycelia_protocol.record import Record, build_record
from support.mesh import Mesh, Node
from support.scribe import village

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
