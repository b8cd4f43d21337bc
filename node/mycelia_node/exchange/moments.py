"""Moments at the edges: RFC 3339 in UTC."""

from datetime import UTC, datetime, timedelta
from typing import Final

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
LATEST_MS: Final = 253_370_764_800_000  # 9999-01-01: later moments have no date in every zone


def rfc3339(time_ms: int | None) -> str:
    """Return a moment such as 2026-08-01T09:00:00Z, with milliseconds if it has some.

    "" for no moment, and for one that no calendar of four digits has: records may hold such.
    """
    if time_ms is None or not 0 <= time_ms <= LATEST_MS:
        return ""
    moment = EPOCH + timedelta(milliseconds=time_ms)
    precision = "milliseconds" if time_ms % 1000 else "seconds"
    return moment.isoformat(timespec=precision).removesuffix("+00:00") + "Z"
