"""Quantities between people and records: `200 L` <-> 200,000 mL, exactly or not at all.

A record holds an integer in one base unit per dimension (spec section 7.1.3). Amounts that are no
whole number of base units are refused, never rounded.
"""

from collections.abc import Sequence
from decimal import Decimal, Inexact, InvalidOperation, Overflow, localcontext
from math import gcd

from mycelia_node.errors import NodeError
from mycelia_node.nearest import hint

# Unit -> (base unit, base units in one, whether it is shown to people). Largest first by base.
UNITS: dict[str, tuple[str, Decimal, bool]] = {
    "t": ("g", Decimal(1_000_000), False),
    "kg": ("g", Decimal(1_000), True),
    "g": ("g", Decimal(1), True),
    "m3": ("mL", Decimal(1_000_000), False),
    "L": ("mL", Decimal(1_000), True),
    "mL": ("mL", Decimal(1), True),
    "MWh": ("W.h", Decimal(1_000_000), False),
    "kWh": ("W.h", Decimal(1_000), True),
    "Wh": ("W.h", Decimal(1), True),
    "d": ("min", Decimal(1_440), False),
    "h": ("min", Decimal(60), True),
    "min": ("min", Decimal(1), True),
    "pieces": ("1", Decimal(1), True),
}
ALIASES = {
    "l": "L",
    "ml": "mL",
    "kwh": "kWh",
    "wh": "Wh",
    "W.h": "Wh",
    "hours": "h",
    "hour": "h",
    "minutes": "min",
    "days": "d",
    "piece": "pieces",
    "pcs": "pieces",
    "x": "pieces",
    "1": "pieces",
}
QUANTITY_MAX = 1_000_000_000  # base units; spec section 3


class QuantityError(NodeError):
    """An amount that can't be written exactly."""

    code_default = "quantity"


def parse_quantity(amount: str, unit: str) -> tuple[int, str]:
    """Return (base units, base unit) of an amount that a person typed.

    Raises:
        QuantityError: no number, an unknown unit, not a whole number of base units, out of range.
    """
    name = ALIASES.get(unit, unit)
    if name not in UNITS:
        raise QuantityError(f"Unknown unit {unit!r}.", hint(unit, [*UNITS, *ALIASES]))
    base, factor, _ = UNITS[name]
    try:
        number = Decimal(amount.replace("_", ""))
    except InvalidOperation:
        raise QuantityError(f"{amount!r} is not a number.", "Write it like 200 or 2.5.") from None
    with localcontext() as context:
        context.traps[Inexact] = True
        try:
            scaled = number * factor
            is_whole = scaled.is_finite() and scaled == scaled.to_integral_value()
        except Overflow:
            scaled, is_whole = Decimal("Infinity"), False
        except Inexact:
            scaled, is_whole = number, False
    if not scaled.is_finite() or not 0 < scaled <= QUANTITY_MAX:
        raise QuantityError(
            f"{amount} {unit} is out of range.",
            f"Amounts are more than 0 and at most {format_quantity(QUANTITY_MAX, base)}.",
        )
    if not is_whole:
        raise QuantityError(
            f"{amount} {unit} is not a whole number of {base if base != '1' else 'pieces'}.",
            "Amounts are kept exactly, so use fewer decimals.",
        )
    return int(scaled), base


def format_quantity(quantity: int, base: str) -> str:
    """Return an amount for people, exact: in the largest unit that needs at most three decimals."""
    (number,), unit = split_quantities((quantity,), base)
    return f"{number} {'x' if unit == 'pieces' else unit}"


def split_quantities(quantities: Sequence[int], base: str) -> tuple[list[str], str]:
    """Return numbers and their unit, exact, as `parse_quantity` reads them.

    The unit is the largest in which what divides them all needs at most three decimals.
    """
    divisor = gcd(*quantities)
    for name, (unit, factor, is_shown) in UNITS.items():
        if unit != base or not is_shown or divisor < factor:
            continue
        number = divisor / factor
        if number * factor == divisor and -int(number.as_tuple().exponent) <= 3:
            return [f"{(each / factor).normalize():f}" for each in quantities], name
    return [str(each) for each in quantities], base
