"""Plans in which a node decides who gets what, and nodes that decide with a bias."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from mycelia_protocol import allocate, deciding, gather
from mycelia_protocol.crypto import public_key
from mycelia_protocol.sharing.change import Inputs
from mycelia_protocol.sharing.policy import FACTORS
from mycelia_protocol.types.request import Request
from mycelia_sim.plan import Plan
from mycelia_sim.streams import Stream
from support.spenders import SOUP, sharing, wish

Planted = pytest.MonkeyPatch
Bias = Callable[[Inputs], Inputs]


def decided() -> Plan:
    """Return a plan in which n0 and n1 each decide between n2 and n3, by policy."""
    dry = replace(SOUP, category="food.dry", title="Oats", unit="g", node="n1", at_ms=6_000)
    wishes = [
        replace(dry, node=node, at_ms=at_ms, kind="request", urgency="now", quantity=8)
        for node, at_ms in (("n2", 4_000), ("n3", 4_500))
    ]
    soup = replace(SOUP, at_ms=3_000)
    plan = sharing(wish(1_000, "n2", 8), wish(1_500, "n3", 8), soup, *wishes, dry)
    return replace(plan, policy="commons", in_force="balanced")


def enough() -> Plan:
    """Return a plan in which n2 and n3 ask n0 for soup, first come first served, and get it."""
    return sharing(SOUP, wish(2_000, "n2", 3), wish(3_000, "n3", 3))


def too_little() -> Plan:
    """Return a plan in which n2 asks before n3 for all the soup that n0 gives away later."""
    return sharing(wish(1_000, "n2", 10), wish(2_000, "n3", 10), replace(SOUP, at_ms=5_000))


def leaves_out(inputs: Inputs) -> Inputs:
    """Do not look at who asked first."""
    first = min(inputs.requests, key=lambda request: request.first_posted_ms)
    return replace(inputs, requests=[each for each in inputs.requests if each is not first])


def misweighs(inputs: Inputs) -> Inputs:
    """Let nothing count but how full a load is, under the name of the policy in force."""
    weights = tuple(1_000 if name == "fill" else 0 for name in FACTORS)
    return replace(inputs, policy=replace(inputs.policy, weights=weights))


def plant(planted: Planted, bias: Bias, node: str = "n0", seed: int = 1) -> None:
    """Let one node of a plan with this seed decide with a bias; the others, and auditors, don't."""
    biased = public_key(Stream(seed, f"key/{node}").bytes(32))

    def look(state, key, stock, policy, as_of_ms):  # type: ignore[no-untyped-def]
        inputs = gather.gather(state, key, stock, policy, as_of_ms)
        return bias(inputs) if key == biased else inputs

    planted.setattr(deciding, "gather", look)


def leaves_somebody_out(planted: Planted) -> None:
    """A node that does not look at who asked first."""
    plant(planted, leaves_out)


def overlooks_somebody(planted: Planted, node: str = "n3", seed: int = 1) -> None:
    """A node that finds nothing that would serve one of the others."""
    overlooked, fits = public_key(Stream(seed, f"key/{node}").bytes(32)), allocate.fits

    def blind(state, stock, request, now_ms):  # type: ignore[no-untyped-def]
        return request.author != overlooked and fits(state, stock, request, now_ms)

    planted.setattr(allocate, "fits", blind)
    planted.setattr(deciding, "fits", blind)


def serves_the_last_first(planted: Planted) -> None:
    """A node to which who asked last comes first."""

    def age(state, key, request):  # type: ignore[no-untyped-def]
        return -state.find(request, Request).time_ms

    planted.setattr(allocate, "_lapses", age)
