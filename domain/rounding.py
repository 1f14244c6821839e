"""The one rule by which money is rounded: half up, to the currency's smallest unit, cumulatively.

Each amount is what the rounded running sum grows by. So rounded amounts add up to the rounded sum,
without a cent too much or too little; none is further than one smallest unit from its exact value;
and it makes no difference where the sum is cut in two.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from domain.currency import scale_of

HALF = Fraction(1, 2)


class Rounding:
    def __init__(self, currency: str) -> None:
        self._scale = scale_of(currency)
        self._factor = 10**self._scale
        self._exact = Fraction(0)
        self._rounded = 0

    def next(self, exact: Fraction) -> Decimal:
        """The rounded amount of what comes next."""
        before = self._rounded
        self._exact += exact
        self._rounded = int(self._exact * self._factor + HALF)
        return Decimal(self._rounded - before).scaleb(-self._scale)
