"""The policy: the document that says who gets something first. Spec: section 8.7, POL-1 to POL-10.

Members vote it (that is another matter); every decision names it by the hash of its bytes. It holds
all the numbers that scoring needs, so a decision can be recomputed from the policy and the records
alone. Fields that this version does not know are part of the id, and otherwise ignored.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, cast

from mycelia_protocol.crypto import POLICY, digest
from mycelia_protocol.encoding import Value, decode, encode
from mycelia_protocol.errors import SchemaError
from mycelia_protocol.limits import (
    CARBON_FACTOR_MAX,
    GRAMS_MAX,
    ID_SIZE,
    INT_MAX,
    METRES_MAX,
    NAME_SIZE_MAX,
    POLICY_ROWS_MAX,
    POLICY_SIZE_MAX,
    QUANTITY_MAX,
    SECONDS_MAX,
    SUM_MAX,
)
from mycelia_protocol.sharing.categories import UNITS, group_of, is_code

FACTORS: Final = ("urgency", "equity", "ecology", "proximity", "waiting", "fill")
URGENCIES: Final = ("now", "days", "week", "anytime")
MODES: Final = ("score", "lottery", "two-choices")
FLOORS: Final = ("urgent", "ecology")
ANYTHING: Final = "*"  # in a table: any category
UNKNOWN_CARRIER: Final = "unknown"
VERSION: Final = 1

# Whole numbers of the document: name -> (least, most).
NUMBERS: Final[dict[str, tuple[int, int]]] = {
    "epoch": (0, INT_MAX),
    "ecology_floor_pm": (0, 1_000),
    "distance_max_m": (1, METRES_MAX),
    "distance_unknown_m": (0, METRES_MAX),
    "carbon_cap_mg": (1, SUM_MAX),
    "rescue_horizon_s": (1, SECONDS_MAX),
    "waiting_cap_s": (1, SECONDS_MAX),
    "window_s": (1, SECONDS_MAX),
    "now_max": (0, QUANTITY_MAX),
}
LETTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyz-")
CARRIER_SIZE_MAX: Final = 24  # characters, as the name of a kind

Table = Mapping[tuple[str, str], int]


@dataclass(frozen=True, slots=True)
class Policy:
    """A checked policy.

    Attributes:
        id: H("policy", its bytes).
        previous: id of the policy before, None at epoch 0.
        mode: `score`, `lottery` or `two-choices`.
        weights: by `FACTORS`, 0 to 1000 each, 1000 together.
        urgency: the factor of each urgency class, 0 to 1000.
        floors: who goes first whatever the score, in this order.
        ecology_floor_pm: share of what is given that ecosystems are to have, per mille.
        distance_max_m: farther requests are no candidates, and here proximity is 0.
        distance_unknown_m: what counts where a place is not known.
        carbon_cap_mg: mg CO2e per 1,000 base units at which that half of ecology is 0.
        rescue_horizon_s: an offer that lasts longer need not be rescued.
        waiting_cap_s: who has waited so long has waited enough.
        window_s: how long what somebody received counts.
        now_max: how many requests of one collective in a window count as `now`.
        carriers: mg CO2e per tonne and km of each carrier.
        masses: grams per 1,000 base units, by (category, group or *, unit).
        person_days: base units per person and day, likewise.
    """

    id: bytes
    name: str
    epoch: int
    previous: bytes | None
    mode: str
    weights: tuple[int, ...]
    urgency: Mapping[str, int]
    floors: tuple[str, ...]
    ecology_floor_pm: int
    distance_max_m: int
    distance_unknown_m: int
    carbon_cap_mg: int
    rescue_horizon_s: int
    waiting_cap_s: int
    window_s: int
    now_max: int
    carriers: Mapping[str, int]
    masses: Table
    person_days: Table

    def grams(self, category: str, unit: str) -> int:
        """Return the weight of 1,000 base units, in grams."""
        return lookup(self.masses, category, unit)

    def reference(self, category: str, unit: str) -> int:
        """Return how many base units one person needs for one day."""
        return lookup(self.person_days, category, unit)

    def milli_person_days(self, category: str, unit: str, quantity: int) -> int:
        """Return what a quantity is worth to people, so that unlike things add up."""
        return quantity * 1_000 // self.reference(category, unit)

    def carbon_factor(self, carrier: str) -> int:
        """Return the mg CO2e per tonne and km of a carrier; of one not listed, that of unknown."""
        return self.carriers.get(carrier, self.carriers[UNKNOWN_CARRIER])


def lookup(table: Table, category: str, unit: str) -> int:
    """Return the row of a table for a category, else for its group, else for anything."""
    for what in (category, group_of(category)):
        if (what, unit) in table:
            return table[what, unit]
    return table[ANYTHING, unit]


def policy_id(data: bytes) -> bytes:
    """Return the id of a policy: a hash over its bytes as they came (POL-10)."""
    return digest(POLICY, data)


def write_policy(document: Mapping[str, Value]) -> bytes:
    """Return the canonical bytes of a policy document, after checking that it is one.

    Raises:
        SchemaError: as `read_policy`.
    """
    data = encode(document)
    read_policy(data)
    return data


def read_policy(data: bytes) -> Policy:
    """Read and check a policy.

    Raises:
        EncodingError: the bytes are not canonical, or too many.
        SchemaError: a rule of section 8.7 is broken; the message names the field.
    """
    document = decode(data, size_max=POLICY_SIZE_MAX, maps=True)
    if not isinstance(document, dict):
        raise _fault("a policy is a map", 1)
    if type(version := _entry(document, "v")) is not int or version != VERSION:
        raise _fault(f"this is no policy of version {VERSION}", 2)
    numbers = {name: _whole(document, name, *bounds) for name, bounds in NUMBERS.items()}
    return Policy(
        id=policy_id(data),
        name=_name(document),
        epoch=numbers.pop("epoch"),
        previous=_previous(document),
        mode=_mode(document),
        weights=_weights(document),
        urgency=_urgency(document),
        floors=_floors(document),
        carriers=_carriers(document),
        masses=_table(document, "masses", 0, GRAMS_MAX),
        person_days=_table(document, "person_days", 1, QUANTITY_MAX),
        **numbers,
    )


def _fault(message: str, number: int) -> SchemaError:
    return SchemaError(message, requirement=f"POL-{number}")


def _entry(document: Mapping[str, Value], name: str) -> Value:
    if name not in document:
        raise _fault(f"{name} is missing", 1)
    return document[name]


def _whole(document: Mapping[str, Value], name: str, low: int, high: int) -> int:
    value = _entry(document, name)
    if type(value) is not int or not low <= value <= high:
        raise _fault(f"{name} is no integer from {low} to {high}", 1)
    return value


def _name(document: Mapping[str, Value]) -> str:
    name = _entry(document, "name")
    if not isinstance(name, str) or not 1 <= len(name) <= NAME_SIZE_MAX:
        raise _fault(f"name is no text of 1 to {NAME_SIZE_MAX} characters", 1)
    return name


def _previous(document: Mapping[str, Value]) -> bytes | None:
    previous = _entry(document, "previous")
    if previous is not None and (not isinstance(previous, bytes) or len(previous) != ID_SIZE):
        raise _fault(f"previous is neither nil nor {ID_SIZE} bytes", 1)
    if (previous is None) != (document["epoch"] == 0):
        raise _fault("previous is nil exactly at epoch 0", 3)
    return previous


def _mode(document: Mapping[str, Value]) -> str:
    mode = _entry(document, "mode")
    if not isinstance(mode, str) or mode not in MODES:
        raise _fault(f"mode is none of {', '.join(MODES)}", 4)
    return mode


def _weights(document: Mapping[str, Value]) -> tuple[int, ...]:
    weights = _per_mille(document, "weights", FACTORS, 5)
    if sum(weights) != 1_000:
        raise _fault(f"the weights sum to {sum(weights)}, not to 1000", 5)
    return weights


def _urgency(document: Mapping[str, Value]) -> Mapping[str, int]:
    values = _per_mille(document, "urgency", URGENCIES, 6)
    if list(values) != sorted(values, reverse=True):
        raise _fault("a less urgent class counts more than a more urgent one", 6)
    return dict(zip(URGENCIES, values, strict=True))


def _per_mille(
    document: Mapping[str, Value], name: str, keys: tuple[str, ...], number: int
) -> tuple[int, ...]:
    """Return the values of a map that has exactly these keys, each 0 to 1000."""
    found = _entry(document, name)
    if not isinstance(found, dict) or set(found) != set(keys):
        raise _fault(f"{name} is no map with exactly {', '.join(keys)}", number)
    values = [found[key] for key in keys]
    if not all(type(value) is int and 0 <= value <= 1_000 for value in values):
        raise _fault(f"{name} holds something else than integers from 0 to 1000", number)
    return tuple(cast("list[int]", values))


def _floors(document: Mapping[str, Value]) -> tuple[str, ...]:
    floors = _entry(document, "floors")
    if (
        not isinstance(floors, tuple)
        or not all(floor in FLOORS for floor in floors)
        or len(set(floors)) != len(floors)
    ):
        raise _fault(f"floors is no list of different ones of {', '.join(FLOORS)}", 7)
    return tuple(str(floor) for floor in floors)


def _carriers(document: Mapping[str, Value]) -> Mapping[str, int]:
    carriers = _entry(document, "carriers")
    if not isinstance(carriers, dict) or len(carriers) > POLICY_ROWS_MAX:
        raise _fault(f"carriers is no map of at most {POLICY_ROWS_MAX}", 8)
    if UNKNOWN_CARRIER not in carriers:
        raise _fault(f"carriers has no {UNKNOWN_CARRIER!r}", 8)
    for name, factor in carriers.items():
        if not 1 <= len(name) <= CARRIER_SIZE_MAX or not LETTERS.issuperset(name):
            raise _fault(f"carrier {name[:40]!r} is not 1 to {CARRIER_SIZE_MAX} of a-z and -", 8)
        if type(factor) is not int or not 0 <= factor <= CARBON_FACTOR_MAX:
            raise _fault(f"carrier {name}: no integer from 0 to {CARBON_FACTOR_MAX}", 8)
    return cast("dict[str, int]", carriers)


def _table(document: Mapping[str, Value], name: str, low: int, high: int) -> Table:
    """Return a table [[what, unit, value], ...]: in order, none twice, each unit with a * row."""
    rows = _entry(document, name)
    if not isinstance(rows, tuple) or len(rows) > POLICY_ROWS_MAX:
        raise _fault(f"{name} is no list of at most {POLICY_ROWS_MAX} rows", 9)
    table: dict[tuple[str, str], int] = {}
    for row in rows:
        match row:
            case (str(what), str(unit), int(value)) if type(value) is int:
                if not _is_subject(what) or unit not in UNITS or not low <= value <= high:
                    raise _fault(
                        f"{name}: a row is [code, group or *, unit, {low} to {high}],"
                        f" not {[what[:40], unit[:40], value]}",
                        9,
                    )
                table[what, unit] = value
            case _:
                raise _fault(f"{name}: a row is [what, unit, value]", 9)
    if list(table) != sorted(table) or len(table) != len(rows):
        raise _fault(f"{name}: rows are in order of what and unit, none twice", 9)
    for unit in UNITS:
        if (ANYTHING, unit) not in table:
            raise _fault(f"{name} has no row for {ANYTHING!r} in {unit!r}", 9)
    return table


def _is_subject(what: str) -> bool:
    """Return whether a row may speak of this: anything, a group, or a code."""
    return what == ANYTHING or is_code(what) or is_code(f"{what}.a")
