"""Every vector about sharing through the code that nodes run."""

from typing import Any

import pytest

from mycelia_protocol.encoding import decode
from mycelia_protocol.errors import RemoteError
from mycelia_protocol.sharing.distance import legs, metres_between
from mycelia_protocol.sharing.policy import read_policy, write_policy
from mycelia_protocol.types.place import Place
from vectors.reading import Case, cases, judge, load
from vectors.suite import plain


@cases("distance")
def test_distance(case: Case) -> None:
    """Metres between places, and what comes up on the way."""

    def read(inputs: Case) -> Any:
        one, other = (
            Place(**{name: int(value) for name, value in inputs[which].items()})
            for which in ("one", "other")
        )
        return plain({**legs(one, other)._asdict(), "metres": metres_between(one, other)})

    judge(case, read)


@cases("policy")
def test_policy(case: Case) -> None:
    """Policies are read, hashed and written again."""

    def read(inputs: Case) -> Any:
        data = bytes.fromhex(inputs["bytes"])
        policy = read_policy(data)
        document = decode(data, maps=True)
        assert isinstance(document, dict)
        assert write_policy(document) == data
        return {"document": plain(document), "id": policy.id.hex()}

    judge(case, read)


@pytest.mark.parametrize(
    "case", [case for case in load("policy")["cases"] if case["result"] == "invalid"]
)
def test_a_broken_policy_is_refused_for_its_reason(case: Case) -> None:
    """The requirement that a broken policy is refused with is the one that it breaks."""
    with pytest.raises(RemoteError) as caught:
        read_policy(bytes.fromhex(case["in"]["bytes"]))
    assert caught.value.requirement == case["req"][-1]
