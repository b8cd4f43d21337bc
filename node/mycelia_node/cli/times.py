"""Times that people type: spans such as 14d, moments such as 2026-08-01T09:00, and slots."""

from datetime import UTC, datetime

import click

from mycelia_node.exchange.moments import LATEST_MS

SPANS = {"min": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}


def parse_span(text: str) -> int:
    """Return a span of time such as 90min, 36h, 14d or 2w in ms."""
    text = text.replace(" ", "")
    unit = text.lstrip("0123456789")
    number = text[: len(text) - len(unit)]
    if not number or unit not in SPANS or not 0 < int(number) < 100_000:
        raise click.BadParameter(f"{text!r} is no span of time; write 90min, 36h, 14d or 2w")
    return int(number) * SPANS[unit]


def parse_moment(text: str) -> int:
    """Return a moment such as 2026-08-01T09:00, by the local clock if it names no zone, in ms."""
    try:
        moment = datetime.fromisoformat(text)
        milliseconds = round(moment.timestamp() * 1000)
    except (ValueError, OverflowError, OSError):
        raise click.BadParameter(f"{text!r} is no moment; write 2026-08-01T09:00") from None
    if milliseconds < 0:
        raise click.BadParameter(f"{text!r} lies before 1970")
    return milliseconds


def parse_slot(text: str) -> list[int]:
    """Return [from, until] in ms of a slot such as 2026-08-01T09:00/12:00.

    The end may leave out the day, which then is that of the beginning.
    """
    begin, _, end = text.partition("/")
    if "T" not in end:
        end = f"{begin.partition('T')[0]}T{end}"
    from_ms, until_ms = parse_moment(begin), parse_moment(end)
    if from_ms >= until_ms:
        raise click.BadParameter(f"{text!r} ends before it begins")
    return [from_ms, until_ms]


def moment_text(time_ms: int) -> str:
    """Return a moment by the local clock, to the minute; in words if no calendar has it."""
    if time_ms > LATEST_MS:
        return "far in the future"
    moment = datetime.fromtimestamp(time_ms / 1000, UTC).astimezone()
    return moment.strftime("%Y-%m-%d %H:%M")


def slot_text(slot: dict[str, int]) -> str:
    """Return a slot by the local clock; the day of its end only where it differs."""
    begin, end = moment_text(slot["from_ms"]), moment_text(slot["until_ms"])
    return f"{begin} to {end.removeprefix(begin[:11])}"
