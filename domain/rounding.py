"""The one rule by which money is rounded: half up, to the currency's smallest unit, cumulatively.

Each amount is what the rounded running sum grows by. So rounded amounts add up to the rounded sum,
without a cent too much or too little; none is further than one smallest unit from its exact value;
and it makes no difference where the sum is cut in two.
"""

from __future__ import annotations

from decimal import Decimal

from domain.currency import scale_of


class Rounding:
    """Takes exact amounts in parts: so many of them (`denominator`) are one of the currency."""

    def __init__(self, currency: str, denominator: int) -> None:
        self._scale = scale_of(currency)
        self._factor = 2 * 10**self._scale
        self._denominator = denominator
        self._exact = 0
        self._rounded = 0

    def next(self, parts: int) -> Decimal:
        """The rounded amount of what comes next."""
        before = self._rounded
        self._exact += parts
        # floor(x + 1/2), as floor((2x + 1) / 2): whole numbers only.
        doubled = self._exact * self._factor + self._denominator
        self._rounded = doubled // (2 * self._denominator)
        return Decimal(self._rounded - before).scaleb(-self._scale)
