"""What nodes on each side of a cut tell their people once it is mended, in a line for each side."""

from __future__ import annotations

from typing import Any

from mycelia_node.text import count
from mycelia_sim.live.client import CallFailed
from mycelia_sim.live.fleet import Fleet
from mycelia_sim.plan import Plan


async def merged(plan: Plan, fleet: Fleet, began_ms: int) -> list[str]:
    """Ask a node of each group of the last cut what came to it since that was mended.

    Args:
        began_ms: wall clock at the beginning of the workload.
    """
    cuts = [cut for cut in plan.cuts if cut.groups]
    if not cuts:
        return []
    last = max(cuts, key=lambda cut: cut.until_ms)
    lines = []
    for group in last.groups:
        clients = ((node, fleet.client(node)) for node in group)
        node, client = next(((n, c) for n, c in clients if c is not None), (group[0], None))
        if client is None:
            continue
        try:
            answer = await client.get(f"/v1/merged?since_ms={began_ms + last.until_ms}")
        except CallFailed:
            continue  # it tells nothing that the run is judged by
        lines.append(f"since the heal {plan.node(node).name} heard of {told(answer)}")
    return lines


def told(answer: dict[str, Any]) -> str:
    """Return a merge report in half a sentence."""
    neighbours = [each for each in answer["neighbours"] if each["records"]]
    records = sum(each["records"] for each in neighbours)
    offers, requests = (
        count(sum(len(each[f"{kind}s"]) for each in neighbours), kind)
        for kind in ("offer", "request")
    )
    contested = count(len(answer["contested"]) + len(answer["forked"]), "contested grant")
    overdue = count(len(answer["overdue"]), "overdue right")
    unmet = count(len(answer["unmet"]), "unmet request")
    by = count(len(neighbours), "neighbour")
    return (
        f"{count(records, 'record')} by {by}: {offers}, {requests}; {contested}, {overdue}, {unmet}"
    )
