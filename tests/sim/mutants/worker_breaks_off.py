"""A sweep's worker with two planted defects: seed 1 raises, seed 3 ends its process."""

import os
import runpy
import signal

from mycelia_protocol.errors import InvalidTransition
from mycelia_sim import play
from mycelia_sim.plan import Plan
from mycelia_sim.play import Judged

honest_judge = play.judge


def judge(plan: Plan) -> Judged:
    """Judge a plan, unless its seed is one of the two."""
    if plan.seed == 1:
        raise InvalidTransition(f"no such timer in seed {plan.seed}")
    if plan.seed == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return honest_judge(plan)


play.judge = judge
runpy.run_module("mycelia_sim.sweep.worker", run_name="__main__")
