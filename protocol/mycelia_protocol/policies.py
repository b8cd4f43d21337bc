"""Which policy is in force: a function of the set of records. Spec: section 8.7.5, FORCE-1."""

from mycelia_protocol.sharing.baselines import baseline
from mycelia_protocol.sharing.policy import Policy
from mycelia_protocol.state import State
from mycelia_protocol.types.policy import Proposed


def in_force(state: State) -> Policy:
    """Return the founder's policy of the highest epoch, the smallest id if there are several.

    Until there is one, it is the baseline `fifo`.
    """
    counting = [each.body.policy for each in state.by_author(state.charter.founder, Proposed)]
    if not counting:
        return baseline("fifo")
    return min(counting, key=lambda policy: (-policy.epoch, policy.id))
