"""Amounts between people and records: exact, or refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mycelia_node.quantity import QUANTITY_MAX, QuantityError, format_quantity, parse_quantity

BASES = ("1", "W.h", "g", "mL", "min")


@pytest.mark.parametrize(
    ("amount", "unit", "expected", "shown"),
    [
        ("200", "L", (200_000, "mL"), "200 L"),
        ("0.25", "l", (250, "mL"), "250 mL"),
        ("2.5", "kg", (2_500, "g"), "2.5 kg"),
        ("1", "t", (1_000_000, "g"), "1000 kg"),
        ("1.5", "h", (90, "min"), "1.5 h"),
        ("61", "min", (61, "min"), "61 min"),
        ("2", "days", (2_880, "min"), "48 h"),
        ("3", "kWh", (3_000, "W.h"), "3 kWh"),
        ("12", "pieces", (12, "1"), "12 x"),
        ("12", "1", (12, "1"), "12 x"),
        ("1e3", "g", (1_000, "g"), "1 kg"),
        ("1_000", "g", (1_000, "g"), "1 kg"),
    ],
)
def test_amounts_that_people_type(
    amount: str, unit: str, expected: tuple[int, str], shown: str
) -> None:
    """Human units become whole base units and come back readable."""
    assert parse_quantity(amount, unit) == expected
    assert format_quantity(*expected) == shown


@pytest.mark.parametrize(
    ("amount", "unit", "said"),
    [
        ("0.5", "pieces", "whole number of pieces"),
        ("0.0001", "kg", "whole number of g"),
        ("1.234567", "L", "whole number of mL"),
        ("1." + "0" * 40 + "1", "kg", "whole number of g"),
        ("1", "lb", "Unknown unit"),
        ("1", "Kg", "'kg'"),
        ("lots", "L", "not a number"),
        ("", "L", "not a number"),
        ("0", "L", "out of range"),
        ("-1", "L", "out of range"),
        ("nan", "L", "out of range"),
        ("inf", "L", "out of range"),
        ("1e12", "L", "out of range"),
        ("1e999999", "L", "out of range"),
    ],
)
def test_amounts_that_are_refused(amount: str, unit: str, said: str) -> None:
    """What can't be kept exactly is an error that says why; nothing is rounded."""
    with pytest.raises(QuantityError) as caught:
        parse_quantity(amount, unit)
    assert said in str(caught.value)


@given(st.integers(1, QUANTITY_MAX), st.sampled_from(BASES))
def test_what_is_shown_can_be_typed(quantity: int, base: str) -> None:
    """Every amount in a record reads back, from what is shown of it, as itself."""
    amount, unit = format_quantity(quantity, base).split(" ")
    assert parse_quantity(amount, unit) == (quantity, base)
