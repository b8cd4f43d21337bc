"""Whether this machine can run the switch backend, found out by doing what a run does."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

from mycelia_sim.live.process import environment
from mycelia_sim.switch import namespaces, netlink
from mycelia_sim.switch.namespaces import Missing

TIMEOUT_S: Final = 20.0
_ADDRESS: Final = "10.77.0.1"
_STEPS: Final[tuple[tuple[str, Callable[[], object]], ...]] = (
    ("user namespaces", namespaces.enter_user_namespace),
    ("network namespaces", namespaces.enter_new_network),
    ("virtual network cards", lambda: netlink.make_card(_ADDRESS)),
    ("packet sockets", lambda: netlink.open_wire(65_536).close()),
)

Finding: TypeAlias = tuple[str, bool, str]


def probe() -> list[Finding]:
    """Return for each thing that the switch needs: what it is, whether it is there, what to do.

    Tries in a process of its own, which leaves nothing behind. What comes after something that is
    missing can't be tried, and is left out.
    """
    tried = subprocess.run(  # noqa: S603  this very module
        [sys.executable, "-m", __name__],
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    found = [tuple(json.loads(line)) for line in tried.stdout.splitlines()]
    if tried.returncode:
        said = tried.stderr.strip().splitlines()[-1:]
        found.append(("the probe itself", False, " ".join(said) or f"code {tried.returncode}"))
    return [(str(what), bool(is_ok), str(advice)) for what, is_ok, advice in found]


def _try() -> Iterator[Finding]:
    """Take one step after the other in this very process."""
    for what, step in _STEPS:
        try:
            step()
        except Missing as missing:
            yield f"{what}: {missing.what}", False, missing.advice
            return
        yield what, True, ""


if __name__ == "__main__":
    for finding in _try():
        sys.stdout.write(json.dumps(finding) + "\n")
