"""Rating: from what a project held to the lines of its bill. A pure function of both, exact.

Quantities and costs are exact (`domain/meter.py`); money is rounded in one place only
(`domain/rounding.py`).

A project's bill is made month by month (calendar months in UTC). Within a month, a price's tiers
and its free quantity count what the project used since the month began. So what is charged between
two moments of a month depends only on the sums up to each of them: bills of adjoining periods add
up to the bill of both, wherever they meet.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

from domain.billing_time import SECOND, Micros, Month, month_of, months
from domain.held import Held
from domain.meter import Meters
from domain.price_book import Prices
from domain.price_list import PriceList
from domain.rated_parts import Part, parts_of
from domain.rounding import Rounding

RATING = 1
"""The version of the rules: raised with every change by which a bill could become another one, as
closed statements name the rules that they were made by."""


class RatedLine(NamedTuple):
    """The quantity is in the price's units: (amount / price.amount) × (time / price.per). It is
    kept as `parts` of `one`, as few of those who make lines ever look at it."""

    held: Held
    part: Part
    from_at: Micros
    to_at: Micros
    parts: int
    one: int
    unit_price: Decimal
    amount: Decimal

    @property
    def quantity(self) -> Fraction:
        return Fraction(self.parts, self.one)

    @property
    def exact(self) -> Fraction:
        """The amount before it was rounded."""
        return self.quantity * Fraction(self.unit_price)


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

    `held` is all that the project held from `needed_since` on, in any order.
    """
    in_order = sorted(held, key=lambda one: (one.from_at, one.position))
    rated = PriceList(prices.prices)
    lines: list[RatedLine] = []
    for month in months(start, end):
        rating = _MonthRating(prices, month)
        rating.count(charged_pieces(in_order, rated, month.start, max(start, month.start)))
        pieces = charged_pieces(in_order, rated, max(start, month.start), min(end, month.end))
        lines += rating.lines(pieces)
    total = sum((line.amount for line in lines), Decimal(0))
    return Bill(prices.currency, start, end, tuple(lines), total)


def needed_since(prices: Prices, start: Micros) -> Micros:
    """From when on a bill that begins at `start` has to know what was held: tiers count from the
    beginning of the month."""
    return charged_since(prices, month_of(start).start)


def charged_since(prices: Prices, start: Micros) -> Micros:
    """From when on something was held that can be charged from `start` on: a claim may be charged
    for some time after its end."""
    return start - PriceList(prices.prices).longest_minimum


class Piece(NamedTuple):
    """A part of what is held, at one price, between two moments."""

    held: Held
    part: Part
    from_at: Micros
    to_at: Micros


def charged_pieces(
    in_order: Iterable[Held], prices: PriceList, start: Micros, end: Micros
) -> Iterator[Piece]:
    """All that is charged from `start` to `end`, cut where a price begins or ends."""
    for held in in_order:
        if held.from_at >= end:
            return
        until = end if held.to_at is None else min(end, held.to_at)
        if until > start:
            for from_at, to_at in pairwise(prices.cuts(max(start, held.from_at), until)):
                for part in parts_of(held, prices, from_at) if to_at > from_at else ():
                    yield Piece(held, part, from_at, to_at)
        if held.ends_claim and held.to_at is not None:
            yield from _up_to_minimum(held, held.to_at, prices, start, end)


def _up_to_minimum(
    held: Held, ended: Micros, prices: PriceList, start: Micros, end: Micros
) -> Iterator[Piece]:
    """What a claim that ended early is charged on, at the prices at which it ended."""
    if held.claimed_at + prices.longest_minimum <= max(start, ended) or ended >= end:
        return
    for part in parts_of(held, prices, max(held.from_at, ended - 1)):
        until = min(end, held.claimed_at + part.price.minimum_seconds * SECOND)
        if until > max(start, ended):
            yield Piece(held, part, max(start, ended), until)


class _MonthRating:
    """How much of each price a project has used in a month so far, and what that costs."""

    def __init__(self, prices: Prices, month: Month) -> None:
        self._meters = Meters(prices, month)
        self._rounding = Rounding(prices.currency, self._meters.denominator)

    def count(self, pieces: Iterable[Piece]) -> None:
        """What was used before the period begins: charged before, but the tiers have seen it."""
        deque(self.lines(pieces), maxlen=0)

    def lines(self, pieces: Iterable[Piece]) -> Iterator[RatedLine]:
        for held, part, from_at, to_at in pieces:
            meter = self._meters.of(part.price)
            for parts, one, unit_price, cost in meter.use(part.amount, to_at - from_at):
                amount = self._rounding.next(cost)
                yield RatedLine(held, part, from_at, to_at, parts, one, unit_price, amount)
