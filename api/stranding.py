"""Stranding: what is free of the scarcest class, and what the demand of late cannot use of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from fastapi import Query, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from api.house import House
from api.openapi import noun, reads
from api.paging import Cursor, CursorText, Limit, Page
from api.reads import house_of, json_response
from api.times import Time, require_past
from api.windows import InSteps, UntilNow, edges_between
from domain.steps import Edges, Step
from domain.times import from_micros, to_micros
from projections.stranding import StrandedAt, StrandedTree, read_mixes, read_stranding

router = noun("stranding")

MayBeFrom = Annotated[
    Time | None,
    Query(alias="from", description="Where a course begins. Without it, only `until` is told."),
]


class StrandedTreeView(BaseModel):
    """A tree, by its root, at the end of the time."""

    provider_id: str
    provider_name: str
    free: int
    stranded: int
    course: list[int] | None = Field(
        description="What was stranded at each moment; null without `from`."
    )


class StrandedPage(Page[StrandedTreeView]):
    """Trees with something free of the scarcest class, by registration."""

    moments: list[datetime]
    resource_class: str | None


class StrandedTotals(BaseModel):
    """All trees together at each moment. Which class is the scarcest may change."""

    moments: list[datetime]
    resource_classes: list[str | None]
    free: list[int]
    stranded: list[int]
    as_of: list[int] = Field(description="The demand is of the requests up to this position.")


_cursor: Cursor[int] = Cursor("stranding", int)


@router.get(
    "/v1/stranding",
    response_model=StrandedPage,
    **reads("bad_period", "too_many_steps", timed=True, paged=True),
)
async def list_stranding(
    request: Request,
    *,
    start: MayBeFrom = None,
    until: UntilNow = None,
    step: InSteps = "day",
    limit: Limit = 100,
    cursor: CursorText = None,
) -> Response:
    """What is stranded in each tree of providers, and how that came."""
    after = _cursor.find(cursor) or 0
    moments, found = await _read(house_of(request), start, until, step)
    courses = [{one.provider_id: one.stranded for one in each.trees} for each in found]
    rows = [one for one in found[-1].trees if one.registered_position > after][: limit + 1]
    following = _cursor.after(rows, limit, lambda one: one.registered_position)
    items = [
        _view(one, None if start is None else [each.get(one.provider_id, 0) for each in courses])
        for one in rows[:limit]
    ]
    return json_response(
        StrandedPage(
            items=items,
            next=following,
            moments=_told(moments),
            resource_class=found[-1].resource_class,
        )
    )


@router.get(
    "/v1/stranding/totals",
    response_model=StrandedTotals,
    **reads("bad_period", "too_many_steps", timed=True),
)
async def sum_stranding(
    request: Request,
    *,
    start: MayBeFrom = None,
    until: UntilNow = None,
    step: InSteps = "day",
) -> Response:
    """What is stranded in all trees together, over time."""
    moments, found = await _read(house_of(request), start, until, step)
    return json_response(
        StrandedTotals(
            moments=_told(moments),
            resource_classes=[one.resource_class for one in found],
            free=[sum(tree.free for tree in one.trees) for one in found],
            stranded=[sum(tree.stranded for tree in one.trees) for one in found],
            as_of=[one.as_of for one in found],
        )
    )


async def _read(
    house: House, start: datetime | None, until: datetime | None, step: Step
) -> tuple[Edges, list[StrandedAt]]:
    """At each beginning of a step and at the end. Raises BadCall, Invalid."""
    now = house.now()
    require_past(now, until)
    if start is None:
        moments: Edges = (to_micros(until or now),)
    else:
        moments = edges_between(house, start, until, step)
    mixes = await house.query(lambda connection: read_mixes(connection, moments), "requests")
    found = await house.query(
        lambda connection: read_stranding(connection, moments, mixes), "capacity"
    )
    return moments, found


def _view(tree: StrandedTree, course: list[int] | None) -> StrandedTreeView:
    return StrandedTreeView(
        provider_id=tree.provider_id,
        provider_name=tree.provider_name,
        free=tree.free,
        stranded=tree.stranded,
        course=course,
    )


def _told(moments: Sequence[int]) -> list[datetime]:
    return [from_micros(moment) for moment in moments]
