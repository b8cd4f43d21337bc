"""Every system that is measured, ours first."""

from __future__ import annotations

from typing import Final

from mycelia_bench.system import System
from mycelia_bench.systems.hypercore import Hypercore
from mycelia_bench.systems.js_libp2p import JsLibp2p
from mycelia_bench.systems.libp2p import PyLibp2p
from mycelia_bench.systems.mycelia import Mycelia
from mycelia_bench.systems.nostr import Nostr

OURS: Final = "mycelia"
SYSTEMS: Final[dict[str, System]] = {
    system.about.name: system
    for system in (Mycelia(), PyLibp2p(), JsLibp2p(), Nostr(), Hypercore())
}
