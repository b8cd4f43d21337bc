"""Policies: six to begin with, tables that always answer, ids over the bytes as they came."""

import pytest

from mycelia_protocol.encoding import Value, encode
from mycelia_protocol.errors import EncodingError, SchemaError
from mycelia_protocol.limits import POLICY_SIZE_MAX
from mycelia_protocol.sharing.baselines import BASELINES, baseline, document
from mycelia_protocol.sharing.categories import CATEGORIES, UNITS
from mycelia_protocol.sharing.policy import FACTORS, read_policy, write_policy
from mycelia_protocol.types.things import UNITS as RECORD_UNITS


def test_there_are_six_baselines() -> None:
    """All six are valid, differ, and share their scales."""
    assert set(BASELINES) == {
        *("fifo", "nearest", "lottery", "two_choices", "mechanical", "balanced"),
    }
    assert len({baseline(name).id for name in BASELINES}) == 6
    assert len({baseline(name).name for name in BASELINES}) == 6
    for name in BASELINES:
        policy = baseline(name)
        assert (policy.epoch, policy.previous) == (0, None)
        assert policy.person_days == baseline("balanced").person_days
        assert sum(policy.weights) == 1_000
        assert len(policy.weights) == len(FACTORS)


def test_units_are_those_of_records() -> None:
    """The units of tables and categories are the units of records."""
    assert UNITS == RECORD_UNITS


def test_tables_answer_for_everything() -> None:
    """Every category in every unit has a weight and a reference, the special before the general."""
    policy = baseline("balanced")
    for code in (*(category.code for category in CATEGORIES), "music.strings"):
        for unit in UNITS:
            assert policy.grams(code, unit) >= 0
            assert policy.reference(code, unit) >= 1
    assert policy.reference("food.dry", "g") == 600
    assert policy.reference("food.fresh", "g") == 1_500
    general: list[Value] = [["*", unit, 1_500] for unit in UNITS]
    rows: list[Value] = [*general, ["food", "g", 900], ["food.dry", "g", 600]]
    changed = read_policy(write_policy({**document("balanced"), "person_days": rows}))
    assert changed.reference("food.dry", "g") == 600
    assert changed.reference("food.fresh", "g") == 900
    assert changed.reference("care.infant", "g") == 1_500


def test_unlike_things_add_up() -> None:
    """15 L of water, 600 g of dry food and three meals are a person-day each."""
    policy = baseline("balanced")
    assert policy.milli_person_days("food.water", "mL", 15_000) == 1_000
    assert policy.milli_person_days("food.dry", "g", 600) == 1_000
    assert policy.milli_person_days("food.meal", "1", 3) == 1_000
    assert policy.milli_person_days("food.meal", "1", 1) == 333


def test_an_unknown_carrier_counts_as_unknown() -> None:
    """A carrier that the policy does not list has the factor of `unknown`."""
    policy = baseline("balanced")
    assert policy.carbon_factor("bicycle") == 0
    assert policy.carbon_factor("airship") == policy.carriers["unknown"] > 0


def test_the_id_covers_fields_of_later_versions() -> None:
    """A field that this version ignores changes the id and nothing else."""
    plain = document("fifo")
    more = read_policy(write_policy({**plain, "electorate": [bytes(32)]}))
    assert more.id != baseline("fifo").id
    assert more.weights == baseline("fifo").weights


def test_a_policy_that_is_none_is_not_written() -> None:
    """Writing checks as reading does, and both bound the size."""
    with pytest.raises(SchemaError):
        write_policy({**document("fifo"), "weights": {}})
    with pytest.raises(EncodingError):
        write_policy({**document("fifo"), "note": "n" * POLICY_SIZE_MAX})
    with pytest.raises(EncodingError):
        read_policy(encode(document("fifo")) + b"\0")
