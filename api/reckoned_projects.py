"""What all projects have to pay for a period, reckoned a page of projects at a time."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, NamedTuple

from fastapi import Depends, Query, Request
from pydantic import BaseModel

from api.asked_statement import Book, PeriodText, Position, Until, find_as_of
from api.bills import AsOf, PinnedBill, rated_bill
from api.paging import CursorText
from api.price_books import Number
from api.reads import OfProject, house_of
from domain.rating import charged_since
from domain.times import from_micros
from projections.held import read_projects
from projections.price_books import PriceBookRow

MOST_PROJECTS = 100
"""On one page: each of them is a bill to rate."""
REFUSALS = ("price_book_not_found", "no_price", "bad_period", "position_beyond_head")

Limit = Annotated[int, Query(ge=1, le=MOST_PROJECTS, description="How many projects at most.")]


class Asked(NamedTuple):
    period: str
    price_book: str
    number: int | None
    until: datetime | None
    position: int | None
    project_id: str | None
    limit: int
    cursor: str | None


async def _asked(
    *,
    period: PeriodText,
    price_book: Book,
    number: Number = None,
    until: Until = None,
    position: Position = None,
    project_id: OfProject = None,
    limit: Limit = 20,
    cursor: CursorText = None,
) -> Asked:
    return Asked(period, price_book, number, until, position, project_id, limit, cursor)


AskedProjects = Annotated[Asked, Depends(_asked)]
"""The parameters of every read of many projects' statements."""


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


class ReckonedProjects:
    """What the bills of one page have in common."""

    def __init__(self, request: Request, asked: Asked, as_of: AsOf) -> None:
        self._request, self._asked, self._as_of = request, asked, as_of

    async def projects(self, books: tuple[PriceBookRow, ...], after: str | None) -> list[str]:
        """One more than the page has, if there is one more."""
        asked, (start, end, position) = self._asked, self._as_of
        if asked.project_id is not None:
            return [asked.project_id]
        since = min(charged_since(book, start) for book in books)
        return await house_of(self._request).query(
            lambda connection: read_projects(
                connection, since, end, position, after=after, limit=asked.limit + 1
            ),
            "claims",
        )

    async def bill(self, project_id: str, book: PriceBookRow) -> PinnedBill:
        return await rated_bill(self._request, project_id, book, self._as_of)

    def head(self, book: PriceBookRow) -> Reckoning:
        return Reckoning(
            period=self._asked.period,
            from_at=from_micros(self._as_of.start),
            until=from_micros(self._as_of.end),
            position=self._as_of.position,
            price_book=book.name,
            price_book_number=book.number,
            currency=book.currency,
        )


async def reckoned_projects(request: Request, asked: Asked) -> ReckonedProjects:
    as_of = await find_as_of(house_of(request), asked.period, asked.until, asked.position)
    return ReckonedProjects(request, asked, as_of)
