"""Use over time: how much of each class, or of each flavor, was held and for how long."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Literal

from fastapi import Query, Request
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.held import put_together
from api.house import House
from api.openapi import noun, reads
from api.paging import Cursor, CursorText, Limit
from api.reads import OfProject, house_of, json_response
from api.windows import From, InSteps, UntilNow, WindowView, edges_between, page_size, window_view
from domain.steps import Edges, told_in_hours
from projections.held import read_projects
from projections.usage import (
    Projects,
    Use,
    UseTable,
    count_classes,
    count_flavors,
    read_intervals_after,
)

router = noun("usage")

By = Annotated[
    Literal["resource_class", "flavor"],
    Query(
        description="Amounts of each resource class, or how many of each flavor. A flavor counts "
        "for as long as all that it is made of is held."
    ),
]
INTERVALS_AT_ONCE = 5_000


class UseView(BaseModel):
    """Amount × hours in each step, by claims and by holds; rounded so that they add up."""

    name: str
    claims: list[Decimal]
    holds: list[Decimal]
    claims_total: Decimal
    holds_total: Decimal


class ProjectUse(BaseModel):
    project_id: str
    use: list[UseView]


class UsePage(WindowView):
    """Some projects' use. `next` is the cursor of the page after this one, null on the last."""

    items: list[ProjectUse]
    next: str | None


class UseTotals(WindowView):
    """The use of all projects together."""

    items: list[UseView]


_cursor: Cursor[str] = Cursor("usage", str)


@router.get(
    "/v1/usage",
    response_model=UsePage,
    **reads("bad_period", "too_many_steps", timed=True, paged=True),
)
async def list_usage(
    request: Request,
    *,
    start: From,
    until: UntilNow = None,
    step: InSteps = "day",
    by: By = "resource_class",
    project_id: OfProject = None,
    limit: Limit = 100,
    cursor: CursorText = None,
) -> Response:
    """What each project used in each step, by project: amount × hours."""
    house = house_of(request)
    edges = edges_between(house, start, until, step)
    after, size = _cursor.find(cursor), page_size(limit, edges)
    position = await house.head()
    if project_id is not None:
        names = [project_id]
    else:
        names = await house.query(
            lambda connection: read_projects(
                connection, edges[0], edges[-1], position, after=after, limit=size + 1
            ),
            "claims",
        )
    told = names[:size]
    table = UseTable(edges)
    if told:
        await _count(house, table, edges, Projects(told[0], told[-1]), by)
    items = [ProjectUse(project_id=one, use=_views(table.by_name(one))) for one in told]
    following = _cursor.after(names, size, lambda name: name)
    view = window_view(edges, step)
    return json_response(UsePage(**dict(view), items=items, next=following))


@router.get(
    "/v1/usage/totals",
    response_model=UseTotals,
    **reads("bad_period", "too_many_steps", timed=True),
)
async def sum_usage(
    request: Request,
    *,
    start: From,
    until: UntilNow = None,
    step: InSteps = "day",
    by: By = "resource_class",
) -> Response:
    """What all projects together used in each step: amount × hours."""
    house = house_of(request)
    edges = edges_between(house, start, until, step)
    table = UseTable(edges, together=True)
    await _count(house, table, edges, Projects(), by)
    view = window_view(edges, step)
    return json_response(UseTotals(**dict(view), items=_views(table.by_name())))


async def _count(house: House, table: UseTable, edges: Edges, of: Projects, by: str) -> None:
    if by == "flavor":
        await _count_flavors(house, table, edges, of)
    else:
        await house.query(lambda connection: count_classes(table, connection, edges, of), "claims")


async def _count_flavors(house: House, table: UseTable, edges: Edges, of: Projects) -> None:
    """Some intervals at a time, as they are put together from three read models."""
    after, position = 0, await house.head()
    while True:
        intervals = await house.query(
            lambda connection, after=after: read_intervals_after(  # type: ignore[misc]
                connection, edges, of, after, INTERVALS_AT_ONCE
            ),
            "claims",
        )
        if not intervals:
            return
        after = intervals[-1].from_position
        held = await put_together(house, intervals, position)
        project_of = {one.from_position: one.project_id for one in intervals}
        await run_in_threadpool(count_flavors, table, held, project_of)


def _views(uses: Mapping[str, Use]) -> list[UseView]:
    return [_view(name, use) for name, use in uses.items()]


def _view(name: str, use: Use) -> UseView:
    claims, holds = told_in_hours(use.claims.sums()), told_in_hours(use.holds.sums())
    return UseView(
        name=name,
        claims=claims,
        holds=holds,
        claims_total=sum(claims, Decimal(0)),
        holds_total=sum(holds, Decimal(0)),
    )
