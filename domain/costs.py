"""What a project has to pay over time: for each step of a stretch of time, by price.

What a price costs between two moments is a difference of two sums since the month began (see
`domain/rating.py`), so it is enough to know how much of it was used in each step: no line is made,
and an interval counts once, however many steps it spans. What a step costs is, to the last digit,
the total of the bill for that step.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from domain.billing_time import Micros, Month, month_of, months
from domain.held import Held
from domain.meter import Meters
from domain.price import FlavorTarget, Price
from domain.price_book import Prices
from domain.price_list import PriceList
from domain.rating import charged_pieces
from domain.rounding import Rounding
from domain.steps import Edges, StepSums


@dataclass(frozen=True, slots=True)
class PriceCosts:
    """One price's amounts, one for each step; they are in the currency's smallest unit."""

    price: Price
    amounts: Sequence[Decimal]

    @property
    def resource(self) -> str:
        """What is priced: a class, or `flavor NAME`; as a statement names it."""
        target = self.price.target
        return (
            f"flavor {target.name}" if isinstance(target, FlavorTarget) else target.resource_class
        )


def costs_of(held: Iterable[Held], prices: Prices, edges: Edges) -> list[PriceCosts]:
    """The prices that were used, in the book's order. Raises Conflict where there is no price.

    No step may reach over the end of a month. `held` is all that the project held since the
    beginning of the first month, in any order.
    """
    start = month_of(edges[0]).start
    since = [start, *edges] if start < edges[0] else list(edges)
    used: dict[str, StepSums] = {}
    for piece in charged_pieces(
        sorted(held, key=_order), PriceList(prices.prices), start, edges[-1]
    ):
        sums = used.get(piece.part.price.name)
        if sums is None:
            sums = used[piece.part.price.name] = StepSums(since)
        sums.add(piece.part.amount, piece.from_at, piece.to_at)
    listed = [price for price in prices.prices if price.name in used]
    amounts = _amounts(listed, {name: sums.sums() for name, sums in used.items()}, prices, since)
    skipped = len(since) - len(edges)
    return [PriceCosts(price, amounts[price.name][skipped:]) for price in listed]


def _amounts(
    listed: Sequence[Price], used: dict[str, list[int]], prices: Prices, edges: Edges
) -> dict[str, list[Decimal]]:
    """By price: within each month through its tiers, and rounded so that the step adds up."""
    found: dict[str, list[Decimal]] = {price.name: [] for price in listed}
    steps = iter(enumerate(pairwise(edges)))
    step = next(steps, None)
    for month in months(edges[0], edges[-1]):
        meters = Meters(prices, month)
        rounding = Rounding(prices.currency, meters.denominator)
        while step is not None and step[1][0] < month.end:
            _require_within(month, step[1][1])
            for price in listed:
                used_now = meters.of(price).use(1, used[price.name][step[0]])
                found[price.name].append(rounding.next(sum(part.cost for part in used_now)))
            step = next(steps, None)
    return found


def _require_within(month: Month, end: Micros) -> None:
    if end > month.end:
        raise ValueError("a step reaches over the end of a month")


def _order(one: Held) -> tuple[Micros, int]:
    return one.from_at, one.position
