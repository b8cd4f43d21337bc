"""Nodes of a city let go of words while it is cut into islands, and agree when they meet."""

from dataclasses import replace
from functools import partial

import pytest

from mycelia_protocol.options import Options
from mycelia_sim.audit import Held, LogCopy
from mycelia_sim.planner import draw_plan
from mycelia_sim.safety import bodies_intact
from mycelia_sim.scenario import find
from mycelia_sim.scenario_reader import load
from mycelia_sim.virtual import world
from mycelia_sim.virtual.run import play_virtual

SMALL = ["run.seed=5", "nodes.count=8", "workload.receipts='auto'"]
LIFE_MS = 3_000  # what is over for so long is erased


def swapped(copy: LogCopy, record: Held) -> LogCopy:
    """Return a copy of a log with another version of one record, if it is in it."""
    return replace(copy, records=tuple(record if r.id == record.id else r for r in copy.records))


def test_islands_erase_and_agree_after_the_heal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every check passes: states agree, no words are lost without a wish, none are kept against it.

    And the check sees words that are lost, and words that are kept.
    """
    monkeypatch.setattr(world, "Options", partial(Options, erase_after_ms=LIFE_MS))
    plan = draw_plan(load(find("river-split"), SMALL), "virtual")
    played = play_virtual(plan)
    assert [check for check in played.checks if check.verdict == "fail"] == []
    (cut,) = plan.cuts
    records = [record for holding in played.evidence.holdings for record in holding.records]
    erasures = {record.id: record for record in records if record.kind == "erase"}
    began_ms = played.evidence.facts.began_ms
    times = [record.time_ms - began_ms for record in erasures.values()]
    assert any(cut.at_ms <= time_ms < cut.until_ms for time_ms in times)
    gone = [record for record in records if record.lacks_words]
    assert len({record.id for record in gone}) > 5
    whole = next(record for record in records if record.has_words)
    kept_against = replace(gone[0], body=whole.body)
    holding, *_ = played.evidence.holdings
    logs = holding.logs
    holding.logs = tuple(swapped(copy, kept_against) for copy in logs)
    check = bodies_intact(played.evidence)
    assert (check.verdict, "against the wish" in check.detail) == ("fail", True)
    holding.logs = logs
    for copy in holding.logs:
        kept = [record for record in copy.records if record.kind != "erase"]
        if any(record.lacks_words for record in kept):
            lacking = replace(copy, records=tuple(kept))
            holding.logs = tuple(lacking if each is copy else each for each in holding.logs)
            break
    check = bodies_intact(played.evidence)
    assert (check.verdict, "nobody erased them" in check.detail) == ("fail", True)
