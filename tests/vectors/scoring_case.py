"""One case of the suite of scores: views in, a decision with all its intermediates out."""

from collections.abc import Sequence
from typing import Any, Final

from mycelia_protocol.sharing.decide import decide
from mycelia_protocol.sharing.policy import Policy, read_policy, write_policy
from mycelia_protocol.sharing.views import CollectiveView, OfferView, RequestView
from support.decisions import NAMES, NOW_MS, collectives, key, plain_inputs, plain_outcome
from vectors.cases_policy import case_of, policies
from vectors.suite import Json, Suite, plain

POLICIES: Final[dict[str, Policy]] = {
    name: read_policy(write_policy(found)) for name, found in policies().items()
}
# What stands for an id: every name that a case may use.
WORDS: Final = (
    *("offer", *NAMES, "pine"),
    *(f"request {number}" for number in range(24)),
    *("a", "b", "c", "d", "e"),
)
NAME_OF: Final = {key(word): word for word in WORDS}


def add(
    suite: Suite,
    comment: str,
    req: str,
    policy: str,
    offered: OfferView,
    requests: Sequence[RequestView],
    everybody: Sequence[CollectiveView] | None = None,
    *,
    as_of: int = NOW_MS,
    flags: str,
) -> None:
    """Add one case; without collectives those that the requests name, and Mill."""
    if everybody is None:
        everybody = collectives("oak", "elm")
    known = {each.id for each in everybody}
    missing = {each.collective for each in requests} - known
    everybody = [*everybody, *(CollectiveView(each, 20) for each in sorted(missing))]
    decision = decide(POLICIES[policy], offered, requests, everybody, as_of)
    inputs: dict[str, Json] = {
        "policy": case_of(policy),
        "as_of": str(as_of),
        **named(plain_inputs(offered, requests, everybody)),
    }
    suite.valid(comment, req, inputs, named(plain_outcome(decision)), *flags.split())


def named(value: dict[str, Any]) -> dict[str, Json]:
    """Return the plain form, with names for ids."""
    written = plain(_renamed(value))
    assert isinstance(written, dict)
    return written


def _renamed(value: Any) -> Any:
    match value:
        case dict():
            return {name: _renamed(item) for name, item in value.items()}
        case list() | tuple():
            return [_renamed(item) for item in value]
        case bytes():
            return NAME_OF.get(value, value)
        case _:
            return value
