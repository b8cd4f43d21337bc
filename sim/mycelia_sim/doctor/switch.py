"""Whether real daemons can run in network namespaces here, joined by a switch of our own."""

from __future__ import annotations

import importlib
import sys
from importlib.util import find_spec
from typing import Final

from mycelia_sim.doctor.finding import Finding

PROGRAM: Final = "mycelia_sim.switch"
_USERS: Final = (
    "let users make namespaces: `sysctl -w kernel.unprivileged_userns_clone=1 "
    "user.max_user_namespaces=10000`, and where AppArmor forbids it "
    "`sysctl -w kernel.apparmor_restrict_unprivileged_userns=0`; or run as root"
)
ADVICE: Final = {
    "namespaces": _USERS,
    "packet sockets": "load it: `modprobe af_packet`",
    "veth": "load it: `modprobe veth`",
}
SAYS: Final = {
    "namespaces": "an ordinary user can make them, for users and networks",
    "packet sockets": "whole frames can be read and sent",
    "veth": "pairs of network cards can be made",
    "tun": "there",
    "netem": "there",
}
NOT_NEEDED: Final = "not needed: the switch carries and shapes packets itself"
NEEDED: Final = ("namespaces", "packet sockets", "veth")


def probe() -> list[Finding]:
    """Try what the switch does, in namespaces of a child process."""
    if not sys.platform.startswith("linux"):
        return [Finding("Linux", False, f"this is {sys.platform}", "take virtual or live")]
    # Only there does Python have these sockets and calls.
    from mycelia_sim.doctor.namespaces import tried_apart

    tried = tried_apart()
    return [*(_finding(name, error) for name, error in tried.items()), *_own()]


def _finding(name: str, error: str) -> Finding:
    """Return what one step came to."""
    if name in NEEDED:
        return Finding(name, not error, error or SAYS[name], ADVICE[name])
    says = f"{error or SAYS[name]}; {NOT_NEEDED}"
    return Finding(name, not error, says, is_needed=False)


def _own() -> list[Finding]:
    """Return what the backend itself finds missing; that it is not there at all if so."""
    if find_spec(PROGRAM) is None:
        says = "not part of this version"
        return [Finding("the switch", False, says, "take virtual or live")]
    own = importlib.import_module(f"{PROGRAM}.probe").probe()
    return [
        Finding(f"switch: {what}", bool(is_ok), "ok" if is_ok else "missing", str(advice))
        for what, is_ok, advice in own
    ]
