"""The tables of the page: the garden, both sides of the cut, the checks, the journal, figures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from mycelia_node.page.markup import table, text, twin
from mycelia_sim.panorama.beds import Garden, Plant
from mycelia_sim.panorama.health import STATES, Conditions
from mycelia_sim.panorama.words import Summary, clock, number, span
from mycelia_sim.timeline import Event, Timeline

GARDEN_ROWS_MAX: Final = 500
JOURNAL_ROWS_MAX: Final = 400
LOUD: Final = frozenset({"cut", "heal", "kill", "restart", "forgery", "violation", "carry"})

STEPS: Final = (
    ("offered", "offers written"),
    ("asked", "requests written"),
    ("granted", "grants promised"),
    ("accepted", "grants accepted"),
    ("lapsed", "grants never answered, taken back"),
    ("handed", "hand-overs confirmed by the giver"),
    ("received", "hand-overs confirmed by the receiver"),
)
CHECK_MEANING: Final = {
    "no_loss": "What a node told its user is saved is still there.",
    "no_forgery": "Every record kept was signed by its author.",
    "no_overcommit": "Nothing was promised twice.",
    "escrow": "Whoever was given a share to grant gave no more than that, and returned it once.",
    "conservation": "All that was offered is free, entrusted, granted or taken back.",
    "bodies_intact": "Every text is the one that was signed.",
    "author_sequence": "No log has a gap or two versions.",
    "agreement": "The same records give the same state everywhere.",
    "pruned_rightly": "Old records were let go of only where others confirmed what is left.",
    "explained": "Every decision can be made once more from the records that it names.",
    "convergence": "Once healed, all nodes hold the same.",
    "recovery": "Who lost power came back whole.",
    "no_crash": "No node fell over by itself.",
    "partition_fired": "The cut really cut.",
    "kills_fired": "The power cuts really hit.",
    "forger_tried": "The forger really tried.",
    "both_sides_active": "Life went on on both sides of the cut.",
    "monotone": "What lay on a disk stayed there, unless a fault took it.",
    "no_resurrection": "Nobody granted or accepted what it had taken back.",
    "equivocation_attributed": "Only liars were blamed for lies.",
    "bounded": "No node took more memory than the protocol allows.",
    "quiescence": "Once all agree, nodes fall silent.",
    "gate": "Who may have forgotten promises makes none before others showed what they know.",
    "grants_settle": "In the end every grant was answered or taken back.",
    "fairness": "Nobody lacks what somebody had left, and nobody was passed over.",
    "well_formed": "What honest nodes write can be read by the protocol.",
    "faults_fired": "Every family of faults really did something.",
    "conflicting_grants": "Two providers granted the same request.",
    "surplus_grants": "More was granted than asked, and turned down.",
    "equivocation_seen": "An honest node noticed a forked log.",
    "bias_seen": "A liar left somebody out of a decision.",
    "overdraft_seen": "A liar granted more than it had.",
    "unsynced_lost": "A crash took what was not on disk yet.",
    "rights_spent": "Somebody granted from a share that another one had entrusted to it.",
    "lapses_seen": "A grant went back because nobody answered it in time.",
    "disputes_seen": "Somebody said that something went wrong with what it was granted.",
    "loans_returned": "Something that was lent came back.",
    "logs_pruned": "Old parts of logs were let go of.",
    "newcomers_formed": "A newcomer started from what is left of old logs.",
    "rollback_happened": "A disk lost its past, and others gave it back.",
}
MARKS: Final = {"pass": "✓", "fail": "✗", "unknown": "?"}


def garden_table(timeline: Timeline, garden: Garden, conditions: Conditions) -> str:
    """Return the garden as a table: one row a plant; a script keeps the last columns current."""
    rows = []
    for n, plant in enumerate(garden.plants[:GARDEN_ROWS_MAX]):
        healths = [min(row[m] for m in plant.members) for row in conditions.health]
        low = healths.index(min(healths))
        low_state = STATES[max(conditions.states[low][m] for m in plant.members)]
        last = STATES[max(conditions.states[-1][m] for m in plant.members)]
        when = clock(timeline.samples[low].t_ms, timeline.duration_ms)
        rows.append(
            f'<tr data-plant="{n}"><th scope="row">{text(plant.name)}{_id(timeline, plant)}</th>'
            f"<td>{text(plant.place)}</td><td>{text(plant.side)}</td>"
            f"<td>{text(low_state)} at {when}</td><td>{text(last)}</td>"
            '<td class="now"></td></tr>'
        )
    head = "".join(
        f'<th scope="col"{extra}>{name}</th>'
        for name, extra in (
            ("site", ""),
            ("neighbourhood", ""),
            ("side", ""),
            ("lowest point", ""),
            ("at the end", ""),
            ("now", ' class="now"'),
        )
    )
    return (
        '<div class="scroll" tabindex="0" role="region" aria-label="The garden as a table">'
        '<table id="garden-table"><caption>The garden, plant by plant</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def _id(timeline: Timeline, plant: Plant) -> str:
    """Return the node's id, by which checks and logs name it."""
    if len(plant.members) != 1:
        return ""
    return f" <small>{text(timeline.nodes[plant.members[0]].id)}</small>"


