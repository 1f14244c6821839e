"""Which statement somebody asks for, and the bill that it tells: as it was closed, or reckoned now.

A statement is of one project, period and price book. A closed one is told as it was closed. With a
publication of the book, a moment, or a position of the log it is reckoned from these instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, NamedTuple

from fastapi import Depends, Path, Query, Request

from api.bills import AsOf, PinnedBill, rated_bill
from api.events import LARGEST_POSITION
from api.house import House
from api.price_books import Number, find_price_book
from api.problems import BadCall
from api.reads import house_of
from api.times import Time, require_past
from domain.billing_time import Micros
from domain.charge import Charge
from domain.errors import Conflict, Invalid, NotFound
from domain.period import period_of
from domain.rating import RATING
from domain.times import to_micros
from domain.values import LARGEST, OwnerId, PriceBookName
from projections.price_books import PriceBookRow
from projections.statements import ChargeRow, read_charges

PeriodText = Annotated[
    str,
    Path(
        pattern=r"^[0-9]{4}(-[0-9]{2}){0,2}$",
        description="A year, a month or a day, in UTC.",
        examples=["2026-01"],
    ),
]
Project = Annotated[OwnerId, Query(description="Whose statement it is.")]
Book = Annotated[PriceBookName, Query(description="The price book that it is made with.")]
Until = Annotated[
    Time | None,
    Query(
        description="Tell what is to be paid up to this moment of the period (RFC 3339 with an "
        "offset), else up to now.",
        examples=["2026-01-15T00:00:00Z"],
    ),
]
Position = Annotated[
    int | None,
    Query(
        ge=0,
        le=LARGEST_POSITION,
        description="Tell what this position of the log tells, else its newest. With the `until`, "
        "`price_book_number` and `position` of a statement, all else that is told is of it.",
    ),
]
ChargeNumber = Annotated[
    int | None,
    Query(alias="charge", ge=1, le=LARGEST, description="An earlier charge of a closed statement."),
]
Reckoned = Annotated[
    bool, Query(description="Tell what would be charged now, even if the statement is closed.")
]

REFUSALS = (
    *("price_book_not_found", "statement_not_found", "no_price", "bad_period", "bill_differs"),
    "position_beyond_head",
)
"""What can be wrong with what is asked for."""


class Asked(NamedTuple):
    period: str
    project_id: str
    price_book: str
    number: int | None = None
    until: datetime | None = None
    position: int | None = None
    charge: int | None = None
    reckoned: bool = False

    @property
    def is_reckoned(self) -> bool:
        given = (self.number, self.until, self.position)
        return self.reckoned or any(one is not None for one in given)


async def _asked(
    *,
    period: PeriodText,
    project_id: Project,
    price_book: Book,
    number: Number = None,
    until: Until = None,
    position: Position = None,
    charge: ChargeNumber = None,
    reckoned: Reckoned = False,
) -> Asked:
    return Asked(period, project_id, price_book, number, until, position, charge, reckoned)


AskedStatement = Annotated[Asked, Depends(_asked)]
"""The parameters of every read of one statement."""


class Found(NamedTuple):
    """`charges` are those of the statement, in order. `told` is the one that the bill is of; None
    if it was reckoned."""

    pinned: PinnedBill
    book: PriceBookRow
    charges: Sequence[ChargeRow]
    told: ChargeRow | None


async def find_statement(request: Request, asked: Asked) -> Found:
    period_of(asked.period)
    charges = await house_of(request).query(
        lambda connection: read_charges(
            connection, asked.project_id, asked.price_book, asked.period
        ),
        "statements",
    )
    told = _told(asked, charges)
    if told is not None:
        book, pinned = await _as_charged(request, told)
    else:
        book = await find_price_book(request, asked.price_book, asked.number)
        pinned = await reckon(request, asked, book)
    return Found(pinned, book, charges, told)


async def reckon(request: Request, asked: Asked, book: PriceBookRow) -> PinnedBill:
    """The bill at a moment and a position of the log, whatever was charged."""
    as_of = await find_as_of(house_of(request), asked.period, asked.until, asked.position)
    return await rated_bill(request, asked.project_id, book, as_of)


async def find_as_of(
    house: House, period: str, until: datetime | None, position: int | None
) -> AsOf:
    """All of the period, up to now if no other moment is given, as the log's newest position tells
    it if no other is given."""
    bounds = _bounds(house, period, until)
    return AsOf(*bounds, await find_position(house, position))


def _bounds(house: House, text: str, until: datetime | None) -> tuple[Micros, Micros]:
    period, now = period_of(text), house.now()
    require_past(now, until)
    if period.start >= now:
        raise BadCall(
            "at_in_future", f"{period.start.isoformat()} is later than the ledger's clock"
        )
    if until is not None and until <= period.start:
        raise Invalid("bad_period", f"the period begins at {period.start.isoformat()}, not before")
    return to_micros(period.start), to_micros(min(period.end, until or now))


async def find_position(house: House, position: int | None) -> int:
    """The log's newest, if no other is given."""
    head = await house.head()
    if position is not None and position > head:
        raise Invalid("position_beyond_head", f"the log's newest position is {head}")
    return head if position is None else position


def _told(asked: Asked, charges: Sequence[ChargeRow]) -> ChargeRow | None:
    if asked.charge is None:
        return charges[-1] if charges and not asked.is_reckoned else None
    if asked.charge > len(charges):
        raise NotFound(
            "statement_not_found",
            f"there is no charge {asked.charge} of {asked.project_id} for {asked.period} by "
            f"{asked.price_book}",
        )
    return charges[asked.charge - 1]


async def _as_charged(request: Request, told: ChargeRow) -> tuple[PriceBookRow, PinnedBill]:
    """The very bill that was charged, made again. Raises Conflict if it comes out as another."""
    charge, period = told.charge, period_of(told.period)
    book = await find_price_book(request, told.price_book, charge.price_book_number)
    as_of = AsOf(to_micros(period.start), to_micros(period.end), charge.position)
    pinned = await rated_bill(request, told.project_id, book, as_of)
    if (charge.rating, charge.digest) != (RATING, pinned.digest):
        raise _differs(told, charge, pinned)
    return book, pinned


def _differs(told: ChargeRow, charge: Charge, pinned: PinnedBill) -> Conflict:
    return Conflict(
        "bill_differs",
        f"charge {told.number} of {told.project_id} for {told.period} is {charge.total} "
        f"{charge.currency} by rating rules {charge.rating}; from the read models, rules {RATING} "
        f"make {pinned.bill.total} of it. `tally audit {told.period}` says what the log says",
        charged=str(charge.total),
        reckoned=str(pinned.bill.total),
    )
