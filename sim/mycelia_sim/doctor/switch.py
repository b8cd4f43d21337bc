"""Whether real daemons can run in network namespaces here, joined by a switch of our own."""

from __future__ import annotations

import sys
from typing import Final

from mycelia_sim.doctor.finding import Finding

SAYS: Final = "can be made"
NOT_NEEDED: Final = "root, `ip`, tun and netem"


def probe() -> list[Finding]:
    """Take the steps that a run on the switch takes, in a child process that leaves nothing."""
    if not sys.platform.startswith("linux"):
        advice = "take virtual or live"
        return [Finding("Linux", False, f"this is {sys.platform}", advice)]
    from mycelia_sim.switch.probe import probe as own

    found = []
    for what, is_ok, advice in own():
        name, _, says = what.partition(": ")
        found.append(Finding(name, is_ok, SAYS if is_ok else says or "missing", advice))
    return [*found, Finding(NOT_NEEDED, True, "are not needed", is_needed=False)]
