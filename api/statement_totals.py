"""What every project has to pay for a period: by one price book, or by two side by side."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Annotated

from fastapi import Query, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from api.asked_statement import (
    Book,
    PeriodText,
    Position,
    Until,
    find_as_of,
)
from api.bills import AsOf, PinnedBill, rated_bill
from api.openapi import noun, reads
from api.paging import Cursor, CursorText
from api.price_books import Number, find_price_book
from api.reads import OfProject, house_of, json_response
from domain.errors import Invalid
from domain.rating import charged_since
from domain.statement import Sums, sums_by_resource
from domain.times import from_micros
from domain.values import LARGEST, OwnerId, PriceBookName
from projections.held import read_projects
from projections.price_books import PriceBookRow
from projections.statements import read_newest_charges

router = noun("statements")

MOST_PROJECTS = 100
"""On one page: each of them is a bill to rate."""

Projects = Annotated[int, Query(ge=1, le=MOST_PROJECTS, description="How many projects at most.")]
OtherBook = Annotated[PriceBookName, Query(description="The price book to compare with.")]
OtherNumber = Annotated[
    int | None, Query(ge=1, le=LARGEST, description="A publication of it; else the newest.")
]
_totals_cursor: Cursor[str] = Cursor("statement totals", OwnerId)
_comparison_cursor: Cursor[str] = Cursor("statement comparison", OwnerId)


class Reckoning(BaseModel):
    """All items of a page, and with its `position` and `until` those of the next ones, are told
    as of one position of the log."""

    period: str
    from_at: datetime
    until: datetime
    position: int
    price_book: str
    price_book_number: int
    currency: str


class TotalView(BaseModel):
    """`charged` is what the closed statement comes to; null if the period is not closed."""

    project_id: str
    total: Decimal
    lines: int
    digest: str
    charged: Decimal | None


class TotalsPage(Reckoning):
    items: list[TotalView]
    next: str | None


class Compared(BaseModel):
    """`difference` is `other_total` - `total`."""

    total: Decimal
    other_total: Decimal
    difference: Decimal


class ComparedProject(Compared):
    project_id: str
    by_resource: dict[str, Compared]


class ComparisonPage(Reckoning):
    other_price_book: str
    other_price_book_number: int
    items: list[ComparedProject]
    next: Annotated[str | None, Field(description="The cursor of the page after this one.")]


class _Reckoned:
    """What the bills of one page have in common."""

    def __init__(self, request: Request, period: str, as_of: AsOf) -> None:
        self._request, self._period, self._as_of = request, period, as_of

    async def projects(
        self, books: tuple[PriceBookRow, ...], only: str | None, after: str | None, limit: int
    ) -> list[str]:
        if only is not None:
            return [only]
        start, end, position = self._as_of
        since = min(charged_since(book, start) for book in books)
        return await house_of(self._request).query(
            lambda connection: read_projects(
                connection, since, end, position, after=after, limit=limit
            ),
            "claims",
        )

    async def bill(self, project_id: str, book: PriceBookRow) -> PinnedBill:
        return await rated_bill(self._request, project_id, book, self._as_of)

    def head(self, book: PriceBookRow) -> Reckoning:
        return Reckoning(
            period=self._period,
            from_at=from_micros(self._as_of.start),
            until=from_micros(self._as_of.end),
            position=self._as_of.position,
            price_book=book.name,
            price_book_number=book.number,
            currency=book.currency,
        )


@router.get(
    "/v1/statements/{period}/totals",
    response_model=TotalsPage,
    **reads(
        *("price_book_not_found", "no_price", "bad_period", "position_beyond_head"),
        timed=True,
        paged=True,
    ),
)
async def list_totals(
    request: Request,
    *,
    period: PeriodText,
    price_book: Book,
    number: Number = None,
    until: Until = None,
    position: Position = None,
    project_id: OfProject = None,
    limit: Projects = 20,
    cursor: CursorText = None,
) -> Response:
    """What each project that held something has to pay for the period, as the log tells it."""
    after = _totals_cursor.find(cursor)
    book = await find_price_book(request, price_book, number)
    reckoned = _Reckoned(
        request, period, await find_as_of(house_of(request), period, until, position)
    )
    projects = await reckoned.projects((book,), project_id, after, limit + 1)
    totals = [
        await _total(request, period, await reckoned.bill(project, book))
        for project in projects[:limit]
    ]
    # What began before may turn out to be over before the period began.
    items = [one for one in totals if one.lines or one.charged is not None]
    following = _totals_cursor.after(projects, limit, lambda project: project)
    head = reckoned.head(book)
    return json_response(TotalsPage(**dict(head), items=items, next=following))


async def _total(request: Request, period: str, pinned: PinnedBill) -> TotalView:
    pin = pinned.pin
    charges = await house_of(request).query(
        lambda connection: read_newest_charges(
            connection,
            project_id=pin.project_id,
            price_book=pin.price_book,
            period=period,
            limit=1,
        ),
        "statements",
    )
    return TotalView(
        project_id=pin.project_id,
        total=pinned.bill.total,
        lines=len(pinned.bill.lines),
        digest=pinned.digest,
        charged=charges[0].charge.total if charges else None,
    )


@router.get(
    "/v1/statements/{period}/comparison",
    response_model=ComparisonPage,
    **reads(
        *("price_book_not_found", "no_price", "bad_period", "position_beyond_head"),
        "currencies_differ",
        timed=True,
        paged=True,
    ),
)
async def compare_statements(
    request: Request,
    *,
    period: PeriodText,
    price_book: Book,
    number: Number = None,
    other: OtherBook,
    other_number: OtherNumber = None,
    until: Until = None,
    position: Position = None,
    project_id: OfProject = None,
    limit: Projects = 20,
    cursor: CursorText = None,
) -> Response:
    """The same history under two price books, or two publications of one: project by project."""
    after = _comparison_cursor.find(cursor)
    book = await find_price_book(request, price_book, number)
    other_book = await find_price_book(request, other, other_number)
    if book.currency != other_book.currency:
        raise Invalid(
            "currencies_differ",
            f"{book.name} is in {book.currency}, {other_book.name} in {other_book.currency}",
        )
    reckoned = _Reckoned(
        request, period, await find_as_of(house_of(request), period, until, position)
    )
    projects = await reckoned.projects((book, other_book), project_id, after, limit + 1)
    items = [
        _compared((await reckoned.bill(project, book)), (await reckoned.bill(project, other_book)))
        for project in projects[:limit]
    ]
    page = ComparisonPage(
        **dict(reckoned.head(book)),
        other_price_book=other_book.name,
        other_price_book_number=other_book.number,
        items=items,
        next=_comparison_cursor.after(projects, limit, lambda project: project),
    )
    return json_response(page)


def _compared(one: PinnedBill, other: PinnedBill) -> ComparedProject:
    sums, others = sums_by_resource(one.bill), sums_by_resource(other.bill)
    return ComparedProject(
        project_id=one.pin.project_id,
        **_difference(one.bill.total, other.bill.total),
        by_resource={
            name: Compared(**_difference(_of(sums, name), _of(others, name)))
            for name in sorted({*sums, *others})
        },
    )


def _difference(total: Decimal, other: Decimal) -> Mapping[str, Decimal]:
    return {"total": total, "other_total": other, "difference": other - total}


def _of(sums: Sums, name: str) -> Decimal:
    return sums.get(name, Decimal(0))
