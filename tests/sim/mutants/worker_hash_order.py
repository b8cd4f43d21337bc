"""A sweep's worker with one planted defect: nodes start in the order of a set of their names."""

import runpy

from mycelia_sim.virtual.world import World

honest_run = World.run


def run(self: World) -> object:
    """Run with the nodes in an order that hashing decides, which differs between processes."""
    honest = dict(self.nodes)
    self.nodes.clear()
    self.nodes.update({name: honest[name] for name in set(honest)})
    return honest_run(self)


World.run = run  # type: ignore[assignment,method-assign]
runpy.run_module("mycelia_sim.sweep.worker", run_name="__main__")
