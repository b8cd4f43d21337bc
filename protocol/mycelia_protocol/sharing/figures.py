"""All figures of an audit, from what became of things. Spec: section 8.10.2.

Each figure is a function in `tally.py` or `metrics.py`; here they are put side by side.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from mycelia_protocol.sharing.audit import Flow, Served
from mycelia_protocol.sharing.metrics import four_fifths_pm, gini_pm, least_to_mean_pm
from mycelia_protocol.sharing.tally import GrantTally, OfferTally, RequestTally

Groups = dict[str, tuple[int, int]]  # group -> worth served and wanted of its requests


@dataclass(slots=True)
class Outcomes:
    """What became of everything.

    Attributes:
        requests: all but those that were withdrawn before anything was received.
        withdrawn: how many those are.
        grants: those by which something changed hands.
        offers: those of which an amount can spoil.
        groups: by what people are grouped.
        had: of each collective, in micro-person-days per member in the policy's window (8.8.3).
    """

    requests: RequestTally = field(default_factory=RequestTally)
    withdrawn: int = 0
    grants: GrantTally = field(default_factory=GrantTally)
    offers: OfferTally = field(default_factory=OfferTally)
    groups: dict[str, Groups] = field(default_factory=dict)
    had: Mapping[bytes, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Collective:
    """How one collective fared: all its requests, those of each class, and how they fall into them.

    Attributes:
        had: micro-person-days per member in the window.
        mix: of its requests per mille in each class.
    """

    served: Served
    classes: Mapping[str, Served]
    mix: Mapping[str, int]
    had: int


@dataclass(frozen=True, slots=True)
class Figures:
    """What an audit shows of how people fared; names as in section 8.10.2.

    Attributes:
        all: of all requests together.
        collectives: those that asked for something, by key.
        gini_pm, least_pm: of what all collectives had in the window per member.
        groups: by what people are grouped -> worth served and wanted of each group.
        four_fifths_pm: by what people are grouped.
    """

    all: Served
    classes: Mapping[str, Served]
    collectives: Mapping[bytes, Collective]
    withdrawn: int
    gini_pm: int | None
    least_pm: int | None
    groups: Mapping[str, Mapping[str, tuple[int, int]]]
    four_fifths_pm: Mapping[str, int | None]
    flow: Flow
    expired_pm: int | None


def figures(outcomes: Outcomes) -> Figures:
    """Return all figures.

    Raises:
        LimitExceeded: more than `AUDIT_VALUES_MAX` collectives.
    """
    requests, had = outcomes.requests, list(outcomes.had.values())
    return Figures(
        all=requests.served(),
        classes=requests.classes(),
        collectives={
            who: Collective(
                requests.served(who),
                requests.classes(who),
                requests.mix(who),
                outcomes.had.get(who, 0),
            )
            for who in requests.collectives()
        },
        withdrawn=outcomes.withdrawn,
        gini_pm=gini_pm(had),
        least_pm=least_to_mean_pm(had),
        groups=outcomes.groups,
        four_fifths_pm={name: four_fifths_pm(each) for name, each in outcomes.groups.items()},
        flow=outcomes.grants.flow(),
        expired_pm=outcomes.offers.expired_pm(),
    )
