"""Capacity: what is there, in use and available. Now comes from memory, the past from SQL."""

from __future__ import annotations

from datetime import datetime

from fastapi import Request
from pydantic import BaseModel
from starlette.responses import Response

from api.openapi import noun, reads
from api.paging import Cursor, CursorText, Limit, Page
from api.reads import InTree, OfClass, OfProvider, WithTrait, house_of, json_response
from api.times import At, require_past
from projections.capacity import CapacityRow, CapacityTotal, read_capacity, read_totals
from projections.live_reads import live_capacity, live_totals

router = noun("capacity")

_cursor: Cursor[tuple[int, str]] = Cursor("capacity", tuple[int, str])


class CapacityTotals(BaseModel):
    """Each class over all providers, as of a moment."""

    items: list[CapacityTotal]
    at: datetime


@router.get(
    "/v1/capacity", response_model=Page[CapacityRow], **reads("busy", timed=True, paged=True)
)
async def list_capacity(
    request: Request,
    *,
    provider_id: OfProvider = None,
    in_tree: InTree = None,
    resource_class: OfClass = None,
    trait: WithTrait = None,
    at: At = None,
    limit: Limit = 100,
    cursor: CursorText = None,
) -> Response:
    """Capacity and usage of each provider and class, in the order of registration."""
    house = house_of(request)
    require_past(house.now(), at)
    filters = {
        "provider_id": provider_id,
        "in_tree": in_tree,
        "resource_class": resource_class,
        "trait": trait,
    }
    after = _cursor.find(cursor)
    if at is None:
        rows = await house.live(
            lambda view: live_capacity(view, **filters, after=after, limit=limit + 1)
        )
    else:
        rows = await house.query(
            lambda connection: read_capacity(
                connection, at, **filters, after=after, limit=limit + 1
            ),
            "capacity",
        )
    return _cursor.page(rows, limit, lambda row: (row.registered_position, row.resource_class))


@router.get("/v1/capacity/totals", response_model=CapacityTotals, **reads("busy", timed=True))
async def sum_capacity(
    request: Request, resource_class: OfClass = None, trait: WithTrait = None, at: At = None
) -> Response:
    """Capacity and usage of each class over all providers."""
    house = house_of(request)
    now = house.now()
    require_past(now, at)
    if at is None:
        items = await house.live(
            lambda view: live_totals(view, resource_class=resource_class, trait=trait)
        )
    else:
        items = await house.query(
            lambda connection: read_totals(
                connection, at, resource_class=resource_class, trait=trait
            ),
            "capacity",
        )
    return json_response(CapacityTotals(items=items, at=at or now))
