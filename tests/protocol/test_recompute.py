"""Decisions made once more by somebody else, honest ones and those of biased nodes."""

from dataclasses import replace

import pytest

from mycelia_protocol.encoding import Value
from mycelia_protocol.recompute import Finding, recompute
from mycelia_protocol.record import Record
from mycelia_protocol.sharing.baselines import baseline, document
from mycelia_protocol.sharing.change import Inputs
from mycelia_protocol.sharing.policy import FACTORS, policy_id, write_policy
from mycelia_protocol.types.decision import Override
from mycelia_protocol.types.fork import content as fork_content
from support.deciders import Bias, Decider, by_log
from support.scribe import WATER, Scribe, village


def findings(of: Scribe, *others: Scribe, hidden: int = 0) -> list[Finding]:
    """Let a bystander make all decisions of somebody once more."""
    logs = by_log((of, *others))
    for who in others[:hidden]:
        logs[who.key, who.log].pop()
    return list(recompute(of.charter, logs, (of.key, of.log)))


def test_honest_decisions_recompute() -> None:
    """Offer by offer, with what was granted, handed over and put into force in between."""
    _, (mill, oak, elm) = village(3)
    decider = Decider(mill, oak, elm)
    water = mill.offer(10, lot=2)
    oak.request(5)
    elm.request(9)
    decider.decide(water)
    data = write_policy({**document("balanced"), "epoch": 1, "previous": baseline("fifo").id})
    for scribe in (oak, elm):
        grants = [r for r in mill.written if r.kind == "grant"]
        scribe.answer(True, grants[0])
        mill.receipt("handed", 4, grants[0])
        scribe.receipt("received", 4, grants[0])
    mill.write("policy", {"document": data})
    more = mill.offer(12, lot=3)
    oak.request(7)
    decider.decide(more)
    found = findings(mill, oak, elm)
    assert [each.faults for each in found] == [(), ()]
    assert all(each.recomputes for each in found)
    assert found[1].again is not None
    assert found[1].again.policy == policy_id(data)


def leaves_out(key: bytes) -> Bias:
    """Return a bias: the requests of one collective are not looked at."""

    def bias(inputs: Inputs) -> Inputs:
        kept = [each for each in inputs.requests if each.collective != key]
        return replace(inputs, requests=kept)

    return bias


def misweighs(inputs: Inputs) -> Inputs:
    """Return a decision's inputs with another weight on distance, under the old policy's name."""
    weights = tuple(1_000 if name == "fill" else 0 for name in FACTORS)
    return replace(inputs, policy=replace(inputs.policy, weights=weights))


def contend() -> tuple[Decider, Record, list[Record]]:
    """Return a decider, an offer, and two requests for it, the older one first."""
    _, (mill, oak, elm) = village(3)
    decider = Decider(mill, oak, elm)
    return decider, mill.offer(10), [oak.request(20), elm.request(10)]


def test_who_is_left_out_is_named() -> None:
    """A node that does not look at somebody's request is found out at any other node."""
    decider, water, (wanted, _) = contend()
    record = decider.decide(water, leaves_out(wanted.author))
    (found,) = findings(decider.writer, *decider.others)
    assert (found.decision, found.author) == (record.id, decider.writer.key)
    assert found.omitted == (wanted.id,)
    assert not found.recomputes


def test_a_misapplied_weight_is_named() -> None:
    """Whoever weighs otherwise than its policy says does not recompute, though none is missing."""
    decider, water, _ = contend()
    decider.decide(water, misweighs)
    (found,) = findings(decider.writer, *decider.others)
    assert found.omitted == ()
    assert any("the score" in each or "the first" in each for each in found.faults)


@pytest.mark.parametrize(
    ("lies", "fault"),
    [
        ({"policy": bytes(32)}, "a policy that was not in force"),
        ({"left": 9}, "left is 9, and should be 10"),
        ({"ground": "lot"}, "ground is lot"),
        ({"view": bytes(32)}, "its view has another digest"),
    ],
)
def test_each_number_is_held_against_the_records(lies: dict[str, Value], fault: str) -> None:
    """A decision that says something else than what follows from its view has a fault."""
    decider, water, _ = contend()
    decider.decide(water, lies=lies)
    (found,) = findings(decider.writer, *decider.others)
    assert any(fault in each for each in found.faults), found.faults


def test_grants_are_those_of_their_decision() -> None:
    """More to somebody than was decided, or to somebody else, is a fault; an override is none."""
    decider, water, (oaks, elms) = contend()
    mill = decider.writer
    override = Override(elms.id, 4, "they have a clinic", mill.key)
    decided = decider.decide(water, override=override)
    (found,) = findings(mill, *decider.others)
    assert found.recomputes
    mill.write("grant", {"quantity": 1}, water.id, oaks.id, decided.id)
    (found,) = findings(mill, *decider.others)
    assert len(found.faults) == 1
    assert "is not what was decided" in found.faults[0]


def test_what_is_not_here_is_unknown() -> None:
    """Without the records in view nothing is said for or against a decision."""
    decider, water, _ = contend()
    decider.decide(water)
    (found,) = findings(decider.writer, *decider.others, hidden=1)
    assert found.missing
    assert not found.faults
    assert found.again is None
    assert not found.recomputes


@pytest.mark.parametrize(("kind", "comes_out"), [("offer", True), ("request", False)])
def test_who_forks_its_log_makes_no_other_decision_doubtful(kind: str, comes_out: bool) -> None:
    """What is proven to part is left aside: a decision counts if it comes out without it.

    Else nothing is said for or against it; nor is there where nobody has proven the fork.
    """
    _, (mill, oak, elm) = village(3)
    decider = Decider(mill, oak, elm)
    water, thing = mill.offer(10), {**WATER, "quantity": 9}
    oak.request(20)
    elm.offer(3)
    rival = Scribe(elm.seed, elm.charter, elm.rng)
    rival.log, rival.written = elm.log, list(elm.written)
    place = len(elm.written)
    elm.write(kind, {**thing, "urgency": "now"} if kind == "request" else thing)
    decider.decide(water)
    later = mill.offer(10)
    oak.request(8)
    decider.decide(later)
    rival.write("offer", thing)
    assert [each.missing != () for each in findings(mill, oak, rival)] == [True, True]
    oak.write("fork", fork_content([elm.written[place:], rival.written[place:]]))
    found = findings(mill, oak, rival)
    assert [each.recomputes for each in found] == [comes_out, comes_out]
    assert [each.faults for each in found] == [(), ()]
    assert [each.missing == () for each in found] == [comes_out, comes_out]
