"""Costs over time: what each project has to pay for each step, by a price book."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Annotated, Literal

from fastapi import Query, Request
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.asked_statement import Position, find_position
from api.held import read_held
from api.openapi import noun, reads
from api.paging import Cursor, CursorText, Limit
from api.price_books import Number, find_price_book
from api.reads import OfProject, house_of, json_response
from api.windows import From, InSteps, UntilNow, WindowView, edges_between, page_size, window_view
from domain.costs import PriceCosts, costs_of
from domain.rating import charged_since, needed_since
from domain.values import PriceBookName
from projections.held import read_projects

router = noun("costs")

Book = Annotated[PriceBookName, Query(description="The price book that they are reckoned with.")]
By = Annotated[
    Literal["resource", "price"],
    Query(description="What has a price (a class, or a flavor as a whole), or which price it is."),
]


class CostView(BaseModel):
    """The amount of each step."""

    name: str
    amounts: list[Decimal]
    total: Decimal


class ProjectCosts(BaseModel):
    """`costs` add up to `total`, which is that of the project's statement for the same time; and
    those of one step to the total of a statement for that step."""

    project_id: str
    costs: list[CostView]
    total: Decimal


class CostsPage(WindowView):
    """Some projects' costs. With the first page's `position`, all pages tell what this position of
    the log tells. `next` is the cursor of the page after this one, null on the last."""

    position: int
    price_book: str
    price_book_number: int
    currency: str
    items: list[ProjectCosts]
    next: str | None


_cursor: Cursor[str] = Cursor("costs", str)


@router.get(
    "/v1/costs",
    response_model=CostsPage,
    **reads(
        *("price_book_not_found", "no_price", "bad_period", "too_many_steps"),
        "position_beyond_head",
        timed=True,
        paged=True,
    ),
)
async def list_costs(
    request: Request,
    *,
    price_book: Book,
    number: Number = None,
    start: From,
    until: UntilNow = None,
    step: InSteps = "day",
    by: By = "resource",
    project_id: OfProject = None,
    position: Position = None,
    limit: Limit = 100,
    cursor: CursorText = None,
) -> Response:
    """What each project that held something has to pay for each step, by project."""
    book = await find_price_book(request, price_book, number)
    house = house_of(request)
    edges = edges_between(house, start, until, step)
    after, size = _cursor.find(cursor), page_size(limit, edges)
    position = await find_position(house, position)
    names = (
        [project_id]
        if project_id is not None
        else await house.query(
            lambda connection: read_projects(
                connection,
                charged_since(book, edges[0]),
                edges[-1],
                position,
                after=after,
                limit=size + 1,
            ),
            "claims",
        )
    )
    needed = needed_since(book, edges[0])
    items = []
    for one in names[:size]:
        held = await read_held(house, one, needed, edges[-1], position)
        priced = await run_in_threadpool(costs_of, held, book, edges)
        items.append(_project_costs(one, _views(priced, by)))
    return json_response(
        CostsPage(
            **dict(window_view(edges, step)),
            position=position,
            price_book=book.name,
            price_book_number=book.number,
            currency=book.currency,
            items=items,
            next=_cursor.after(names, size, lambda name: name),
        )
    )


def _project_costs(project_id: str, views: list[CostView]) -> ProjectCosts:
    total = sum((one.total for one in views), Decimal(0))
    return ProjectCosts(project_id=project_id, costs=views, total=total)


def _views(priced: Iterable[PriceCosts], by: str) -> list[CostView]:
    amounts: dict[str, list[Sequence[Decimal]]] = defaultdict(list)
    for one in priced:
        amounts[one.price.name if by == "price" else one.resource].append(one.amounts)
    return [_view(name, several) for name, several in sorted(amounts.items())]


def _view(name: str, several: Sequence[Sequence[Decimal]]) -> CostView:
    amounts = [sum(step, Decimal(0)) for step in zip(*several, strict=True)]
    return CostView(name=name, amounts=amounts, total=sum(amounts, Decimal(0)))
