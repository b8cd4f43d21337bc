"""One plan on every backend: the same records, and the same state, to the last bit."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mycelia_sim.audit import Holding
from mycelia_sim.checkers import check_all
from mycelia_sim.evidence import Evidence, gather
from mycelia_sim.live.process import module_command
from mycelia_sim.live.run import LiveRun, Places
from mycelia_sim.progress import Progress
from mycelia_sim.switch.probe import probe
from mycelia_sim.verdict import Check
from mycelia_sim.virtual.run import play_virtual
from support import parity

NODE = str(Path(__file__).parent / "parity_node.py")


@dataclass(frozen=True)
class Ended:
    """A run that is over; `lost` are packets."""

    evidence: Evidence
    checks: tuple[Check, ...]
    lost: int = 0

    @property
    def saved(self) -> list[tuple[int, str, str, str]]:
        """Return (post, node, kind, record) of what users were told is saved."""
        said = self.evidence.facts.acknowledged
        return sorted((one.n, one.node, one.kind, one.record) for one in said)

    @property
    def disks(self) -> dict[str, list[tuple[str, str, int]]]:
        """Return (record, kind, seq) of all that each node holds."""
        return {
            holding.node: sorted(
                (record.id.hex(), record.kind, record.seq)
                for log in holding.logs
                for record in log.records
            )
            for holding in self.evidence.holdings
        }

    @property
    def digests(self) -> set[str]:
        """Return the state digests that the nodes told in the end."""
        return {digest for digest, _ in self.evidence.facts.told.values()}

    @property
    def failed(self) -> list[str]:
        """Return what the checkers found wrong."""
        return [f"{one.name}: {one.detail}" for one in self.checks if one.verdict != "pass"]


def play_in_virtual_time() -> Ended:
    """Play the plan in virtual time."""
    with parity.placed():
        played = play_virtual(parity.plan("virtual"))
    return Ended(played.evidence, played.checks)


async def play_for_real(backend: str, folder: Path) -> Ended:
    """Play the plan on real nodes."""
    plan = parity.plan(backend)
    homes = Path(tempfile.mkdtemp(prefix="mycelia-sim-"))  # short: sockets lie in there
    run = LiveRun(plan, Places(folder, homes), Progress(is_quiet=True), module_command(NODE))
    try:
        holdings: list[Holding] = await run.run()
    finally:
        run.end_processes()
        shutil.rmtree(homes)
    evidence = gather(plan, run.facts, holdings)
    network: Any = run.measure(evidence)[1]["network"]
    return Ended(evidence, tuple(check_all(evidence)), network.get("lost", 0))


@pytest.mark.daemon
async def test_one_plan_comes_to_the_same_on_every_backend(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Virtual time, real daemons behind relays, and real daemons behind the switch agree.

    Compared are: which posts were acknowledged, on which node, by which record; the ids of all
    records on every disk, and with them every grant, answer and receipt that nodes wrote by
    themselves, in the order in which each node wrote its own; and the digest of the state. What
    depends on the plan is in there. What depends on time is not: the plan leaves no two things of
    one node in a race, and ids are made of places instead of clocks and chance (see `parity.py`).
    So it says nothing of a contest for an offer, which the two clocks of two runs decide.
    """
    monkeypatch.setenv(parity.VARIABLE, "live")
    expected = play_in_virtual_time()
    assert expected.failed == []
    assert len(expected.saved) == len(parity.POSTS)
    kinds = {kind for records in expected.disks.values() for _, kind, _ in records}
    assert {"incarnation", "grant", "answer", "receipt", "withdraw"} <= kinds
    assert len(expected.digests) == 1
    backends = ["live"] + ["switch"] * all(is_ok for _, is_ok, _ in probe())
    found = await asyncio.gather(*(play_for_real(one, tmp_path / one) for one in backends))
    for backend, ended in zip(backends, found, strict=True):
        assert ended.failed == []
        assert (ended.lost > 10) == (backend == "switch")
        assert ended.saved == expected.saved
        assert ended.disks == expected.disks
        assert ended.digests == expected.digests
