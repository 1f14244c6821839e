"""Utilization: how full trees of providers are, over time and now, and what is stranded there."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, NamedTuple

from fastapi import Query, Request
from pydantic import BaseModel
from starlette.responses import Response

from api.house import House
from api.openapi import noun, reads
from api.paging import Cursor, CursorText, Limit
from api.reads import OfProvider, house_of, json_response, not_found
from api.times import Time, require_past
from api.windows import InSteps, UntilNow, edges_between, page_size
from domain.billing_time import Micros
from domain.component import Expansion
from domain.steps import Edges, Step
from domain.times import from_micros, to_micros
from domain.values import FlavorName
from projections.catalog import read_flavor
from projections.projection import Connection
from projections.sites import Site, read_sites
from projections.utilization import (
    SiteUtilization,
    UtilizationTotals,
    read_totals,
    site_utilization,
)

router = noun("utilization")

MayBeFrom = Annotated[
    Time | None,
    Query(
        alias="from",
        description="Tell utilization over time, too, from this moment (RFC 3339 with an offset).",
        examples=["2026-11-01T00:00:00Z"],
    ),
]
Each = Annotated[
    Literal["tree", "provider"],
    Query(
        alias="by",
        description="Of each tree of providers as a whole, or of each provider by itself. What is "
        "stranded is told of whole trees: requests are placed across them.",
    ),
]
OfFlavor = Annotated[
    FlavorName | None,
    Query(
        description="What is stranded for this flavor; else for a slice of the tree itself, with "
        "its classes in the proportions of their capacities."
    ),
]


class Period(BaseModel):
    """What is told of: `at`, a moment; with `from`, also the steps between the `edges`, which are
    where each begins, and at last where the last one ends."""

    at: datetime
    step: Step | None
    edges: list[datetime] | None


class UtilizationPage(Period):
    """Some of them. `next` is the cursor of the page after this one, null on the last."""

    items: list[SiteUtilization]
    next: str | None


class UtilizationSums(Period, UtilizationTotals):
    """All trees together."""


class _Asked(NamedTuple):
    moment: Micros
    edges: Edges | None
    flavor: Expansion | None


_cursor: Cursor[int] = Cursor("utilization", int)


@router.get(
    "/v1/utilization",
    response_model=UtilizationPage,
    **reads("bad_period", "too_many_steps", "flavor_not_found", timed=True, paged=True),
)
async def list_utilization(
    request: Request,
    *,
    start: MayBeFrom = None,
    until: UntilNow = None,
    step: InSteps = "day",
    each: Each = "tree",
    flavor: OfFlavor = None,
    provider_id: OfProvider = None,
    limit: Limit = 100,
    cursor: CursorText = None,
) -> Response:
    """Capacity, usage and utilization of each tree and class, in the order of registration."""
    house = house_of(request)
    asked = await _asked(house, start, until, step, flavor)
    size = limit if asked.edges is None else page_size(limit, asked.edges)
    after = _cursor.find(cursor)

    def read(connection: Connection) -> list[tuple[Site, SiteUtilization]]:
        sites = read_sites(
            connection,
            asked.moment,
            asked.edges,
            trees=each == "tree",
            provider_id=provider_id,
            after=after,
            limit=size + 1,
        )
        return [(site, site_utilization(site, asked.flavor)) for site in sites]

    found = await house.query(read, "capacity")
    return json_response(
        UtilizationPage(
            **dict(_period(asked, step)),
            items=[told for _, told in found[:size]],
            next=_cursor.after(found, size, lambda one: one[0].registered_position),
        )
    )


@router.get(
    "/v1/utilization/totals",
    response_model=UtilizationSums,
    **reads("bad_period", "too_many_steps", "flavor_not_found", timed=True),
)
async def sum_utilization(
    request: Request,
    *,
    start: MayBeFrom = None,
    until: UntilNow = None,
    step: InSteps = "day",
    flavor: OfFlavor = None,
) -> Response:
    """Capacity, usage and utilization of each class over all providers."""
    house = house_of(request)
    asked = await _asked(house, start, until, step, flavor)
    totals = await house.query(
        lambda connection: read_totals(connection, asked.moment, asked.edges, asked.flavor),
        "capacity",
    )
    return json_response(UtilizationSums(**dict(_period(asked, step)), **dict(totals)))


async def _asked(
    house: House,
    start: datetime | None,
    until: datetime | None,
    step: Step,
    flavor: str | None,
) -> _Asked:
    """Raises BadCall, Invalid, NotFound."""
    now = house.now()
    require_past(now, until)
    moment = until or now
    edges = None if start is None else edges_between(house, start, moment, step)
    expansion = None
    if flavor is not None:
        row = await house.query(lambda connection: read_flavor(connection, flavor), "catalog")
        if row is None:
            raise not_found("flavor", flavor)
        expansion = Expansion(
            resources=row.resources,
            units=row.units,
            required_traits=row.required_traits,
            forbidden_traits=row.forbidden_traits,
        )
    return _Asked(to_micros(moment), edges, expansion)


def _period(asked: _Asked, step: Step) -> Period:
    edges = asked.edges
    return Period(
        at=from_micros(asked.moment),
        step=None if edges is None else step,
        edges=None if edges is None else [from_micros(edge) for edge in edges],
    )
