"""Every way of doing wrong, by the name that plans use."""

from typing import Final

from mycelia_sim.adversaries.act import Script
from mycelia_sim.adversaries.crowding import eclipse, slowloris
from mycelia_sim.adversaries.deciding import misdecide
from mycelia_sim.adversaries.flooding import flood, replay
from mycelia_sim.adversaries.forging import (
    alter_body,
    break_chain,
    forge_author,
    forge_signature,
)
from mycelia_sim.adversaries.forking import equivocate
from mycelia_sim.adversaries.lying import lie_digest, withhold
from mycelia_sim.adversaries.promising import future_time, overdraw
from mycelia_sim.adversaries.rubbish import garbage, oversize
from mycelia_sim.adversaries.speaking import babble
from mycelia_sim.adversaries.summing import forge_forms, missum

BEHAVIOURS: Final[dict[str, Script]] = {
    "alter_body": alter_body,
    "babble": babble,
    "break_chain": break_chain,
    "eclipse": eclipse,
    "equivocate": equivocate,
    "flood": flood,
    "forge_author": forge_author,
    "forge_forms": forge_forms,
    "forge_signature": forge_signature,
    "future_time": future_time,
    "garbage": garbage,
    "lie_digest": lie_digest,
    "misdecide": misdecide,
    "missum": missum,
    "overdraw": overdraw,
    "oversize": oversize,
    "replay": replay,
    "slowloris": slowloris,
    "withhold": withhold,
}
