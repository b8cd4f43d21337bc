"""Which policy is in force: a function of the set of records. Spec: section 8.7.5, FORCE-1."""

from mycelia_protocol.sharing.baselines import baseline
from mycelia_protocol.sharing.policy import Policy
from mycelia_protocol.state import State
from mycelia_protocol.types.policy import Proposed


def in_force(state: State) -> Policy:
    """Return the founder's policy of the highest epoch, the smallest id if there are several.

    Until there is one, it is the baseline `fifo`.
    """
    return min(_counting(state), key=_rank, default=baseline("fifo"))


def is_superseded(state: State, policy: bytes) -> bool:
    """Return whether a policy could be followed before, and another one is in force now."""
    known = [*_counting(state), baseline("fifo")]
    return policy != in_force(state).id and policy in [each.id for each in known]


def _counting(state: State) -> list[Policy]:
    return [each.body.policy for each in state.by_author(state.charter.founder, Proposed)]


def _rank(policy: Policy) -> tuple[int, bytes]:
    """Return what the one in force has least of."""
    return -policy.epoch, policy.id
