"""What people read about bundles."""

import time
from typing import Any

from mycelia_node.cli.progress import size_text
from mycelia_node.cli.render import clean, cut, table
from mycelia_node.text import count, short

Answer = dict[str, Any]
AUTHORS_SHOWN = 20


def when(time_ms: int | None) -> str:
    """Return a time as people write it."""
    if time_ms is None:
        return "at a time that is lost"
    try:
        return time.strftime("%Y-%m-%d %H:%M", time.localtime(time_ms / 1000))
    except (OverflowError, ValueError, OSError):
        return "at no possible time"


def who(person: Answer | None) -> str:
    """Return a name and short key."""
    if person is None:
        return "somebody whose name is lost"
    key = short(person["key"])
    return key if person["name"] in (None, key) else f"{clean(person['name'])} ({key})"


def records(number: int) -> str:
    """Return a number of records."""
    return f"{number:,} record" + ("" if number == 1 else "s")


def amount(report: Answer) -> str:
    """Return how many records there are, and how many of them in short form."""
    if not report["forms"]:
        return records(report["records"])
    return f"{records(report['records'])} and {report['forms']:,} old ones in short form"


def out_text(answer: Answer) -> str:
    """Return what was written."""
    lines = [
        f"{answer['path']}: {amount(answer)}, {size_text(answer['bytes'])}.",
    ]
    if answer["forms"]:
        lines.append("Of old ones in short form there is what counts, without their words.")
    if answer["unproven"]:
        lines.append(
            f"Not in it: {records(answer['unproven'])} that this node keeps in short form, and no "
            "checkpoint sums up."
        )
    audience = answer["audience"]
    if audience is None:
        lines.append("For anyone: it holds all that this node knows.")
    elif answer["basis_ms"] is None:
        lines.append(
            f"For {who(audience)}: nothing is known of what it holds, so everything is in it."
        )
    else:
        lines.append(
            f"For {who(audience)}: left out are {records(answer['left_out'])} "
            f"that it held {when(answer['basis_ms'])}."
        )
    return "\n".join(lines)


def in_text(answer: Answer) -> str:
    """Return what was taken in."""
    files = answer["files"]
    lines = [line for report in files for line in in_lines(report)]
    if len(files) > 1:
        lines.append(f"{answer['new']:,} new in all.")
    return "\n".join(lines)


def in_lines(report: Answer) -> list[str]:
    """Return what became of one file."""
    if report["error"]:
        return [f"{report['path']}: {report['error']}"]
    made = f"{who(report['maker'])}, {when(report['made_ms'])}"
    total = report["records"] + report["forms"]
    lines = [f"{report['path']}: {report['new']:,} new of {total:,}, from {made}."]
    for name, words in (
        ("strangers", "by authors for whom nobody here has vouched"),
        ("gaps", "lie beyond records that are missing; a bundle without --for has them"),
        ("contested", "of logs of which there are two versions"),
        ("refused", "that nothing proves, or that are not of this commons"),
        ("unconfirmed", "in short form that too few members are known to have confirmed"),
    ):
        if report[name]:
            lines.append(f"  left out: {records(report[name])} {words}")
    return lines + damage_lines(report)


def damage_lines(report: Answer) -> list[str]:
    """Return what is wrong with a file."""
    lines = []
    if report["damaged"]:
        places = ", ".join(f"{start:,}-{end:,}" for start, end in report["damage"][:3])
        more = ", ..." if report["damaged"] > 3 else ""
        lines.append(
            f"  damaged: {size_text(report['lost'])} in {count(report['damaged'], 'place')} "
            f"(bytes {places}{more})"
        )
    if report["chunks_made"] is None:
        lines.append("  its end is missing: there may have been more")
    elif not report["whole"] and report["records_made"] is not None:
        missing = max(report["records_made"] - report["records"], 0)
        parts = max(report["chunks_made"] - report["chunks"], 0)
        if missing or not parts:
            lines.append(f"  missing: {records(missing)} of {report['records_made']:,}")
        else:
            lines.append(f"  missing: {count(parts, 'chunk')} of {report['chunks_made']:,}")
    if not report["signed"] and report["maker"] is not None:
        lines.append("  who made it is not proved for all of it; records prove themselves")
    if report["ignored"]:
        lines.append(f"  {count(report['ignored'], 'chunk')} of a kind that this version lacks")
    if report["others"]:
        lines.append(f"  {count(report['others'], 'chunk')} of another bundle among it")
    return lines


def list_text(report: Answer) -> str:
    """Return what is in a file."""
    if report["error"]:
        return f"{report['path']}: {report['error']}"
    lines = [
        f"{report['path']}",
        f"  made by {who(report['maker'])}, {when(report['made_ms'])}, {audience_text(report)}",
        f"  {amount(report)}" + span_text(report),
        *short_lines(report),
        "  " + (", ".join(f"{n:,} {kind}" for kind, n in report["kinds"].items()) or "nothing"),
    ]
    if report["unauthentic"]:
        lines.append(f"  nothing proves {records(report['unauthentic'])}; they will not come in")
    lines += damage_lines(report)
    shown = report["authors"][:AUTHORS_SHOWN]
    rows = [(f"{a['records']:,}", cut(clean(a["name"] or "-"), 40), short(a["key"])) for a in shown]
    if rows:
        lines.append(table(("RECORDS", "BY", "KEY"), rows))
    if len(report["authors"]) > AUTHORS_SHOWN:
        lines.append(f"and {len(report['authors']) - AUTHORS_SHOWN} others")
    return "\n".join(lines)


def short_lines(report: Answer) -> list[str]:
    """Return what the short form means, if there are records in it."""
    if not report["forms"]:
        return []
    logs = count(report["old_logs"], "log")
    return [
        f"  of the beginnings of {logs} there is what counts, without words, summed up by their",
        "  authors; who takes it in looks whether members confirmed that",
    ]


def audience_text(report: Answer) -> str:
    """Return for whom a bundle was made."""
    if report["maker"] is None:
        return "for nobody knows whom"
    if report["audience"] is None:
        return "for anyone"
    if report["basis_ms"] is None:
        return f"for {who(report['audience'])}"
    return f"for {who(report['audience'])}, by what it held {when(report['basis_ms'])}"


def span_text(report: Answer) -> str:
    """Return between which times the records were written."""
    if report["first_ms"] is None:
        return ""
    return f", written {when(report['first_ms'])} to {when(report['last_ms'])}"
