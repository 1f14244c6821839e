"""Meters: how much of each price a project has used in a month, and what the next of it costs.

All in whole numbers with one denominator for the month, so nothing is rounded and nothing is slow:
fractions would be reduced again and again.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from math import lcm
from typing import NamedTuple

from domain.billing_time import Micros, Month, length_of
from domain.price import Price
from domain.price_book import Prices

QUANTITY_PARTS = 10**6
"""Bounds of tiers have at most six decimals,"""
MONEY_PARTS = 10**12
"""and prices twelve."""


class Metered(NamedTuple):
    """A part of what was used, in one tier.

    The quantity is `parts` / `one`; the cost counts parts of `Meters.denominator`.
    """

    parts: int
    one: int
    unit_price: Decimal
    cost: int


class _Tier(NamedTuple):
    above: int
    price: int
    unit_price: Decimal


class Meter:
    """One price in one month. A quantity of 1 is counted as `_one` parts."""

    def __init__(self, price: Price, whole: int, weight: int) -> None:
        self._one = whole * QUANTITY_PARTS
        self._weight = weight
        self._used = 0
        free = price.free_quantity
        tiers = [(Decimal(0), Decimal(0))] if free else []
        tiers += [(tier.above + free, tier.price) for tier in price.tiers]
        self._tiers = [
            _Tier(int(above * QUANTITY_PARTS) * whole, int(cost * MONEY_PARTS), cost)
            for above, cost in tiers
        ]

    def use(self, amount: int, time: Micros) -> Iterator[Metered]:
        """`amount` more for so long: a part for each tier that it lies in."""
        used = self._used
        until = self._used = used + amount * time * QUANTITY_PARTS
        for place, tier in enumerate(self._tiers):
            is_last = place + 1 == len(self._tiers)
            below = until if is_last else min(until, self._tiers[place + 1].above)
            parts = below - max(used, tier.above)
            if parts > 0:
                cost = parts * self._weight * tier.price
                yield Metered(parts, self._one, tier.unit_price, cost)


class Meters:
    """Those of all prices of a book, for one project and month."""

    def __init__(self, prices: Prices, month: Month) -> None:
        wholes = {
            price.name: price.amount * length_of(price.per, prices.month_rule, month)
            for price in prices.prices
        }
        common = lcm(*wholes.values())
        self.denominator = common * QUANTITY_PARTS * MONEY_PARTS
        self._meters = {
            price.name: Meter(price, wholes[price.name], common // wholes[price.name])
            for price in prices.prices
        }

    def of(self, price: Price) -> Meter:
        return self._meters[price.name]
