"""A price book: dated prices in one currency. Each publication is numbered and kept for ever, so
that a bill can name the one that it was made with."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from typing import Annotated, Any, ClassVar, Self

from pydantic import Field, model_validator

from domain.aggregate import Aggregate
from domain.currency import CurrencyCode
from domain.errors import NotFound
from domain.events import Event, Fact
from domain.price import MonthRule, Price, Status

MOST_AMOUNTS = 64
"""Different `amount`s in one book. Bills are exact, and each of these makes their common
denominator longer."""


class Prices(Fact):
    """All that a book says. A month's length is the book's: `calendar`, `730_hours`, `30_days`."""

    currency: CurrencyCode
    month_rule: MonthRule = "calendar"
    prices: Annotated[tuple[Price, ...], Field(min_length=1, max_length=10_000)]

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        amounts = {price.amount for price in self.prices}
        if len(amounts) > MOST_AMOUNTS:
            raise ValueError(f"prices are for {len(amounts)} amounts; {MOST_AMOUNTS} is the most")
        names = Counter(price.name for price in self.prices)
        if twice := [name for name, count in names.items() if count > 1]:
            raise ValueError(f"two prices are called {twice[0]!r}")
        for one, other in _meeting(self.prices):
            raise ValueError(
                f"{one.name!r} and {other.name!r} price the same things at the same time"
            )
        return self


class PriceBookPublished(Event):
    """The book says this from now on. `number` counts its publications, from 1."""

    TOPIC: ClassVar[str] = "price_book.published"
    number: int
    prices: Prices


class PriceBook(Aggregate):
    CATEGORY: ClassVar[str] = "price_book"
    __slots__ = ("published",)

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self.published: list[PriceBookPublished] = []

    def _evolve(self, event: Any) -> None:
        self.published.append(event)

    def publish(self, at: datetime, prices: Prices) -> list[Event]:
        """Publishing again what it says already writes nothing."""
        if self.published and self.published[-1].prices == prices:
            return []
        number = len(self.published) + 1
        return [self._next(PriceBookPublished, at, number=number, prices=prices)]

    def publication(self, number: int | None = None) -> PriceBookPublished:
        """The newest, or the one with this number. Raises NotFound."""
        if not self.published:
            raise NotFound("price_book_not_found", f"there is no price book {self.id}")
        if number is None:
            return self.published[-1]
        if not 1 <= number <= len(self.published):
            raise NotFound(
                "price_book_not_found", f"price book {self.id} has no publication {number}"
            )
        return self.published[number - 1]


def _meeting(prices: tuple[Price, ...]) -> Iterator[tuple[Price, Price]]:
    """Prices of the same thing whose times of validity meet: in order, neighbours tell."""
    same: dict[tuple[str, Status], list[Price]] = defaultdict(list)
    for price in prices:
        for status in price.applies_to:
            same[price.target.model_dump_json(), status].append(price)
    for group in same.values():
        in_order = sorted(group, key=lambda price: price.valid_from or _EVER)
        for before, after in pairwise(in_order):
            ends, begins = before.valid_until, after.valid_from
            if ends is None or begins is None or begins < ends:
                yield before, after


_EVER = datetime.min.replace(tzinfo=UTC)
