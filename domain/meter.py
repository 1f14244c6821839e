"""Meters: how much of each price a project has used in a month, and what the next of it costs.

All in whole numbers with one denominator for the month, so nothing is rounded and nothing is slow:
fractions would be reduced again and again.
"""

from __future__ import annotations

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
    """`below` is where the next one begins, in parts; `cost` is that of one part."""

    below: int | None
    cost: int
    unit_price: Decimal


class Meter:
    """One price in one month. A quantity of 1 is counted as `_one` parts."""

    def __init__(self, price: Price, whole: int, weight: int) -> None:
        self._one = whole * QUANTITY_PARTS
        self._used = 0
        free = price.free_quantity
        tiers = [(Decimal(0), Decimal(0))] if free else []
        tiers += [(tier.above + free, tier.price) for tier in price.tiers]
        bounds = [int(above * QUANTITY_PARTS) * whole for above, _ in tiers[1:]]
        self._tiers = [
            _Tier(below, int(cost * MONEY_PARTS) * weight, cost)
            for below, (_, cost) in zip([*bounds, None], tiers, strict=True)
        ]
        self._place = 0

    def use(self, amount: int, time: Micros) -> list[Metered]:
        """`amount` more for so long: a part for each tier that it lies in."""
        until = self._used + amount * time * QUANTITY_PARTS
        metered: list[Metered] = []
        while self._used < until:
            below, cost, unit_price = self._tiers[self._place]
            end = until if below is None else min(until, below)
            parts = end - self._used
            metered.append(Metered(parts, self._one, unit_price, parts * cost))
            self._used = end
            if end == below:
                self._place += 1
        return metered


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
