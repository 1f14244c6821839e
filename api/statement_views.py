"""What statements, their charges and their lines look like to those who read them."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from domain.proof import Checkpoint
from domain.rating import RatedLine
from domain.statement import resource_of
from domain.times import from_micros
from projections.statements import ChargeRow

QUANTITY_DECIMALS = Decimal("0.000000001")
State = Literal["open", "complete", "closed", "corrected"]


class ChargeView(BaseModel):
    """What was charged for a closed statement, or charged anew; a correction takes the charge
    before it back by `credit`. `recorded_position` is that of the event that says so."""

    number: int
    recorded_at: datetime
    recorded_position: int
    price_book_number: int
    position: int
    rating: int
    currency: str
    credit: Decimal | None
    total: Decimal
    lines: int
    digest: str
    reason: str | None


class StatementView(BaseModel):
    """`open`: the period is not over, and what is told goes up to `until`. `complete`: it is over.
    `closed`, `corrected`: it was charged; what is told is `charge` of the `charges`.

    Each of the three sums adds up to `total`. The bill follows from the log up to `position`, the
    price book's publication and the version of the rating rules; `digest` is that of its lines.
    """

    project_id: str
    period: str
    from_at: datetime
    until: datetime
    state: State
    price_book: str
    price_book_number: int
    currency: str
    total: Decimal
    lines: int
    by_resource: dict[str, Decimal]
    by_price: dict[str, Decimal]
    by_provider: dict[str, Decimal]
    position: int
    rating: int
    digest: str
    charge: int | None
    charges: list[ChargeView]
    checkpoint: Annotated[
        Checkpoint | None,
        Field(description="The first that seals `position`; null until the log is sealed so far."),
    ]


class LineView(BaseModel):
    """`quantity` × `unit_price`, rounded so that all lines add up to the total. `number` is the
    line's place in the bill; `position` is that of the event by which the interval began."""

    number: int
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


def charge_view(row: ChargeRow) -> ChargeView:
    return ChargeView(
        number=row.number,
        recorded_at=row.recorded_at,
        recorded_position=row.recorded_position,
        credit=None if row.credit is None else Decimal(row.credit),
        reason=row.reason,
        **dict(row.charge),
    )


def line_view(number: int, line: RatedLine) -> LineView:
    part = line.part
    quantity = Decimal(line.quantity.numerator) / Decimal(line.quantity.denominator)
    return LineView(
        number=number,
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
