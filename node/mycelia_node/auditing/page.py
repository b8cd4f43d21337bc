"""What an audit found, as one HTML page that works offline and runs no script.

Shape and words tell everything; colour and bars repeat it.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from mycelia_node.auditing.cells import (
    Cell,
    Row,
    fared_cells,
    gain_bar,
    grid,
    mix_cell,
    shares,
)
from mycelia_node.auditing.words import amount, approval, per_mille
from mycelia_node.page import asset, style
from mycelia_node.page.markup import text
from mycelia_node.text import count, printable, short, unique_size

Json = dict[str, Any]

URGENCIES: Final = {
    "now": "within a day, or danger to life",
    "days": "in two or three days",
    "week": "this week",
    "anytime": "at any time",
}
GROUPINGS: Final = {"receivers": "By kind of receiver", "areas": "By area of a tenth of a degree"}
FARED: Final = ("requests", "met in full", "of their worth", "median wait")
_SLOT: Final = re.compile(r"\{\{ (\w+) \}\}")
_PACKAGE: Final = "mycelia_node.auditing"


def render(audit: Json, written: str) -> str:
    """Return the page of what `audit_view` says.

    Args:
        written: the time for which figures are told, in words.
    """
    outcome, mark, headline, verdict = _judged(audit["decisions"])
    policy, commons = audit["policy"], audit["commons"]
    slots = {
        "outcome": outcome,
        "mark": mark,
        "page_title": _plain(f"{headline} Audit of {commons}"),
        "style": style(asset(_PACKAGE, "audit.css")),
        "commons": _plain(commons),
        "headline": text(headline),
        "verdict": text(verdict),
        "title": _plain(
            f"Figures for {written}. Worth is in person-days by the policy in force, "
            f"“{policy['name']}”, epoch {policy['epoch']}."
        ),
        "decisions": "".join(_decisions(audit)),
        "sections": "".join(_sections(audit)),
    }
    return _SLOT.sub(lambda found: slots[found.group(1)], asset(_PACKAGE, "page.html"))


def _plain(value: str) -> str:
    """Return a text that somebody else may have written."""
    return text(printable(value))


def _judged(decisions: Json) -> tuple[str, str, str, str]:
    """Return outcome, mark, headline and verdict."""
    number, same = count(decisions["count"], "decision"), decisions["same"]
    if decisions["wrong"]:
        wrong = decisions["wrong"]
        verdict = f"{wrong} of {number} came out otherwise when made once more."
        return "safety", "✗", "Not what the policy says.", verdict
    if not decisions["count"]:
        verdict = "There are no decisions here: nobody decides by the policy in force yet."
        return "unknown", "?", "Nothing was decided.", verdict
    if decisions["unknown"]:
        verdict = f"{same} of {number} came out the same; of the others not all records are here."
        return "unknown", "?", "Not everything can be checked.", verdict
    return "pass", "✓", "As the policy says.", f"{same} of {number} came out the same."


def _sections(audit: Json) -> Iterator[str]:
    """Yield all that comes after the decisions."""
    if audit["replay"] is not None:
        name = _plain(audit["replay"]["policy"]["name"])
        yield _section("replay", f"If “{name}” had decided", "".join(_replay(audit["replay"])))
    if audit["requests"]["all"]["count"]:
        yield _section("served", "Who was served", "".join(_served(audit)))
        yield _section("collectives", "Each collective", "".join(_collectives(audit)))
        yield _section("fairness", "How evenly", "".join(_fairness(audit["fairness"])))
        yield _section("flow", "What was moved", _flow(audit))
    if audit["places"]:
        yield _section("places", "Living places", "".join(_places(audit["places"])))


def _section(id_: str, heading: str, inside: str) -> str:
    return (
        f'<section aria-labelledby="{id_}"><h2 id="{id_}" tabindex="-1">{heading}</h2>'
        f"{inside}</section>"
    )


def _numbers(pairs: Iterable[tuple[str, str]]) -> str:
    items = "".join(f"<li><b>{text(value)}</b> {text(words)}</li>" for value, words in pairs)
    return f'<ul class="numbers">{items}</ul>'


def _decisions(audit: Json) -> Iterator[str]:
    decisions, items = audit["decisions"], audit["items"]
    yield (
        '<p class="lead">Each decision names the records that its author knew. It was made once '
        "more from those, by the same rules.</p>"
    )
    yield _numbers(
        (
            (f"{decisions['same']:,}", f"of {decisions['count']:,} came out the same"),
            (f"{decisions['omitting']:,}", "leave out somebody who had asked"),
            (f"{decisions['superseded']:,}", "follow a policy that was no longer in force"),
            (f"{decisions['overridden']:,}", "were made otherwise by a person"),
            (f"{decisions['unapproved']:,}", "of these without the approver's own word"),
            (f"{decisions['unknown']:,}", "can't be checked: not all records are here"),
        )
    )
    size = unique_size(item["decision"] for item in items)
    for item in items:
        yield _finding(item, size)
    if decisions["notable"] > len(items):
        more = count(decisions["notable"] - len(items), "more decision")
        yield (
            f'<p class="note">{more} to look at: '
            "<code>mycelia audit --findings FILE</code> writes down all.</p>"
        )


def _finding(item: Json, size: int) -> str:
    """Return one decision that somebody should look at."""
    told = [*item["faults"], *(f"it leaves out request {short(r)}" for r in item["omitted"])]
    told += [f"not here: {each}" for each in item["missing"]]
    look = "finding open" if item["missing"] else "finding"
    if not told:
        look = "finding chosen"
    if (override := item["override"]) is not None:
        told.append(
            f"a person gave to request {short(override['chosen'])} instead, "
            f"{approval(override)}: {override['reason']}"
        )
    lines = "".join(f"<li>{_plain(each)}</li>" for each in told)
    return (
        f'<article class="{look}"><h3>{_plain(item["author"])}, decision '
        f"<code>{text(short(item['decision'], size))}</code></h3><ul>{lines}</ul></article>"
    )


def _served(audit: Json) -> Iterator[str]:
    requests = audit["requests"]
    rows = [
        Row((Cell(name, note=URGENCIES[name]), *fared_cells(fared)))
        for name, fared in requests["classes"].items()
    ]
    rows.append(Row((Cell("all"), *fared_cells(requests["all"])), "total"))
    yield grid("Requests by the urgency that was declared", ("urgency", *FARED), rows)
    if requests["withdrawn"]:
        number = count(requests["withdrawn"], "more request")
        yield f'<p class="note">{number} withdrawn before anything was received.</p>'


def _collectives(audit: Json) -> Iterator[str]:
    found = sorted(audit["collectives"], key=lambda each: (each["worth_pm"] or 0, each["name"]))
    key = "".join(f'<li><i class="{name}" aria-hidden="true"></i>{name}</li>' for name in URGENCIES)
    yield '<p class="lead">Those that were served least come first.</p>'
    yield f'<ul class="key" aria-label="Colours of declared urgency">{key}</ul>'
    rows = [
        Row(
            (
                Cell(each["name"], note="" if each["receiver"] == "members" else each["receiver"]),
                *fared_cells(each),
                _number(f"{each['had'] / 1_000_000:,.3f}"),
                mix_cell(each["mix"]),
            )
        )
        for each in found
    ]
    head = ("who", *FARED, "person-days a member", "declared urgency, ‰")
    yield grid("How each collective fared", head, rows)


def _fairness(fairness: Json) -> Iterator[str]:
    yield _numbers(
        (
            (per_mille(fairness["gini_pm"]), "Gini: 0 if all had the same per member"),
            (per_mille(fairness["least_pm"]), "what who had least had, of the mean"),
        )
    )
    for name, grouping in fairness["groupings"].items():
        value = grouping["four_fifths_pm"]
        rows = [
            Row(
                (
                    Cell(group),
                    *shares(each["worth_pm"]),
                    Cell(amount(each["wanted"]), is_number=True),
                )
            )
            for group, each in grouping["groups"].items()
        ]
        said = f"Least to most served: <b>{per_mille(value)}</b>"
        if grouping["is_low"]:
            said += '. <span class="bad">Below 800 ‰: somebody should ask why.</span>'
        yield grid(GROUPINGS[name], ("group", "served of its worth", "person-days asked for"), rows)
        yield f'<p class="note">{said}</p>'


def _number(value: str) -> Cell:
    return Cell(value, is_number=True)


def _flow(audit: Json) -> str:
    flow, decisions = audit["flow"], audit["decisions"]
    metres, carbon = flow["metres_per_kg"], flow["carbon_mg_per_kg"]
    known = [
        ("Mass", f"{flow['kg']:,} kg, {flow['kg_km']:,} kg km"),
        ("Mean way of a kilogram", "unknown" if metres is None else f"{metres:,} m"),
        ("CO2e", f"{flow['carbon_g']:,} g by the policy's own factors"),
        ("CO2e of a kilogram", "unknown" if carbon is None else f"{carbon:,} mg"),
        ("To living places", per_mille(flow["ecosystem_pm"])),
        ("Saved from spoiling", per_mille(flow["rescue_pm"])),
        ("Expired of what was offered", per_mille(audit["offers"]["expired_pm"])),
        ("Confirmed by one side alone", f"{per_mille(flow['unconfirmed_pm'])} of grants"),
        (
            "Decided otherwise by a person",
            f"{per_mille(decisions['overridden_pm'])} of decisions, "
            f"{per_mille(flow['override_pm'])} of what was handed over",
        ),
        *(
            (f"{each['name']} is named as approver", count(each["overrides"], "override"))
            for each in flow["approvers"]
        ),
    ]
    return "<dl>" + "".join(f"<dt>{_plain(a)}</dt><dd>{_plain(b)}</dd>" for a, b in known) + "</dl>"


def _places(places: list[Json]) -> Iterator[str]:
    yield (
        '<p class="lead">From 0 to 1000: the worst of what is known counts half. What too few '
        "looked at lately is unknown, and never good.</p>"
    )
    names = list(places[0]["values"])
    rows = [
        Row((Cell(place["name"]), *shares(place["index"]), *map(_seen, place["values"].values())))
        for place in places
    ]
    yield grid("Health of living places", ("place", "health", *names), rows)


def _seen(value: int | None) -> Cell:
    return Cell("unknown" if value is None else str(value), is_number=value is not None)


def _replay(replay: Json) -> Iterator[str]:
    yield (
        '<p class="lead">Every decision made once more by another policy, each from what its '
        "author knew then: it hands out anew all that was left. What that would have changed for "
        "later ones is not followed: they start from what was left, met and received in truth.</p>"
    )
    changed = (
        f"decisions in which somebody else would stand first: {per_mille(replay['changed_pm'])}"
    )
    gains = [each["gain"] for each in replay["gains"]]
    yield _numbers(
        (
            (f"{replay['changed']:,}", changed),
            (f"{sum(gain > 0 for gain in gains):,}", "would gain"),
            (f"{sum(gain < 0 for gain in gains):,}", "would lose"),
        )
    )
    most = max(map(abs, gains), default=1)
    yield '<div class="ways">'
    for heading, sign in (("Who would gain", 1), ("Who would lose", -1)):
        rows = [
            Row((Cell(each["name"]), gain_bar(each["gain"], most)))
            for each in replay["gains"][::sign]
            if each["gain"] * sign > 0
        ]
        yield grid(heading, ("who", "person-days"), rows) if rows else f"<p>{heading}: nobody.</p>"
    yield "</div>"
    shifts = [*replay["classes"].items(), *replay["receivers"].items()]
    widest = max((abs(gain) for _, gain in shifts), default=1) or 1
    rows = [Row((Cell(name), gain_bar(gain, widest))) for name, gain in shifts]
    yield grid("By declared urgency, and by kind of receiver", ("group", "person-days"), rows)
