"""Everything that a checker may look at, and how checkers say what they found."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, TypeAlias

from mycelia_sim import accounts
from mycelia_sim.accounts import Accounts
from mycelia_sim.audit import Holding, Verifier
from mycelia_sim.facts import Facts, Sightings
from mycelia_sim.folding import Folds
from mycelia_sim.library import Library
from mycelia_sim.plan import Plan
from mycelia_sim.set_full import SetFull, set_full
from mycelia_sim.verdict import Check, Family, First, Verdict

SHORT: Final = 16  # characters of an id in a sentence

Breach: TypeAlias = tuple[str, First]


@dataclass(frozen=True)
class Evidence:
    """What is known of a run when it is judged.

    Attributes:
        library: what lies on the disks.
        sightings: when records came to lie there; None where nobody could see it.
    """

    plan: Plan
    facts: Facts
    library: Library
    accounts: Accounts
    sightings: Sightings | None = None

    @property
    def holdings(self) -> Sequence[Holding]:
        """The disks."""
        return self.library.holdings

    @cached_property
    def folds(self) -> Folds:
        """What the protocol makes of the disks."""
        return self.library.folds

    @cached_property
    def node_of(self) -> dict[bytes, str]:
        """Key -> node, of all honest nodes."""
        keys = self.facts.keys
        return {bytes.fromhex(keys[n.id]): n.id for n in self.plan.nodes if n.id in keys}

    @cached_property
    def liars(self) -> frozenset[bytes]:
        """The keys of the adversaries."""
        honest = {node.id for node in self.plan.nodes}
        keys = self.facts.keys.items()
        return frozenset(bytes.fromhex(key) for name, key in keys if name not in honest)

    @cached_property
    def taken(self) -> dict[str, frozenset[str]]:
        """Node -> ids in hex of the durable records that faults took from its disk."""
        taken: dict[str, frozenset[str]] = {}
        for kill in self.facts.kills.values():
            taken[kill.node] = taken.get(kill.node, frozenset()) | set(kill.lost)
        return taken

    @cached_property
    def set_full(self) -> SetFull:
        """What became of the records that users were told are saved."""
        reached = None if self.sightings is None else self.sightings.reached
        return set_full(self.facts.acknowledged, self.library, reached)

    def first(self, record: bytes, node: str = "") -> First:
        """Place a breach about a record: when it came to a node's disk, or to the first of all."""
        reached = {} if self.sightings is None else self.sightings.reached(record)
        if node:
            return First(reached.get(node), node, record.hex())
        at = min(((at_ms, one) for one, at_ms in reached.items()), default=(None, ""))
        return First(at[0], at[1], record.hex())


def gather(
    plan: Plan, facts: Facts, holdings: Sequence[Holding], sightings: Sightings | None = None
) -> Evidence:
    """Put together what a run left."""
    library = Library(holdings, Verifier(), facts.forked_logs())
    counted = accounts.count(plan, facts, library.records, sightings)
    return Evidence(plan, facts, library, counted, sightings)


def judged(
    name: str, family: Family, breaches: Iterable[Breach], found: str, *, is_known: bool = True
) -> Check:
    """Return a check: fail with the first breach, else pass, or unknown if it saw nothing.

    The breach that happened first comes first; those that can't be placed in time come last.
    """
    ordered = sorted(breaches, key=lambda one: (one[1].at_ms is None, one[1].at_ms or 0))
    if not ordered:
        verdict: Verdict = "pass" if is_known else "unknown"
        return Check(name, family, verdict, found)
    text, first = ordered[0]
    place = "" if first.at_ms is None else f"; first {first}"
    more = f" (and {len(ordered) - 1} more)" if len(ordered) > 1 else ""
    return Check(name, family, "fail", f"{text}{place}{more}", first)


def known(name: str, problems: Sequence[str], found: str) -> Check:
    """Return a check of the run itself: what did not happen makes it unknown, never failed."""
    verdict: Verdict = "unknown" if problems else "pass"
    return Check(name, "run", verdict, "; ".join(problems) or found)
