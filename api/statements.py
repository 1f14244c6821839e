"""Statements: what a project has to pay for a period, by a price book, and the lines of it.

They are worked out as they are asked for, from the read models and the price book alone.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import Path, Query, Request
from pydantic import Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.house import House
from api.openapi import noun, reads
from api.paging import Cursor, CursorText, Limit, Page
from api.price_books import Number, find_price_book
from api.problems import BadCall
from api.reads import house_of, json_response
from api.statement_views import LineView, StatementView, line_view
from api.times import Time, require_past
from domain.billing_time import Micros, month_of
from domain.errors import Invalid
from domain.held import Held
from domain.period import Period, period_of
from domain.price_list import PriceList
from domain.rating import Bill, rate
from domain.statement import Sums, sums_by_price, sums_by_provider, sums_by_resource
from domain.times import from_micros, to_micros
from domain.values import OwnerId, PriceBookName
from projections.held import held_from, read_flavors, read_intervals, read_units
from projections.price_books import PriceBookRow

router = noun("statements")

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
        "offset), else up to now. With the `until` of a statement, its lines are those of it.",
        examples=["2026-01-15T00:00:00Z"],
    ),
]


@router.get(
    "/v1/statements/{period}",
    response_model=StatementView,
    **reads("price_book_not_found", "no_price", "bad_period", timed=True),
)
async def read_statement(
    request: Request,
    *,
    period: PeriodText,
    project_id: Project,
    price_book: Book,
    number: Number = None,
    until: Until = None,
) -> Response:
    """What the project has to pay for the period, summed up."""
    book = await find_price_book(request, price_book, number)
    bounds = period_of(period)
    bill = await _bill(house_of(request), bounds, until, project_id, book)
    sums: dict[str, Sums] = {
        "by_resource": sums_by_resource(bill),
        "by_price": sums_by_price(bill),
        "by_provider": sums_by_provider(bill),
    }
    return json_response(
        StatementView(
            project_id=project_id,
            period=period,
            from_at=bounds.start,
            until=from_micros(bill.end),
            state="complete" if bill.end == to_micros(bounds.end) else "open",
            price_book=book.name,
            price_book_number=book.number,
            currency=bill.currency,
            total=bill.total,
            lines=len(bill.lines),
            **sums,
        )
    )


_cursor: Cursor[int] = Cursor("statement lines", Annotated[int, Field(ge=0)])


@router.get(
    "/v1/statements/{period}/lines",
    response_model=Page[LineView],
    **reads("price_book_not_found", "no_price", "bad_period", timed=True, paged=True),
)
async def list_statement_lines(
    request: Request,
    *,
    period: PeriodText,
    project_id: Project,
    price_book: Book,
    number: Number = None,
    until: Until = None,
    limit: Limit = 100,
    cursor: CursorText = None,
) -> Response:
    """The lines of a statement, by the time at which what was held began."""
    book = await find_price_book(request, price_book, number)
    bill = await _bill(house_of(request), period_of(period), until, project_id, book)
    last = _cursor.find(cursor)
    first = 0 if last is None else last + 1
    lines = list(enumerate(bill.lines))[first : first + limit + 1]
    following = _cursor.after(lines, limit, lambda line: line[0])
    page = Page[LineView](items=[line_view(line) for _, line in lines[:limit]], next=following)
    return json_response(page)


async def _bill(
    house: House, period: Period, until: datetime | None, project_id: str, book: PriceBookRow
) -> Bill:
    start, end = _bounds(house, period, until)
    # A month's tiers count from its beginning, and a claim may be charged some time after its end.
    since = month_of(start).start - PriceList(book.prices).longest_minimum
    held = await _held(house, project_id, since, end)
    return await run_in_threadpool(rate, held, book, start, end)


def _bounds(house: House, period: Period, until: datetime | None) -> tuple[Micros, Micros]:
    """From the period's start to its end, or to the moment up to which it is told."""
    now = house.now()
    require_past(now, until)
    if period.start >= now:
        raise BadCall(
            "at_in_future", f"{period.start.isoformat()} is later than the ledger's clock"
        )
    if until is not None and until <= period.start:
        raise Invalid("bad_period", f"the period begins at {period.start.isoformat()}, not before")
    return to_micros(period.start), to_micros(min(period.end, until or now))


async def _held(house: House, project_id: str, start: Micros, end: Micros) -> list[Held]:
    intervals = await house.query(
        lambda connection: read_intervals(connection, project_id, start, end), "claims"
    )
    request_ids = [one.request_id for one in intervals]
    flavors = await house.query(
        lambda connection: read_flavors(connection, request_ids), "requests"
    )
    units = await house.query(lambda connection: read_units(connection, intervals), "capacity")
    return await run_in_threadpool(lambda: list(held_from(intervals, flavors, units)))
