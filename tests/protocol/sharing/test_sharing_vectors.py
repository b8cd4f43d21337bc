"""Every vector about sharing through the code that nodes run."""

from typing import Any

from mycelia_protocol.sharing.distance import legs, metres_between
from mycelia_protocol.types.place import Place
from vectors.reading import Case, cases, judge
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
