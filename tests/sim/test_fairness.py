"""The check that nobody is starved: what it sees, and where it would rather say nothing."""

from dataclasses import replace

import pytest

from mycelia_sim.audit import Holding
from mycelia_sim.checkers import gather
from mycelia_sim.evidence import Evidence
from mycelia_sim.fairness import fairness
from mycelia_sim.plan import Kill, Plan
from mycelia_sim.verdict import Check
from mycelia_sim.virtual.run import play_virtual
from support.biased import enough, overlooks_somebody, serves_the_last_first, too_little
from support.spenders import last_soup

Planted = pytest.MonkeyPatch


def judged(plan: Plan) -> tuple[Check, Evidence]:
    """Play a plan and return what the check says, and from what."""
    evidence = play_virtual(plan).evidence
    return fairness(evidence), evidence


def again(
    evidence: Evidence, *kills: Kill, shut: tuple[str, ...] = (), is_quiet: bool = True
) -> Check:
    """Return what the check says if the plan or the facts had been otherwise."""
    plan, quiet = replace(evidence.plan, kills=kills), evidence.facts.quiet
    facts = replace(evidence.facts, shut=list(shut), quiet=quiet if is_quiet else None)
    return fairness(replace(evidence, plan=plan, facts=facts))


def test_who_lacks_what_is_left_was_starved(monkeypatch: Planted) -> None:
    """It names who lacks what, and who has it, unless that one could not spend; by any policy."""
    overlooks_somebody(monkeypatch)
    check, evidence = judged(enough())
    assert check.verdict == "fail"
    assert "of n3 lacks 3, and n0 has 7 left of offer" in check.detail
    assert check.first is not None
    assert check.first.node == "n0"
    assert again(evidence, shut=("n0",)).verdict == "pass"
    assert "1 nodes could not spend" in again(evidence, shut=("n0",)).detail
    assert again(evidence, is_quiet=False).verdict == "unknown"
    check, _ = judged(replace(enough(), policy="commons", in_force="balanced"))
    assert check.verdict == "fail"


def test_who_was_passed_over_was_starved(monkeypatch: Planted) -> None:
    """Who asked first gets nothing, since somebody younger got all; but who knew is what counts."""
    check, _ = judged(too_little())
    assert (check.verdict, check.detail) == ("pass", "of 2 requests 1 lack what nobody has left")
    serves_the_last_first(monkeypatch)
    check, evidence = judged(too_little())
    assert check.verdict == "fail"
    assert "n0 granted request" in check.detail
    assert check.first is not None
    assert check.first.node == "n0"
    fell = Kill("k", 4_000, "n0", 4_500, "keep", 0)
    assert again(evidence, fell).verdict == "pass"


def test_rights_count_unless_they_may_be_out_of_use() -> None:
    """What a holder of rights did not grant was left, too; after a crash that is open."""
    check, evidence = judged(last_soup())
    assert check.verdict == "pass"
    grants = [r for r in evidence.library.records.values() if r.kind == "grant"]
    of_rights = [g for g in grants if evidence.library.records[g.refs[0]].kind == "rights"]
    assert of_rights
    gone = {of_rights[0].id}
    holdings = [without(holding, gone) for holding in evidence.holdings]
    robbed = gather(evidence.plan, evidence.facts, holdings, evidence.sightings)
    found = fairness(robbed)
    assert found.verdict == "fail"
    assert "left of rights" in found.detail
    assert again(robbed, Kill("k", 0, "n1", 1, "keep", 0)).verdict == "pass"


def without(holding: Holding, ids: set[bytes]) -> Holding:
    """Return a disk from which records are missing."""
    logs = tuple(
        replace(
            log,
            records=tuple(r for r in log.records if r.id not in ids),
            ids=tuple(i for i in log.ids if i not in ids),
        )
        for log in holding.logs
    )
    return replace(holding, logs=logs)
