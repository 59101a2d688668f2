"""Taka: `Decimal` with two places inside, a JSON number outside (D25)."""

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Final

CURRENCY: Final = "BDT"
CENT: Final = Decimal("0.01")
ZERO: Final = Decimal("0.00")


def taka(value: Decimal | int | str) -> Decimal:
    """`value` in BDT with exactly two decimals, halves rounded up.

    Raises:
        ValueError: not a finite number. A float is refused by type, never rounded.
    """
    if isinstance(value, float):
        raise TypeError("Money is never a float.")
    try:
        amount = Decimal(value)
        if not amount.is_finite():
            raise ValueError(f"Not an amount: {value!r}")
        return amount.quantize(CENT, rounding=ROUND_HALF_UP)
    except InvalidOperation as exc:
        raise ValueError(f"Not an amount: {value!r}") from exc
