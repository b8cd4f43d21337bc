"""What became of requests, grants and offers, as an audit counts it, out of records."""

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple
from unittest.mock import Mock

from mycelia_protocol.archive import Archive
from mycelia_protocol.auditing import Audit, Auditor
from mycelia_protocol.encoding import Value
from mycelia_protocol.outcomes import LIVING, MEMBERS, NOWHERE, Reckoning
from mycelia_protocol.sharing.audit import GrantOutcome, OfferOutcome, RequestOutcome
from mycelia_protocol.sharing.baselines import baseline
from mycelia_protocol.sharing.figures import Groups, Outcomes
from mycelia_protocol.sharing.tally import GrantTally, OfferTally, RequestTally
from mycelia_protocol.state import State
from mycelia_protocol.types.decision import Override
from mycelia_protocol.types.offer import Offer
from mycelia_protocol.types.request import Request
from support.deciders import NOW_MS, Decider, by_log
from support.scribe import WATER, Scribe, village

FIFO = baseline("fifo")  # 15 L of water are a person and day
DAY_MS = 86_400_000


class Told(NamedTuple):
    """What became of things, as it is counted."""

    requests: list[RequestOutcome]
    grants: list[GrantOutcome]
    offers: list[OfferOutcome]
    withdrawn: int
    groups: Mapping[str, Groups]
    had: Mapping[bytes, int]


def told(*scribes: Scribe, as_of_ms: int = NOW_MS + DAY_MS) -> Told:
    """Return what became of all that was written."""
    state = State(scribes[0].charter)
    for record in [record for scribe in scribes for record in scribe.written]:
        state.add(record)
    requests, grants, offers = Mock(RequestTally), Mock(GrantTally), Mock(OfferTally)
    reckoning = Reckoning(state, FIFO, as_of_ms, into=Outcomes(requests, 0, grants, offers))
    for offer in state.every(Offer):
        reckoning.look_at_offer(offer)
    for request in state.every(Request):
        reckoning.look_at_request(request)
    found = reckoning.outcomes()
    rows = [[call.args[0] for call in each.add.mock_calls] for each in (requests, grants, offers)]
    return Told(rows[0], rows[1], rows[2], found.withdrawn, found.groups, found.had)


def audited(*scribes: Scribe, other: str | None = None) -> Audit:
    """Return an audit of all that was written."""
    policy = None if other is None else baseline(other)
    archive = Archive.of(by_log(scribes))
    auditor = Auditor(scribes[0].charter, archive, NOW_MS + DAY_MS, policy)
    steps = [step for step in auditor.steps() if step.stage == "decisions"]
    assert len(steps) == auditor.audit.decisions.count
    return auditor.audit


def test_what_was_received_counts_and_not_what_was_promised() -> None:
    """Of two grants one is received in part, one is only accepted; a request is taken back."""
    _, (mill, oak, elm) = village(3)
    water = mill.offer(30_000)
    wanted, other = oak.request(20_000), elm.request(6_000)
    elm.withdraw(elm.request(500))
    grant = mill.grant(12_000, water, wanted)
    oak.answer(True, grant)
    elm.answer(True, mill.grant(6_000, water, other))
    mill.receipt("handed", 12_000, grant)
    received = oak.receipt("received", 9_000, grant)
    found = told(mill, oak, elm)
    second, first = sorted(found.requests, key=lambda each: each.wanted)
    assert (first.collective, first.wanted, first.served) == (oak.key, 20_000, 9_000)
    assert (first.worth, first.worth_served) == (1_333, 600)
    assert first.waited_s == (received.time_ms - wanted.time_ms) // 1_000
    assert (second.collective, second.served, second.waited_s) == (elm.key, 0, None)
    assert found.withdrawn == 1
    assert found.groups["receivers"] == {MEMBERS: (600, 1_333 + 400)}
    assert found.groups["areas"] == {NOWHERE: (600, 1_733)}
    assert found.had == {mill.key: 0, oak.key: 600_000, elm.key: 0}
    assert found.grants == [GrantOutcome(600, 9_000, FIFO.distance_unknown_m, 600_000)]


def test_one_side_alone_confirms_nothing_after_three_days() -> None:
    """A hand-over is unconfirmed once the other side has had its time."""
    _, (mill, oak) = village(2)
    grant = mill.grant(5, mill.offer(5), oak.request(5))
    oak.answer(True, grant)
    mill.receipt("handed", 5, grant)
    for days, is_confirmed in ((2, True), (4, False)):
        (found,) = told(mill, oak, as_of_ms=NOW_MS + days * DAY_MS).grants
        assert found.is_confirmed == is_confirmed


def test_what_spoils_and_what_is_saved() -> None:
    """Of an offer that is over, what nobody was promised has expired; before, nothing has."""
    _, (mill, oak) = village(2)
    ends: dict[str, Value] = {"expires_ms": NOW_MS + DAY_MS}
    bread = mill.write("offer", {**WATER, **ends, "quantity": 30_000})
    mill.loan(3, [[1, 2]])
    mill.write("offer", {**WATER, "quantity": 15_000, "inexhaustible": True})
    river = oak.write("party", {"form": "ecosystem", "name": "River"})
    thirst: dict[str, Value] = {**WATER, "quantity": 15_000, "urgency": "week"}
    grant = mill.grant(15_000, bread, oak.write("request", {**thirst, "on_behalf_of": river.id}))
    oak.answer(True, grant)
    oak.receipt("received", 15_000, grant)
    found = told(mill, oak, as_of_ms=NOW_MS + DAY_MS - 1)
    assert found.offers == [OfferOutcome(2_000, 0)]
    assert [(each.is_ecosystem, each.is_rescue) for each in found.grants] == [(True, True)]
    assert list(found.groups["receivers"]) == [LIVING]
    assert told(mill, oak).offers == [OfferOutcome(2_000, 1_000)]


def test_an_audit_names_faults_overrides_and_who_would_gain() -> None:
    """A biased decision, one that a person made otherwise, and the same by another policy."""
    _, (mill, oak, elm) = village(3)
    decider = Decider(mill, oak, elm)
    first, second = oak.request(40_000), elm.request(40_000)
    override = Override(second.id, 15_000, "they have a clinic", elm.key)
    by_hand = decider.decide(mill.offer(15_000), override=override)
    biased = decider.decide(
        mill.offer(15_000),
        bias=lambda inputs: replace(
            inputs, requests=[each for each in inputs.requests if each.id != first.id]
        ),
    )
    audit = audited(mill, oak, elm, other="fifo")
    decisions = audit.decisions
    assert (decisions.count, decisions.overridden_pm) == (2, 500)
    assert [each.decision for each in decisions.overridden.first] == [by_hand.id]
    (wrong,) = decisions.wrong.first
    assert (wrong.decision, wrong.omitted, wrong.again) == (biased.id, (first.id,), None)
    assert audit.replay is not None
    assert audit.replay.difference.changed == 1, "the policy would have chosen oak, not elm"
    assert dict(audit.replay.difference.gains) == {oak.key: 1_000, elm.key: -1_000}
    assert audit.replay.receivers == {MEMBERS: 0}
    assert audit.replay.classes["now"] == 0