def sides_table(summary: Summary) -> str:
    """Return what each side asked, granted and handed over, and how much of it in the cut."""
    sides: Mapping[str, Any] = summary.get("sides") or {}
    if not sides:
        return ""
    names = sorted(sides, key=lambda side: (side != "west", side))
    most = max((_count(sides[s].get(step)) for s in names for step, _ in STEPS), default=0) or 1
    head = "".join(f'<th scope="col">{text(side)}</th>' for side in names)
    rows = "".join(
        f'<tr><th scope="row">{words}</th>'
        + "".join(f"<td>{_bar(sides[side].get(step), most)}</td>" for side in names)
        + "</tr>"
        for step, words in STEPS
        if any(step in sides[side] for side in names)
    )
    across = summary.get("grants_across")
    told = (
        f"<p>{number(across)} grants went to the other side of the river; in a cut such a promise "
        "waits until the river is bridged.</p>"
        if isinstance(across, int)
        else ""
    )
    return (
        '<div class="scroll" tabindex="0" role="region" aria-label="Both sides">'
        f'<table class="sides"><caption>Records by the side of their author; the bright part '
        f"was written while the network was cut</caption><thead><tr><td></td>{head}</tr></thead>"
        f"<tbody>{rows}</tbody></table></div>{told}{_amounts(sides, names)}"
    )


def _count(step: object) -> int:
    return int(step.get("count", 0)) if isinstance(step, dict) else 0


def _bar(step: object, most: int) -> str:
    if not isinstance(step, dict):
        return ""
    count, in_cut = _count(step), int(step.get("in_cut", 0))
    whole = 100 * count / most
    bright = 100 * in_cut / count if count else 0
    return (
        f'<span class="bar" aria-hidden="true" style="width:{whole:.1f}%">'
        f'<i style="width:{bright:.1f}%"></i></span>'
        f"<span>{number(count)} <small>({number(in_cut)} in the cut)</small></span>"
    )


def _amounts(sides: Mapping[str, Any], names: list[str]) -> str:
    """Return the amounts by unit, folded up; they were drawn and say so."""
    units = {"1": "pieces", "g": "g", "mL": "mL", "W.h": "W·h", "min": "minutes"}
    rows = [
        (
            f"{words}, {side}",
            *(number((sides[side].get(step) or {}).get("amounts", {}).get(u, 0)) for u in units),
        )
        for step, words in STEPS
        for side in names
        if step in sides[side]
    ]
    drawn = (
        "<p>Amounts are drawn from the seed: the listing says what a site gave and wanted, "
        "not how much.</p>"
    )
    inside = table("Amounts by unit (drawn)", ("step", *units.values()), rows)
    return twin("Amounts as a table (drawn from the seed)", drawn + inside)


def checks(summary: Summary) -> str:
    """Return the checks with their verdicts in words and shapes."""
    found = summary.get("checks") or []
    rows = "".join(
        f'<tr class="{check["verdict"]}"><td class="verdict"><b aria-hidden="true">'
        f"{MARKS.get(check['verdict'], '?')}</b> {text(check['verdict'])}</td>"
        f'<th scope="row"><code>{text(check["name"])}</code>'
        f"<small>{text(CHECK_MEANING.get(check['name'], ''))}</small></th>"
        f"<td>{text(check['family'])}</td><td>{text(check['detail'])}</td></tr>"
        for check in found
    )
    return (
        '<div class="scroll" tabindex="0" role="region" aria-label="Checks">'
        '<table class="checks"><caption>All checks of the run</caption><thead><tr>'
        '<th scope="col">verdict</th><th scope="col">check</th><th scope="col">about</th>'
        f'<th scope="col">found</th></tr></thead><tbody>{rows}</tbody></table></div>'
    )


def journal(timeline: Timeline) -> str:
    """Return what happened, line by line; when there is too much, the loud events first."""
    name_of = {node.id: node.name for node in timeline.nodes}
    chosen = picked(timeline.events, JOURNAL_ROWS_MAX)
    rows = [
        (
            clock(event.t_ms, timeline.duration_ms),
            event.kind,
            f"{name_of[event.node]} {event.text}" if event.node else event.text,
        )
        for event in chosen
    ]
    left = len(timeline.events) - len(chosen)
    more = f"<p>{number(left)} quieter events are left out.</p>" if left else ""
    return (
        twin("The journal", table("Journal", ("time", "kind", "event"), rows, numbers_from=9))
        + more
    )


def picked(events: tuple[Event, ...], most: int) -> list[Event]:
    """Return at most about `most` events by time: all loud ones first, then every n-th other."""
    loud = [event for event in events if event.kind in LOUD]
    quiet = [event for event in events if event.kind not in LOUD]
    loud = loud[:: -(-len(loud) // most)] if loud else []
    room = most - len(loud)
    kept = quiet[:: -(-len(quiet) // room)] if room > 0 and quiet else []
    return sorted([*loud, *kept], key=lambda event: event.t_ms)


def figures(summary: Summary) -> str:
    """Return the measured figures that are not told elsewhere, folded up."""
    rows = [(name, _plain(value)) for name, value in _flat("", summary.get("metrics"))]
    keys = ("virtual_s", "wall_s", "cpu_s", "events", "peak_rss_mib", "trace_digest")
    rows += [(key, _plain(summary[key])) for key in keys if summary.get(key) is not None]
    timings = summary.get("timings_s")
    if isinstance(timings, dict):
        rows += [(f"{name} took", span(1000 * value)) for name, value in timings.items()]
    versions = summary.get("versions")
    if isinstance(versions, dict):
        rows += [(name, str(value)) for name, value in versions.items()]
    if not rows:
        return ""
    return twin("Figures and versions", table("Figures", ("figure", "value"), rows))


def _flat(prefix: str, value: object) -> list[tuple[str, object]]:
    if not isinstance(value, dict):
        return [(prefix, value)] if prefix and value is not None else []
    return [
        item
        for key, inner in value.items()
        for item in _flat(f"{prefix}.{key}" if prefix else str(key), inner)
    ]


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, int):
        return number(value)
    return f"{value:,.3g}" if isinstance(value, float) else str(value)
