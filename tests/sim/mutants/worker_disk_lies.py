"""A sweep's worker with one planted defect: a crash takes records that the disk said were safe."""

import runpy

from mycelia_sim.virtual.disk import MemoryStore

honest_crash = MemoryStore.crash


def crash(self: MemoryStore) -> int:
    """Lose what is not durable, and silently three records that are."""
    lost = honest_crash(self)
    self.roll_back(3)
    return lost


MemoryStore.crash = crash  # type: ignore[method-assign]
runpy.run_module("mycelia_sim.sweep.worker", run_name="__main__")
