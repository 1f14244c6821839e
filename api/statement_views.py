"""What statements and their lines look like to those who read them."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Literal

from pydantic import BaseModel

from domain.rating import RatedLine
from domain.statement import resource_of
from domain.times import from_micros

QUANTITY_DECIMALS = Decimal("0.000000001")


class StatementView(BaseModel):
    """`open`: the period is not over, and what is told goes up to `until`.

    Each of the three sums adds up to `total`.
    """

    project_id: str
    period: str
    from_at: datetime
    until: datetime
    state: Literal["open", "complete"]
    price_book: str
    price_book_number: int
    currency: str
    total: Decimal
    lines: int
    by_resource: dict[str, Decimal]
    by_price: dict[str, Decimal]
    by_provider: dict[str, Decimal]


class LineView(BaseModel):
    """`quantity` × `unit_price`, rounded so that all lines add up to the total. `position` is that
    of the event by which the interval began that the line is for."""

    consumer_id: str
    position: int
    status: Literal["claim", "hold"]
    resource: str
    unit: str | None
    provider_id: str
    amount_held: int
    from_at: datetime
    to_at: datetime
    price: str
    per: str
    quantity: Decimal
    unit_price: Decimal
    amount: Decimal


def line_view(line: RatedLine) -> LineView:
    part = line.part
    quantity = Decimal(line.quantity.numerator) / Decimal(line.quantity.denominator)
    return LineView(
        consumer_id=line.held.consumer_id,
        position=line.held.position,
        status=line.held.status,
        resource=resource_of(line),
        unit=part.unit,
        provider_id=part.provider_id,
        amount_held=part.amount,
        from_at=from_micros(line.from_at),
        to_at=from_micros(line.to_at),
        price=part.price.name,
        per=part.price.per,
        quantity=quantity.quantize(QUANTITY_DECIMALS),
        unit_price=line.unit_price,
        amount=line.amount,
    )
