"""What the panorama says in words: times, counts, the verdict and what happened."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from mycelia_sim.panorama.health import DROWSY, THRIVING, WILTED, Conditions, missing
from mycelia_sim.timeline import Fault, Timeline

Summary = Mapping[str, Any]

FAULTS_TOLD: Final = 4
_WORD: Final = re.compile(r"[\w-]+")

HEADLINES: Final = {
    "pass": "The commons held.",
    "safety": "A promise was broken.",
    "liveness": "It did not heal in time.",
    "unknown": "This run proves nothing yet.",
}
VERDICTS: Final = {
    "pass": "Pass: every check was made, and every one came out well.",
    "safety": "Fail: something happened that must never happen.",
    "liveness": "Fail: nothing was broken, but what had to happen came too late or never.",
    "unknown": "Unknown: no check failed, but not everything that should be tested happened.",
}


def clock(t_ms: float, duration_ms: int) -> str:
    """Return a time of the run: "0:08", or "3:20 h" in runs of an hour and more."""
    seconds = max(0, round(t_ms / 1000))
    if duration_ms >= 3_600_000:
        return f"{seconds // 3600}:{seconds // 60 % 60:02} h"
    return f"{seconds // 60}:{seconds % 60:02}"


def span(length_ms: float) -> str:
    """Return a length of time: "640 ms", "2.1 s", "26 s", "1.5 min", "12 min", "3.5 h"."""
    for factor, unit in ((3_600_000, "h"), (60_000, "min"), (1_000, "s")):
        if length_ms >= factor:
            value = length_ms / factor
            return f"{value:.{int(value < 10)}f}".removesuffix(".0") + f" {unit}"
    return f"{length_ms:.0f} ms"


def number(value: float) -> str:
    """Return a number with separators: "12,345"."""
    return f"{value:,.0f}"


def some(count: int, one: str, many: str | None = None) -> str:
    """Return a count with its noun: "1 node", "30 nodes", "no node"."""
    noun = one if count in (0, 1) else many or f"{one}s"
    return f"{'no' if count == 0 else number(count)} {noun}"


def outcome(summary: Summary) -> str:
    """Return pass, safety, liveness or unknown."""
    verdict = summary.get("verdict")
    if verdict != "fail":
        return "pass" if verdict == "pass" else "unknown"
    failed = {check["family"] for check in summary.get("checks", []) if check["verdict"] == "fail"}
    return "liveness" if failed == {"liveness"} else "safety"


def story(timeline: Timeline, summary: Summary, conditions: Conditions) -> list[str]:
    """Return what happened, a paragraph each."""
    told = [_who(timeline), _faults(timeline), _worst(timeline, conditions), _heal(summary)]
    told += [_safety(summary), with_names(_failed(summary), timeline)]
    return [text for text in told if text]


def _who(timeline: Timeline) -> str:
    districts = len({node.district for node in timeline.nodes})
    how = {
        "live": "Each ran as a real daemon with its own disk.",
        "switch": "Each ran as a real daemon in a network of its own.",
        "virtual": "All ran the real engine in virtual time.",
    }[timeline.backend]
    where = f" in {some(districts, 'neighbourhood')}" if districts > 1 else ""
    return f"{some(len(timeline.nodes), 'collective')}{where} shared a commons. {how}"


def _faults(timeline: Timeline) -> str:
    faults = timeline.faults
    if not faults:
        return "Nothing was broken on purpose."
    told = [_fault(fault, timeline.duration_ms) for fault in faults if fault.groups][:FAULTS_TOLD]
    parts = sum(bool(fault.groups) for fault in faults)
    if parts > len(told):
        told.append(f"{some(parts - len(told), 'more cut')} followed")
    crashed = [fault for fault in faults if fault.kind in ("crash", "kill")]
    if crashed:
        hit = {node for fault in crashed for node in fault.nodes}
        told.append(f"{some(len(hit), 'node')} lost power in the middle of it")
    others = [fault for fault in faults if not fault.groups and fault not in crashed]
    if len(others) <= FAULTS_TOLD:
        told += [_fault(fault, timeline.duration_ms) for fault in others]
    else:
        kinds = Counter(fault.kind.replace("_", " ") for fault in others)
        listed = ", ".join(f"{kind} {number(count)}" for kind, count in kinds.most_common())
        told.append(f"{some(len(others), 'more fault')} came on top: {listed}")
    return " ".join(f"{text[0].upper()}{text[1:]}." for text in told)


def _fault(fault: Fault, duration_ms: int) -> str:
    began = clock(fault.at_ms, duration_ms)
    ended = clock(min(fault.until_ms, duration_ms), duration_ms)
    return f"{began} to {ended}: {fault.label}"


def _worst(timeline: Timeline, conditions: Conditions) -> str:
    at = worst_sample(conditions)
    tally = conditions.tally(at)
    if tally[WILTED] + tally[DROWSY] == 0:
        return "No plant in the garden ever wilted."
    sample = timeline.samples[at]
    lacking, worst = missing(sample)
    drowsy = f" and {number(tally[DROWSY])} more were drowsy" if tally[DROWSY] else ""
    return (
        f"At its darkest, at {clock(sample.t_ms, timeline.duration_ms)}, "
        f"{number(tally[WILTED])} of {some(len(timeline.nodes), 'plant')} had wilted{drowsy}. "
        f"Together the nodes that still ran missed {some(lacking, 'copy', 'copies')} of records; "
        f"the worst off missed {number(worst)}."
    )


def worst_sample(conditions: Conditions) -> int:
    """Return the index of the sample at which the garden was worst off."""
    return min(range(len(conditions.health)), key=lambda n: (sum(conditions.health[n]), n))


def _heal(summary: Summary) -> str:
    caught_up_s = summary.get("converged_after_heal_s")
    if isinstance(caught_up_s, (int, float)):
        return (
            f"{span(caught_up_s * 1000)} after the links came back, "
            "everybody held everything that anybody had written."
        )
    return ""


def _safety(summary: Summary) -> str:
    saved = summary.get("acknowledged")
    if not isinstance(saved, int):
        return ""
    lost, forged = summary.get("lost", 0), summary.get("forged_accepted", 0)
    over = summary.get("overcommitted", 0)
    attempts = summary.get("attempts") or []
    tried = sum(bool(one.get("is_delivered")) for one in attempts if isinstance(one, dict))
    gone = f"{number(lost)} {'is' if lost == 1 else 'are'}" if lost else "none is"
    told = f"Of {some(saved, 'record')} that people were told is saved, {gone} lost. "
    if tried:
        told += f"{some(tried, 'forged record')} reached a node; "
        told += f"{number(forged) if forged else 'none'} was kept. "
    told += (
        "Nothing was promised twice." if not over else f"{number(over)} promises exceed an offer."
    )
    return told


def _failed(summary: Summary) -> str:
    bad = [check for check in summary.get("checks", []) if check["verdict"] != "pass"]
    if not bad:
        return ""
    first = bad[0]
    more = f" {some(len(bad) - 1, 'more check')} did not pass either." if len(bad) > 1 else ""
    verb = "failed" if first["verdict"] == "fail" else "is unknown"
    return f"The check {first['name']} {verb}: {first['detail']}.{more}"


def with_names(told: str, timeline: Timeline) -> str:
    """Return a text in which ids of nodes are followed by their names."""
    name_of = {node.id: node.name for node in timeline.nodes}
    return _WORD.sub(
        lambda found: f"{found[0]} ({name_of[found[0]]})" if found[0] in name_of else found[0], told
    )


def tally_words(tally: Sequence[int]) -> str:
    """Return how many plants are in which state: "18 thriving, 9 drowsy, 3 wilted"."""
    from mycelia_sim.panorama.health import STATES

    told = [f"{number(n)} {state}" for n, state in zip(tally, STATES, strict=True) if n]
    return ", ".join(told)


def mood(tally: Sequence[int]) -> str:
    """Return the garden's state in one clause, for captions."""
    total = sum(tally) or 1
    if tally[THRIVING] == total:
        return "every plant is in bloom"
    if tally[WILTED] * 2 > total:
        return "most of the garden has wilted"
    if tally[THRIVING] * 2 < total:
        return "the garden is fading"
    return "most plants are in bloom"
