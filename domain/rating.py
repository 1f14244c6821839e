"""Rating: from what a project held to the lines of its bill. A pure function of both, exact.

Quantities and amounts are fractions; money is rounded in one place (`domain/rounding.py`).

A project's bill is made month by month (calendar months in UTC). Within a month, a price's tiers
and its free quantity count what the project used since the month began. So what is charged between
two moments of a month depends only on the sums up to each of them: bills of adjoining periods add
up to the bill of both, wherever they meet.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

from domain.billing_time import SECOND, Micros, Month, length_of, months
from domain.held import Held
from domain.price import MonthRule, Price
from domain.price_book import Prices
from domain.price_list import PriceList
from domain.rated_parts import Part, parts_of
from domain.rounding import Rounding


@dataclass(frozen=True, slots=True)
class RatedLine:
    """`quantity` is in the price's units: (amount / price.amount) × (time / price.per)."""

    held: Held
    part: Part
    from_at: Micros
    to_at: Micros
    quantity: Fraction
    unit_price: Decimal
    exact: Fraction
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Bill:
    """`total` is the sum of the lines' amounts."""

    currency: str
    start: Micros
    end: Micros
    lines: tuple[RatedLine, ...]
    total: Decimal


def rate(held: Iterable[Held], prices: Prices, start: Micros, end: Micros) -> Bill:
    """The bill for start <= time < end of one project. Raises Conflict where there is no price.

    `held` is all that the project held since the beginning of the first month, in any order.
    """
    in_order = sorted(held, key=lambda one: (one.from_at, one.position))
    rated = PriceList(prices.prices)
    lines: list[RatedLine] = []
    for month in months(start, end):
        rating = _MonthRating(prices, month)
        rating.count(_cut(in_order, rated, month.start, max(start, month.start)))
        pieces = _cut(in_order, rated, max(start, month.start), min(end, month.end))
        lines += rating.lines(pieces)
    total = sum((line.amount for line in lines), Decimal(0))
    return Bill(prices.currency, start, end, tuple(lines), total)


@dataclass(frozen=True, slots=True)
class _Piece:
    """A part of what is held, at one price, between two moments."""

    held: Held
    part: Part
    from_at: Micros
    to_at: Micros


def _cut(
    in_order: Iterable[Held], prices: PriceList, start: Micros, end: Micros
) -> Iterator[_Piece]:
    """All that is charged from `start` to `end`, cut where a price begins or ends."""
    for held in in_order:
        if held.from_at >= end:
            return
        until = end if held.to_at is None else min(end, held.to_at)
        if until > start:
            for from_at, to_at in pairwise(prices.cuts(max(start, held.from_at), until)):
                for part in parts_of(held, prices, from_at) if to_at > from_at else ():
                    yield _Piece(held, part, from_at, to_at)
        if held.ends_claim and held.to_at is not None:
            yield from _up_to_minimum(held, held.to_at, prices, start, end)


def _up_to_minimum(
    held: Held, ended: Micros, prices: PriceList, start: Micros, end: Micros
) -> Iterator[_Piece]:
    """What a claim that ended early is charged on, at the prices at which it ended."""
    if held.claimed_at + prices.longest_minimum <= max(start, ended) or ended >= end:
        return
    for part in parts_of(held, prices, max(held.from_at, ended - 1)):
        until = min(end, held.claimed_at + part.price.minimum_seconds * SECOND)
        if until > max(start, ended):
            yield _Piece(held, part, max(start, ended), until)


class _MonthRating:
    """How much of each price a project has used in a month so far, and what that costs."""

    def __init__(self, prices: Prices, month: Month) -> None:
        self._rule: MonthRule = prices.month_rule
        self._month = month
        self._used: dict[str, Fraction] = defaultdict(Fraction)
        self._rounding = Rounding(prices.currency)

    def count(self, pieces: Iterable[_Piece]) -> None:
        """What was used before the period begins: charged before, but the tiers have seen it."""
        deque(self.lines(pieces), maxlen=0)

    def lines(self, pieces: Iterable[_Piece]) -> Iterator[RatedLine]:
        for piece in pieces:
            for quantity, unit_price, exact in self._tiered(piece):
                yield RatedLine(
                    held=piece.held,
                    part=piece.part,
                    from_at=piece.from_at,
                    to_at=piece.to_at,
                    quantity=quantity,
                    unit_price=unit_price,
                    exact=exact,
                    amount=self._rounding.next(exact),
                )

    def _tiered(self, piece: _Piece) -> Iterator[tuple[Fraction, Decimal, Fraction]]:
        """The piece's quantity, a part for each tier that it lies in, and what each costs."""
        price = piece.part.price
        length = length_of(price.per, self._rule, self._month)
        time = piece.to_at - piece.from_at
        quantity = Fraction(piece.part.amount * time, price.amount * length)
        used = self._used[price.name]
        self._used[price.name] = used + quantity
        for part, unit_price in _by_tier(price, used, quantity):
            yield part, unit_price, part * Fraction(unit_price)


def _by_tier(
    price: Price, used: Fraction, quantity: Fraction
) -> Iterator[tuple[Fraction, Decimal]]:
    """`quantity` more after `used`, cut where a tier ends."""
    free = Fraction(price.free_quantity)
    bounds = [(Fraction(tier.above) + free, tier.price) for tier in price.tiers]
    if free:
        bounds.insert(0, (Fraction(0), Decimal(0)))
    until = used + quantity
    for place, (above, unit_price) in enumerate(bounds):
        below = bounds[place + 1][0] if place + 1 < len(bounds) else until
        part = min(until, below) - max(used, above)
        if part > 0:
            yield part, unit_price
