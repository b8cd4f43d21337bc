"""What an audit found, as lines for a terminal."""

from collections.abc import Iterator
from typing import Any, Final

from mycelia_node.auditing.words import amount, approval, per_mille, span
from mycelia_node.cli.render import clean, table
from mycelia_node.text import count, short, unique_size

Json = dict[str, Any]
COLLECTIVES_MAX: Final = 40  # in a table; --json and --html have all
ITEMS_MAX: Final = 100


def lines(audit: Json) -> Iterator[str]:
    """Yield what `audit_view` says, in words and tables."""
    yield from _decisions(audit)
    if audit["requests"]["all"]["count"]:
        yield ""
        yield from _served(audit)
        yield ""
        yield from _collectives(audit)
        yield ""
        yield from _ratios(audit)
    for place in audit["places"]:
        index = place["index"]
        yield f"{clean(place['name'])}: health {'unknown' if index is None else index} of 1000"
    if audit["replay"] is not None:
        yield ""
        yield from _replay(audit["replay"])


def _decisions(audit: Json) -> Iterator[str]:
    decisions, items = audit["decisions"], audit["items"][:ITEMS_MAX]
    size = unique_size(item["decision"] for item in items)
    for item in items:
        name = f"{short(item['decision'], size)} by {clean(item['author'])}"
        told = [*item["faults"], *(f"left out {short(each)}" for each in item["omitted"])]
        if item["missing"]:
            yield f"{name}: not all here: {'; '.join(map(clean, item['missing']))}"
        elif told:
            yield f"{name}: {'; '.join(map(clean, told))}"
        if item["override"]:
            override = item["override"]
            yield (
                f"{name}: a person chose {short(override['chosen'])} instead, "
                f"{clean(approval(override))}: {clean(override['reason'])}"
            )
    if decisions["notable"] > len(items):
        more = count(decisions["notable"] - len(items), "more decision")
        yield f"{more} to look at; --findings FILE has all."
    if decisions["count"]:
        number = count(decisions["count"], "decision")
        yield f"{decisions['same']} of {number} came out the same."
    else:
        yield "There are no decisions here: nobody decides by the policy in force yet."


def _served(audit: Json) -> Iterator[str]:
    requests = audit["requests"]
    rows = [(name, *_fared(fared)) for name, fared in requests["classes"].items()]
    rows.append(("all", *_fared(requests["all"])))
    yield table(("URGENCY", "REQUESTS", "MET IN FULL", "OF WORTH", "MEDIAN WAIT"), rows)
    if requests["withdrawn"]:
        yield f"{count(requests['withdrawn'], 'more request')} withdrawn before anything came."


def _fared(fared: Json) -> tuple[str, str, str, str]:
    met, worth = per_mille(fared["met_pm"]), per_mille(fared["worth_pm"])
    return str(fared["count"]), met, worth, span(fared["wait_s"])


def _collectives(audit: Json) -> Iterator[str]:
    """Yield how collectives fared, those served least first."""
    found = sorted(audit["collectives"], key=lambda each: (each["worth_pm"] or 0, each["id"]))
    rows = [
        (each["name"], *_fared(each), *(str(part) for part in each["mix"].values()))
        for each in found[:COLLECTIVES_MAX]
    ]
    mix = [f"{name.upper()} ‰" for name in found[0]["mix"]]
    yield table(("WHO", "REQUESTS", "MET IN FULL", "OF WORTH", "MEDIAN WAIT", *mix), rows)
    if len(found) > COLLECTIVES_MAX:
        yield f"{len(found) - COLLECTIVES_MAX} more, who were served better; --json has all."


def _ratios(audit: Json) -> Iterator[str]:
    fairness, flow = audit["fairness"], audit["flow"]
    yield f"Gini {per_mille(fairness['gini_pm'])}, least to mean {per_mille(fairness['least_pm'])}."
    for name, grouping in fairness["groupings"].items():
        value = grouping["four_fifths_pm"]
        note = "; below 800 ‰, somebody should ask why" if grouping["is_low"] else ""
        yield f"Least to most served of {name}: {per_mille(value)}{note}."
    carbon = flow["carbon_mg_per_kg"]
    yield (
        f"Moved {flow['kg']:,} kg, {flow['kg_km']:,} kg km; "
        f"{'unknown' if carbon is None else f'{carbon:,}'} mg CO2e a kg."
    )
    yield (
        f"To living places {per_mille(flow['ecosystem_pm'])}, saved from spoiling "
        f"{per_mille(flow['rescue_pm'])}, expired {per_mille(audit['offers']['expired_pm'])}."
    )
    yield (
        f"Decided otherwise by a person {per_mille(audit['decisions']['overridden_pm'])} of "
        f"decisions, {audit['decisions']['unapproved']:,} times without the approver's own word; "
        f"confirmed by one side alone {per_mille(flow['unconfirmed_pm'])} of grants."
    )
    for approver in flow["approvers"]:
        overrides = count(approver["overrides"], "override")
        yield f"{clean(approver['name'])} is named as approver of {overrides}."


def _replay(replay: Json) -> Iterator[str]:
    changed = per_mille(replay["changed_pm"])
    yield (
        f"By {clean(replay['policy']['name'])!r}, each time from what was known then, somebody "
        f"else would stand first in {count(replay['changed'], 'decision')} ({changed})."
    )
    yield (
        "Each decision hands out anew all that was left then. What that would have changed for "
        "later ones is not followed: they start from what was left, met and received in truth."
    )
    for heading, sign in (("WOULD GAIN", 1), ("WOULD LOSE", -1)):
        rows = [
            (each["name"], amount(abs(each["gain"])))
            for each in replay["gains"][::sign]
            if each["gain"] * sign > 0
        ]
        yield table((heading, "PERSON-DAYS"), rows) if rows else f"{heading}: nobody"
    shifts = [*replay["classes"].items(), *replay["receivers"].items()]
    yield "; ".join(f"{name} {'+' if gain > 0 else ''}{amount(gain)}" for name, gain in shifts)
