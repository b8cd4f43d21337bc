"""Open requests as one page to print and pin up: no script, nothing loaded, black on white.

People without a node read it at the door, tick what they bring, and name the short id at the hub.
"""

from html import escape
from typing import Any, Final

from mycelia_node.quantity import format_quantity
from mycelia_node.text import printable, short, unique_size

Json = dict[str, Any]

URGENCIES: Final = {
    "now": "Now: within a day, or danger to life",
    "days": "In two or three days",
    "week": "This week",
    "anytime": "At any time",
}
COLUMNS: Final = ("Needed", "Still lacking", "Needed by", "Who", "Reference", "I bring")
# Both A4 and US letter hold this: only margins are set. Rows never break; heads are repeated.
STYLE: Final = """
@page { margin: 14mm 12mm 16mm }
* { box-sizing: border-box }
body { font: 12pt/1.4 Georgia, "Times New Roman", serif; color: #000; background: #fff;
  max-width: 60rem; margin: 1.5rem auto; padding: 0 1rem }
h1 { font-size: 1.7em; margin: 0 }
h2 { font-size: 1.15em; margin: 1.6em 0 .4em; break-after: avoid }
p { margin: .3em 0 }
table { width: 100%; border-collapse: collapse }
th, td { text-align: left; vertical-align: top; padding: .4em .5em; border-bottom: 1px solid #777;
  overflow-wrap: anywhere }
thead th { font-size: .8em; border-bottom: 2px solid #000; white-space: nowrap }
tbody th { font-weight: bold; width: 34% }
tr { break-inside: avoid }
.note { font-weight: normal; font-size: .85em; display: block }
.amount, .when { white-space: nowrap }
.id { font: .75em/1.7 "DejaVu Sans Mono", Menlo, monospace; white-space: nowrap }
.box { width: 5em }
.box i { display: block; width: 1.4em; height: 1.4em; border: 1.5px solid #000 }
footer { margin-top: 2em; font-size: .85em; border-top: 1px solid #777; padding-top: .5em }
@media print { body { margin: 0; padding: 0; max-width: none; font-size: 10.5pt } }
@media screen and (max-width: 40rem) {
  thead { display: none }
  tr, td, tbody th { display: block; width: auto }
  td, tbody th { border: 0; padding: .1em 0 }
  tr { border-bottom: 1px solid #777; padding: .6em 0 }
}
"""


def sheet(requests: list[Json], commons: str, node: str, printed: str) -> str:
    """Return an HTML page.

    Args:
        requests: open ones, as the API tells them.
        commons, node: whose requests they are, and who says so.
        printed: when, in words.
    """
    size = unique_size(item["id"] for item in requests)
    parts = []
    for urgency, heading in URGENCIES.items():
        rows = [item for item in requests if item["urgency"] == urgency]
        rows.sort(key=lambda item: (item["needed_by_ms"] is None, item["needed_by_ms"] or 0))
        if rows:
            parts.append(_table(heading, [_row(item, size) for item in rows]))
    title = f"What is needed in {commons}"
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>{_text(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        f"<h1>{_text(title)}</h1>\n<p>{len(requests)} open, as {_text(node)} knew it on "
        f"{_text(printed)}. Ask before you bring something: it may be met by now.</p>\n"
        + ("\n".join(parts) or "<p>Nothing is asked for.</p>")
        + "\n<footer>Bring it where the request comes from, or tell the nearest hub the reference. "
        "Times are by the clock of the machine that printed this.</footer>\n</body>\n</html>\n"
    )


def _table(heading: str, rows: list[str]) -> str:
    head = "".join(f'<th scope="col">{name}</th>' for name in COLUMNS)
    return (
        f"<h2>{_text(heading)}</h2>\n<table><thead><tr>{head}</tr></thead>\n"
        f"<tbody>\n{''.join(rows)}</tbody></table>"
    )


def _row(item: Json, size: int) -> str:
    notes = [item["note"]]
    if item["people"]:
        notes.append(f"for {item['people']} people")
    if item["party"]:
        notes.append(f"for {item['party']['name']}")
    if item["substitutes"]:
        notes.append(f"or: {', '.join(item['substitutes'])}")
    note = "".join(f'<span class="note">{_text(each)}</span>' for each in notes if each)
    return (
        f'<tr><th scope="row">{_text(item["title"])}{note}</th>'
        f'<td class="amount">{_text(format_quantity(item["lacking"], item["unit"]))}</td>'
        f'<td class="when">{_text(item["when"] or "-")}</td>'
        f"<td>{_text(item['author']['name'])}</td>"
        f'<td class="id">{short(item["id"], size)}</td><td class="box"><i></i></td></tr>\n'
    )


def _text(value: object) -> str:
    """Return a value as HTML text; others' names must not steer anything."""
    return escape(printable(str(value)), quote=True)
