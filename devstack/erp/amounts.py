"""Exact numbers for answers.

Amounts are whole units inside the simulator (cents, thousandths of a quantity, millionths of an
included tax) and become JSON numbers here. Nothing passes through a float, so an answer never
shows 20.800000000000001.
"""

from decimal import Decimal
from functools import lru_cache

Number = int | Decimal


@lru_cache(maxsize=65_536)
def scaled(units: int, places: int) -> Number:
    """Return `units` / 10^places: an int when it is whole, else without trailing zeros."""
    whole: int = 10**places
    if units % whole == 0:
        return units // whole
    return Decimal(units).scaleb(-places).normalize()


def money(cents: int) -> Number:
    """Return an amount of cents as the ERP writes it: 119.9, not 119.90; 10, not 10.0."""
    return scaled(cents, 2)


def rounded(numerator: int, denominator: int) -> int:
    """Divide two whole numbers, halves away from zero, as tax authorities do."""
    size = (2 * abs(numerator) + denominator) // (2 * denominator)
    return size if numerator >= 0 else -size
