"""A decision in sentences, made from its numbers and from nothing else. Spec: section 8.9.

Every sentence can be checked with the numbers of the decision, which anybody can recompute. None
says why the policy is as it is; that is for those who voted it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from mycelia_protocol.sharing import change as kinds
from mycelia_protocol.sharing import decide as grounds
from mycelia_protocol.sharing import gates
from mycelia_protocol.sharing.change import Change
from mycelia_protocol.sharing.decide import Candidate, Decision
from mycelia_protocol.sharing.judge import Judgement, Row
from mycelia_protocol.sharing.policy import FACTORS

_WAITS: Final = {
    gates.URGENT_FIRST: "requests of class now come first",
    gates.ECOLOGY_FIRST: "ecosystems have not had their share",
}
_MINUTE_MS: Final = 60_000


@dataclass(frozen=True, slots=True)
class Words:
    """What only the asker knows.

    Attributes:
        request: says whose request it is, such as "Elm".
        amount: says an amount of the offer's unit, such as "5 L".
    """

    request: Callable[[bytes], str]
    amount: Callable[[int], str]


def explain(
    judgement: Judgement, decision: Decision, found: Sequence[Change], words: Words
) -> list[str]:
    """Return the sentences: what was given, who stood first and why, who did not, what if.

    Args:
        judgement: what the decision was made from.
        decision: `settle(judgement)`.
        found: `changes` of the same inputs; () leaves the last part out.
        words: names and amounts for people.
    """
    return [
        *_given(decision, words),
        *_first(judgement, decision, words),
        *_not_chosen(judgement, decision, words),
        *(_change(each, words) for each in found),
    ]


def _given(decision: Decision, words: Words) -> Iterator[str]:
    """Say how much went where."""
    grants = decision.grants
    whole = words.amount(decision.available)
    if not grants:
        yield f"Nothing of {whole} is given: no request is a candidate."
        return
    total = words.amount(sum(quantity for _, quantity in grants))
    parts = ", ".join(f"{words.request(who)} {words.amount(n)}" for who, n in grants)
    yield f"Of {whole}, {total} are given: {parts}."
    if len(grants) > 1:
        part = words.amount(decision.portion)
        yield f"It was handed out {part} at a time, each time to whoever stood first then."


def _first(judgement: Judgement, decision: Decision, words: Words) -> Iterator[str]:
    """Say who stood first and second, with all terms, and what set them apart."""
    winner, second = decision.winner, decision.runner_up
    if winner is None:
        return
    name = words.request(winner.request)
    yield f"{name} stood first{_terms(judgement, winner)}."
    if second is None:
        yield "There was no other candidate."
        return
    other = words.request(second.request)
    yield f"{other} stood second{_terms(judgement, second)}."
    yield _ground(decision, winner, second, name, other)
    yield from _apart(judgement, winner, second, name, other)


def _terms(judgement: Judgement, row: Candidate) -> str:
    """Return the score and the terms that make it up; "" where scores decide nothing."""
    if judgement.policy.mode != "score":
        return ""
    assert row.factors is not None
    terms = [
        f"{factor} {weight} x {value}"
        for factor, weight, value in zip(
            FACTORS, judgement.policy.weights, row.factors, strict=True
        )
        if weight
    ]
    return f" with {row.score:,} of 1,000,000 points ({', '.join(terms)})"


def _ground(decision: Decision, winner: Candidate, second: Candidate, name: str, other: str) -> str:
    """Say what decided between the first and the second."""
    assert winner.measures is not None
    assert second.measures is not None
    match decision.ground:
        case grounds.FLOOR:
            gate = next(gate for gate in second.gates if gate in _WAITS)
            return f"A floor of the policy decided, not the score: {_WAITS[gate]}."
        case grounds.SCORE:
            return f"The margin is {decision.margin:,} points."
        case grounds.POSTED:
            return f"All else is equal; {name} was posted earlier."
        case grounds.LOT:
            return f"Lots decided: the hash of {name} is the smaller one."
        case grounds.HAD:
            had = f"{winner.measures.had:,} against {second.measures.had:,}"
            return f"Of the two nearest {name} had less: {had} micro-person-days per member."
        case grounds.NEARER:
            near = f"{winner.measures.metres:,} m against {second.measures.metres:,} m"
            return f"{name} is nearer than {other}: {near}."
        case _:
            return "All else is equal; the smaller hash of policy, offer and request decided."


def _apart(
    judgement: Judgement, winner: Candidate, second: Candidate, name: str, other: str
) -> Iterator[str]:
    """Say which terms spoke for whom, the largest difference first."""
    if judgement.policy.mode != "score":
        return
    assert winner.factors is not None
    assert second.factors is not None
    differences = [
        (weight * (mine - theirs), factor)
        for factor, weight, mine, theirs in zip(
            FACTORS, judgement.policy.weights, winner.factors, second.factors, strict=True
        )
    ]
    for sign, who in ((1, name), (-1, other)):
        spoke = sorted((-sign * points, factor) for points, factor in differences)
        texts = [f"{factor} by {-points:,}" for points, factor in spoke if points < 0]
        if texts:
            yield f"For {who} spoke {', '.join(texts)}."


def _not_chosen(judgement: Judgement, decision: Decision, words: Words) -> Iterator[str]:
    """Say of everybody else why they got nothing, or had to wait."""
    rows = {row.request.id: row for row in judgement.rows}
    others = 0
    for each in decision.candidates:
        name, failed = words.request(each.request), set(each.gates)
        waits = [_WAITS[gate] for gate in each.gates if gate in _WAITS]
        if failed & {gates.CATEGORY, gates.UNIT}:
            others += 1
        elif waits:
            yield f"{name} had to wait: {waits[0]}."
        elif failed:
            reasons = [_reason(judgement, rows[each.request], gate, words) for gate in each.gates]
            yield f"{name} is no candidate: {'; '.join(reasons)}."
        elif not each.given:
            points = f" with {each.score:,} points" if judgement.policy.mode == "score" else ""
            yield f"{name} stood too far behind{points}: nothing that it could take was left."
    if others:
        what = "request asks" if others == 1 else "requests ask"
        yield f"{others:,} more {what} for something else, or in another unit."


def _reason(judgement: Judgement, row: Row, gate: str, words: Words) -> str:
    """Say why a request fails a gate, with the numbers of both sides."""
    policy, offer, request = judgement.policy, judgement.offer, row.request
    match gate:
        case gates.LIVE:
            is_offer = offer.expires_ms is not None and offer.expires_ms <= judgement.as_of_ms
            return f"the {'offer' if is_offer else 'request'} has expired"
        case gates.OWN:
            return "it is the giver's own"
        case gates.AUDIENCE:
            return "the offer is for others"
        case gates.WINDOW:
            return "it can't be had before it is too late"
        case gates.DISTANCE:
            assert row.measures is not None
            return (
                f"it is {row.measures.metres:,} m away, and the limit {policy.distance_max_m:,} m"
            )
        case _:
            if judgement.shared.available < judgement.shared.first:
                return f"less is left than {words.amount(judgement.shared.first)}"
            least, takes = judgement.shared.first, gates.room(offer, request)
            if takes < least <= request.lacking:
                return "it declined as little from this giver, or let a grant lapse and pauses"
            return f"it can take {words.amount(takes)}, and the least is {words.amount(least)}"


def _change(found: Change, words: Words) -> str:
    """Say what would have put somebody else first."""
    name = words.request(found.leader)
    if found.kind == kinds.WEIGHT:
        what = f"with {found.amount} more weight on {found.gains} and less on {found.loses}"
        return f"{name} would have stood first {what}."
    what = {
        kinds.POSTED: f"posted {span_text(found.amount)} earlier",
        kinds.NEARER: f"{found.amount:,} m nearer",
        kinds.URGENCY: f"of class {found.gains} instead of {found.loses}",
        kinds.HAD: f"of a collective that had received {_person_days(found.amount)} less",
    }[found.kind]
    return f"{name} would have stood first, had it been {what}."


def span_text(span_ms: int) -> str:
    """Return a span of time in days, hours and minutes, rounded up to the minute."""
    minutes = (span_ms + _MINUTE_MS - 1) // _MINUTE_MS
    parts = ((minutes // 1_440, "d"), (minutes // 60 % 24, "h"), (minutes % 60, "min"))
    return " ".join(f"{number} {unit}" for number, unit in parts if number) or "0 min"


def _person_days(milli: int) -> str:
    return f"{milli // 1_000:,}.{milli % 1_000:03} person-days"
