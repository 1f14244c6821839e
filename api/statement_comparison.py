"""The same history under two price books, or two publications of one: project by project."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated

from fastapi import Query, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from api.bills import PinnedBill
from api.openapi import noun, reads
from api.paging import Cursor
from api.price_books import find_price_book
from api.reads import json_response
from api.reckoned_projects import REFUSALS, AskedProjects, Reckoning, reckoned_projects
from domain.errors import Invalid
from domain.statement import Sums, sums_by_resource
from domain.values import LARGEST, OwnerId, PriceBookName

router = noun("statements")

_cursor: Cursor[str] = Cursor("statement comparison", OwnerId)

OtherBook = Annotated[PriceBookName, Query(description="The price book to compare with.")]
OtherNumber = Annotated[
    int | None, Query(ge=1, le=LARGEST, description="A publication of it; else the newest.")
]


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


@router.get(
    "/v1/statements/{period}/comparison",
    response_model=ComparisonPage,
    **reads(*REFUSALS, "currencies_differ", timed=True, paged=True),
)
async def compare_statements(
    request: Request, asked: AskedProjects, other: OtherBook, other_number: OtherNumber = None
) -> Response:
    """What each project would pay by either, and the difference, in all and by resource."""
    after = _cursor.find(asked.cursor)
    book = await find_price_book(request, asked.price_book, asked.number)
    other_book = await find_price_book(request, other, other_number)
    if book.currency != other_book.currency:
        raise Invalid(
            "currencies_differ",
            f"{book.name} is in {book.currency}, {other_book.name} in {other_book.currency}",
        )
    reckoned = await reckoned_projects(request, asked)
    projects = await reckoned.projects((book, other_book), after)
    items = [
        _compared((await reckoned.bill(project, book)), (await reckoned.bill(project, other_book)))
        for project in projects[: asked.limit]
    ]
    page = ComparisonPage(
        **dict(reckoned.head(book)),
        other_price_book=other_book.name,
        other_price_book_number=other_book.number,
        items=items,
        next=_cursor.after(projects, asked.limit, lambda project: project),
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
