"""The page of a sweep: one self-contained file that works offline and runs no script.

A seed is a plant: it blooms if it passed. Shape and words tell the verdict, colour repeats it. The
style is the panorama's.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from mycelia_node.page import asset, style
from mycelia_node.page.markup import table, text, twin
from mycelia_sim.panorama.page import STYLES
from mycelia_sim.panorama.tables import CHECK_MEANING
from mycelia_sim.panorama.words import number, some
from mycelia_sim.sweep.bed import LOOKS, bed, sprites
from mycelia_sim.sweep.line import SeedLine
from mycelia_sim.sweep.totals import Group
from mycelia_sim.verdict import (
    EXIT_HARNESS,
    EXIT_LIVENESS,
    EXIT_NONDETERMINISM,
    EXIT_PASS,
    EXIT_SAFETY,
    EXIT_UNKNOWN,
)

if TYPE_CHECKING:
    from mycelia_sim.sweep.report import Sweep

SEEDS_LISTED_MAX: Final = 400
OUTCOMES: Final = {
    EXIT_PASS: "pass",
    EXIT_SAFETY: "safety",
    EXIT_LIVENESS: "liveness",
    EXIT_UNKNOWN: "unknown",
    EXIT_NONDETERMINISM: "safety",
    EXIT_HARNESS: "safety",
}
HEADLINES: Final = {
    EXIT_PASS: "Every seed held.",
    EXIT_SAFETY: "A promise was broken.",
    EXIT_LIVENESS: "Not every seed healed in time.",
    EXIT_UNKNOWN: "This sweep proves less than it should.",
    EXIT_NONDETERMINISM: "One seed, two different runs.",
    EXIT_HARNESS: "A run broke off.",
}
VERDICTS: Final = {
    EXIT_PASS: "Pass: every check of every seed came out well, and every fault was seen.",
    EXIT_SAFETY: "Fail: in some seeds something happened that must never happen.",
    EXIT_LIVENESS: "Fail: nothing was broken, but in some seeds what had to happen came too late.",
    EXIT_UNKNOWN: "Unknown: no check failed, but not everything that should be tested happened.",
    EXIT_NONDETERMINISM: "Not repeatable: a second run of the same seed came out otherwise.",
    EXIT_HARNESS: "No verdict: the code under test, or the harness, broke off in some seeds.",
}
LEADS: Final = {  # whether each seed keeps only some faults
    True: "Each seed keeps its own part of these faults.",
    False: "Each seed draws these faults anew.",
}
_SLOT: Final = re.compile(r"\{\{ (\w+) \}\}")


def render(sweep: Sweep) -> str:
    """Return the whole page."""
    from mycelia_sim.sweep.report import rate_words

    totals, subject = sweep.totals, sweep.subject
    code = totals.exit_code
    is_open = sweep.driven.is_interrupted and code == EXIT_PASS
    outcome = "unknown" if is_open else OUTCOMES[code]
    headline = "Cut short." if is_open else HEADLINES[code]
    verdict = "Unknown: nothing failed before it was interrupted." if is_open else VERDICTS[code]
    picture, size = bed(sweep.lines)
    slots = {
        "outcome": outcome,
        "mark": {"pass": "✓", "unknown": "?"}.get(outcome, "✗"),
        "page_title": text(f"{headline} {subject.name}, seeds {sweep.seeds}"),
        "style": _style(),
        "sweep": text(f"{subject.name}, {some(totals.played, 'seed')}"),
        "headline": text(headline),
        "verdict": text(verdict),
        "title": text(subject.title),
        "bed": picture,
        "size": size,
        "bed_label": text(f"A bed of {some(totals.played, 'plant')}: {_counts(sweep)}"),
        "legend": _legend(sweep),
        "story": "".join(f"<p>{text(one)}</p>" for one in _story(sweep, rate_words(totals))),
        "numbers": _numbers(sweep),
        "failures": _failures(sweep),
        "lead": LEADS["swarm" in subject.document],
        "families": _families(sweep),
        "sometimes": _sometimes(sweep),
        "seeds": _seeds(sweep),
        "metrics": _metrics(sweep),
        "figures": _figures(sweep),
        "go_on": text(sweep.command(sweep.go_on)),
    }
    return _SLOT.sub(lambda found: slots[found.group(1)], _asset("sweep", "page.html"))


def _asset(package: str, name: str) -> str:
    return asset(f"mycelia_sim.{package}", name)


def _style() -> str:
    plants = sprites(_asset("panorama", "plants.svg") + _asset("sweep", "plants.svg"))
    shared = (_asset("panorama", name) for name in STYLES)
    return style(*shared, _asset("sweep", "sweep.css"), plants)


def _counts(sweep: Sweep) -> str:
    counts = sweep.totals.counts.items()
    return ", ".join(f"{number(count)} {verdict}" for verdict, count in counts if count)


def _legend(sweep: Sweep) -> str:
    """Return each look of a seed with its meaning and how many look so."""
    looks = [look_of for look_of in LOOKS.values() if look_of.name in ("pass", "unknown")]
    found = {line.exit_code for line in sweep.lines}
    looks = [look for code, look in LOOKS.items() if code in found or look in looks]
    return "".join(
        f'<li><i class="{look.name}" aria-hidden="true"></i>'
        f"<span><b>{number(sum(LOOKS[line.exit_code] is look for line in sweep.lines))}</b> "
        f"{look.name}<small>{look.meaning}</small></span></li>"
        for look in looks
    )


def _story(sweep: Sweep, rate: str) -> list[str]:
    totals, driven = sweep.totals, sweep.driven
    told = [
        f"{some(totals.played, 'seed')} of {number(len(sweep.seeds))} were played in virtual time, "
        f"{number(totals.events)} events in all. {rate[0].upper()}{rate[1:]}."
    ]
    if driven.is_interrupted:
        told.append(f"It was interrupted with {some(sweep.left, 'seed')} left to play.")
    elif driven.is_spent:
        told.append(f"The time was up with {some(sweep.left, 'seed')} left to play.")
    if totals.twice:
        told.append(
            f"{some(totals.twice, 'seed')} chosen by a hash of the seed went through a second "
            "process with another order of hashing; "
            + (
                f"{number(len(totals.wavering))} came out otherwise."
                if totals.wavering
                else "every one came out the same."
            )
        )
    told += [f"What is missing: {doubt}." for doubt in totals.doubts]
    told += [
        f"{check} is unknown in {some(len(seeds), 'seed')}: {_listed(seeds)}."
        for check, seeds in totals.unsure.items()
    ]
    return told


def _numbers(sweep: Sweep) -> str:
    from mycelia_sim.sweep.report import rate_of

    totals = sweep.totals
    wanted = [(number(totals.played), "seeds played")]
    if totals.pass_rate is not None:
        wanted.append((f"{100 * totals.pass_rate:.4g} %", "passed"))
        wanted.append((f"{100 * totals.interval[0]:.4g} %", "at least, with 95 % confidence"))
        wanted.append((f"{totals.cpu_s / totals.played:.2g} s", "of processor time a seed"))
    rate = rate_of(sweep.driven)
    if rate is not None:
        wanted.append((f"{rate:.3g}", "seeds a second"))
    return "".join(f"<li><b>{value}</b> {words}</li>" for value, words in wanted)


def _failures(sweep: Sweep) -> str:
    totals = sweep.totals
    if not totals.groups and not totals.wavering:
        return ""
    inside = "".join(_wavering(sweep, line) for line in totals.wavering)
    inside += "".join(_group(sweep, group) for group in totals.groups)
    count = len(totals.groups) + bool(totals.wavering)
    return (
        '<section aria-labelledby="ways-title"><h2 id="ways-title">'
        f"{some(count, 'way').capitalize()} to fail</h2>"
        '<p class="lead">Seeds that failed in the same words, ids and amounts aside, stand '
        f"together. The quickest to play comes first.</p>{inside}</section>"
    )


def _group(sweep: Sweep, group: Group) -> str:
    example = group.example
    seeds = [line.seed for line in group.lines]
    also = "; ".join(str(one) for one in group.also)
    look = LOOKS[example.exit_code].meaning
    return (
        f'<article class="way"><h3><small>{look}</small>{text(group.fingerprint.check)}: '
        f"{text(group.fingerprint.kind)}</h3>"
        f"<p>{some(len(seeds), 'seed').capitalize()}: {_listed(seeds)}.</p>"
        f"<p>Seed {example.seed}: {text(example.failing[0].detail)}</p>"
        + (f"<p>Some of them failed also otherwise: {text(also)}.</p>" if also else "")
        + (twin("Where it broke off", _pre(example.trouble)) if example.trouble else "")
        + _what_next(sweep, example)
    )


def _wavering(sweep: Sweep, line: SeedLine) -> str:
    assert line.again is not None
    return (
        f'<article class="way"><h3><small>{LOOKS[line.exit_code].meaning}</small>seed {line.seed}'
        f"</h3><p>With PYTHONHASHSEED {line.again.hash_seed} these differ: "
        f"{text(', '.join(line.again.differs))}. The traces end with {text(line.trace_digest)} and "
        f"{text(line.again.trace_digest)}.</p>" + _what_next(sweep, line)
    )


def _what_next(sweep: Sweep, line: SeedLine) -> str:
    kept = _pre("\n".join(sweep.keeping(line)))
    return (
        f'<div class="command"><code>{text(sweep.replay(line.seed))}</code></div>'
        + twin("Keep the seed and its plan as a regression test, once it is mended", kept)
        + "</article>"
    )


def _pre(said: str) -> str:
    return f'<pre tabindex="0">{text(said)}</pre>'


def _listed(seeds: Sequence[int]) -> str:
    more = len(seeds) - SEEDS_LISTED_MAX
    told = ", ".join(map(str, seeds[:SEEDS_LISTED_MAX]))
    return f"{told} and {number(more)} more" if more > 0 else told


def _reach_table(caption: str, head: Sequence[str], rows: Sequence[str]) -> str:
    cells = "".join(f'<th scope="col">{name}</th>' for name in head)
    cells += '<td aria-hidden="true"></td>'
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{text(caption)}">'
        f'<table class="reach"><caption>{text(caption)}</caption><thead><tr>{cells}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _reach_row(name: str, meaning: str, count: int, of: int) -> str:
    width = 100 * count / of if of else 0
    mark = "" if count else ' class="never"'
    words = f"{number(count)} of {number(of)} seeds" if count else "in no seed"
    small = f"<small> {text(meaning)}</small>" if meaning else ""
    return (
        f'<tr{mark}><th scope="row"><code>{text(name)}</code>{small}</th><td>{words}</td>'
        f'<td aria-hidden="true"><span class="bar"><i style="width:{width:.1f}%"></i></span></td>'
        "</tr>"
    )


def _families(sweep: Sweep) -> str:
    rows = [
        _reach_row(name, "", reach.fired, reach.planned)
        for name, reach in sweep.totals.families.items()
    ]
    if not rows:
        return "<p>The scenario breaks nothing.</p>"
    head = ("family", "did something, of the seeds that planned it")
    return _reach_table("Families of faults", head, rows)


def _sometimes(sweep: Sweep) -> str:
    rows = [
        _reach_row(name, CHECK_MEANING.get(name, ""), count, sweep.totals.played)
        for name, count in sweep.totals.sometimes.items()
    ]
    if not rows:
        return ""
    return _reach_table("What must be seen sometimes", ("what", "seen"), rows)


def _seeds(sweep: Sweep) -> str:
    """Return every seed under its verdict, as ranges."""
    from mycelia_sim.sweep.report import ranges

    rows = []
    for code, look in LOOKS.items():
        seeds = [line.seed for line in sweep.lines if line.exit_code == code]
        if seeds:
            rows.append((look.name, number(len(seeds)), ranges(seeds)))
    return (
        table("Seeds by verdict", ("verdict", "seeds", "which"), rows, numbers_from=9)
        if rows
        else "<p>No seed was played.</p>"
    )


def _metrics(sweep: Sweep) -> str:
    rows = [
        (name, f"{middle:,.4g}", f"{most:,.4g}")
        for name, (middle, most) in sweep.totals.metrics.items()
    ]
    head = ("metric of a seed", "median over seeds", "largest")
    return twin("Metrics over all seeds", table("Metrics", head, rows)) if rows else ""


def _figures(sweep: Sweep) -> str:
    build = sweep.subject.build
    rows = [
        ("changes", "; ".join(sweep.subject.changes) or "none"),
        ("processor time", f"{sweep.totals.cpu_s:,.1f} s"),
        ("mycelia", build.mycelia),
        ("code", build.code),
        ("python", build.python),
        ("cryptography", build.cryptography),
    ]
    return twin("Figures and versions", table("Figures", ("figure", "value"), rows))
