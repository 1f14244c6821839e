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

from api.house import House
from api.openapi import noun, reads
from api.paging import Cursor, CursorText, Limit
from api.price_books import Number, find_price_book
from api.reads import OfProject, house_of, json_response
from api.windows import From, InSteps, UntilNow, WindowView, edges_between, page_size, window_view
from domain.billing_time import Micros, month_of
from domain.costs import PriceCosts, costs_of
from domain.held import Held
from domain.price_list import PriceList
from domain.values import PriceBookName
from projections.held import held_from, read_flavors, read_intervals, read_units
from projections.usage import read_projects

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
    """Some projects' costs. `next` is the cursor of the page after this one, null on the last."""

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
    limit: Limit = 100,
    cursor: CursorText = None,
) -> Response:
    """What each project that held something has to pay for each step, by project."""
    book = await find_price_book(request, price_book, number)
    house = house_of(request)
    edges = edges_between(house, start, until, step)
    after, size = _cursor.find(cursor), page_size(limit, edges)
    # A claim may be charged for some time after its end.
    after_end = PriceList(book.prices).longest_minimum
    since = edges[0] - after_end
    names = (
        [project_id]
        if project_id is not None
        else await house.query(
            lambda connection: read_projects(connection, since, edges[-1], after, size + 1),
            "claims",
        )
    )
    # A month's tiers count from its beginning.
    needed = month_of(edges[0]).start - after_end
    items = []
    for one in names[:size]:
        held = await _held(house, one, needed, edges[-1])
        priced = await run_in_threadpool(costs_of, held, book, edges)
        items.append(_project_costs(one, _views(priced, by)))
    return json_response(
        CostsPage(
            **dict(window_view(edges, step)),
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


def _views(priced: Iterable[PriceCosts], by: str) -> list[CostView]:
    amounts: dict[str, list[Sequence[Decimal]]] = defaultdict(list)
    for one in priced:
        amounts[one.price.name if by == "price" else one.resource].append(one.amounts)
    return [_view(name, several) for name, several in sorted(amounts.items())]


def _view(name: str, several: Sequence[Sequence[Decimal]]) -> CostView:
    amounts = [sum(step, Decimal(0)) for step in zip(*several, strict=True)]
    return CostView(name=name, amounts=amounts, total=sum(amounts, Decimal(0)))
