"""The board as CSV with a row of HXL hashtags, for spreadsheets."""

import csv
import io
from typing import Any

from mycelia_node.exchange.columns import COLUMNS, disarm
from mycelia_node.exchange.moments import rfc3339
from mycelia_node.quantity import split_quantities

Json = dict[str, Any]


def board_csv(things: list[Json]) -> str:
    """Return offers and requests as CSV, RFC 4180, after a header and a row of hashtags.

    Args:
        things: as the API tells them.
    """
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    writer.writerow(COLUMNS.values())
    for thing in things:
        cells = row(thing)
        writer.writerow(disarm_text(name, cells.get(name, "")) for name in COLUMNS)
    return out.getvalue()


def disarm_text(name: str, cell: str) -> str:
    """Return a cell; only numbers may begin with a sign."""
    return cell if name in ("lat", "lon") else disarm(cell)


def row(thing: Json) -> dict[str, str]:
    """Return the cells of an offer or a request by column."""
    rest = thing["left"] if thing["kind"] == "offer" else thing["lacking"]
    (quantity, left), unit = split_quantities((thing["quantity"], rest), thing["unit"])
    cells = {
        "kind": thing["kind"],
        "what": thing["title"],
        "category": thing["category"],
        "quantity": quantity,
        "unit": unit,
        "left": left,
        "until": rfc3339(thing["expires_ms"]),
        "note": thing["note"],
        "who": thing["author"]["name"],
        "status": thing["status"].replace("_", " "),
        "posted": rfc3339(thing["time_ms"]),
        "id": thing["id"],
    }
    if thing["place"]:
        cells["lat"] = degrees(thing["place"]["lat_e7"])
        cells["lon"] = degrees(thing["place"]["lon_e7"])
    if thing["kind"] == "request":
        cells["urgency"] = thing["urgency"]
        cells["needed by"] = rfc3339(thing["needed_by_ms"])
        cells["people"] = "" if thing["people"] is None else str(thing["people"])
    return cells


def degrees(value_e7: int) -> str:
    """Return 1e-7 degrees as degrees, exact."""
    sign = "-" if value_e7 < 0 else ""
    whole, part = divmod(abs(value_e7), 10_000_000)
    return f"{sign}{whole}.{part:07d}".rstrip("0").rstrip(".")
