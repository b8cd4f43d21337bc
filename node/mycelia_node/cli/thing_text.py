"""One offer or request for people, with all that it says."""

from typing import Any

from mycelia_node.cli.render import amount, clean, duration, grants_table, now, title_of, until
from mycelia_node.cli.times import slot_text
from mycelia_node.text import short


def thing_text(answer: dict[str, Any]) -> str:
    """Return one offer or request for people."""
    is_offer = answer["kind"] == "offer"
    rest = ("left", "granted") if is_offer else ("lacking", "filled")
    rows = [
        ("id", answer["id"]),
        (answer["kind"], title_of(answer)),
        ("by", f"{answer['author']['name']} ({short(answer['author']['key'])})"),
        ("category", answer["category"]),
        ("amount", amount(answer)),
        *[(name, amount(answer, name)) for name in rest],
        ("state", answer["status"].replace("_", " ")),
        ("posted", f"{duration(now() - answer['time_ms'])} ago"),
    ]
    rows += offer_rows(answer) if is_offer else request_rows(answer)
    if answer["party"]:
        party = answer["party"]
        rows.append(("of" if is_offer else "for", f"{party['name']} ({party['form']})"))
    if answer["expires_ms"] is not None:
        rows.append(("ends", until(answer["expires_ms"], now())))
    if answer["place"]:
        place = answer["place"]
        rows.append(("place", f"{place['lat_e7'] / 1e7:.2f}, {place['lon_e7'] / 1e7:.2f}"))
    if answer["note"]:
        rows.append(("note", answer["note"]))
    text = "\n".join(f"{name:<10}  {clean(value)}" for name, value in rows)
    return f"{text}\n\n{grants_table(answer['grants'])}" if answer["grants"] else text


def offer_rows(answer: dict[str, Any]) -> list[tuple[str, str]]:
    """Return what only offers have, as far as it says something."""
    times = [("from", answer["from_ms"]), ("until", answer["until_ms"])]
    rows = [("terms", "a service")] if answer["terms"] == "service" else []
    rows += [("lent", f"{slot_text(slot)}, {slot['left']} left") for slot in answer["slots"]]
    rows += [(name, amount(answer, name)) for name in ("lot", "minimum") if answer[name] > 1]
    rows += [(name, until(time_ms, now())) for name, time_ms in times if time_ms is not None]
    if answer["carrier"] != "unknown":
        rows.append(("carrier", answer["carrier"]))
    if answer["audience"]:
        rows.append(("only for", ", ".join(each["name"] for each in answer["audience"])))
    if answer["inexhaustible"] or answer["renewing"]:
        rows.append(("supply", "renewing" if answer["renewing"] else "inexhaustible"))
    if answer["frozen"]:
        rows.append(("frozen", "this node may have promised more of it: `mycelia status`"))
    if answer["ask"]:
        rows.append(("given", "as a person decides: `mycelia decide`"))
    return rows


def request_rows(answer: dict[str, Any]) -> list[tuple[str, str]]:
    """Return what only requests have, as far as it says something."""
    rows = [
        ("urgency", answer["urgency"]),
        ("needed by", until(answer["needed_by_ms"], now())),
    ]
    if answer["people"] is not None:
        rows.append(("people", str(answer["people"])))
    if answer["substitutes"]:
        rows.append(("or", ", ".join(answer["substitutes"])))
    if answer["frozen"]:
        rows.append(("frozen", "this node may have accepted more for it: `mycelia status`"))
    return rows
