"""Flavors: the menu. Each definition is numbered, and requests keep the one that they used."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import Query, Request
from pydantic import ConfigDict
from starlette.responses import Response

from api.openapi import noun, reads, writes
from api.paging import Cursor, CursorText, Limit, Page
from api.reads import house_of, not_found, tagged
from api.writes import Write, shows, shows_nothing
from domain import cloud
from domain.books import Books
from domain.component import Expansion
from domain.flavor import Flavor
from domain.values import LARGEST, FlavorName
from projections import catalog
from projections.catalog import FlavorRow

router = noun("flavors")


class FlavorBody(Expansion):
    """What the flavor means from now on."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "resources": {"VCPU": 4, "MEMORY_MB": 16384, "DISK_GB": 80},
                    "required_traits": ["HW_CPU_X86_AVX2"],
                }
            ]
        }
    )

    def expansion(self) -> Expansion:
        return Expansion(
            resources=self.resources,
            units=self.units,
            required_traits=self.required_traits,
            forbidden_traits=self.forbidden_traits,
        )


class FlavorView(FlavorRow):
    """One definition of a flavor; `number` counts them from 1."""


def flavor_view(flavor: Flavor) -> FlavorView:
    """The newest definition."""
    newest = flavor.definitions[-1]
    return FlavorView(
        name=flavor.id,
        number=newest.number,
        resources=newest.expansion.resources,
        units=newest.expansion.units,
        required_traits=newest.expansion.required_traits,
        forbidden_traits=newest.expansion.forbidden_traits,
        defined_at=newest.at,
        version=flavor.version,
    )


_defined = shows(flavor_view, created=201, under="/v1/flavors")


_cursor: Cursor[str] = Cursor("flavors", str)


@router.get("/v1/flavors", response_model=Page[FlavorView], **reads(paged=True))
async def list_flavors(request: Request, limit: Limit = 100, cursor: CursorText = None) -> Response:
    """The newest definition of each flavor that is offered, by name."""
    after = _cursor.find(cursor)
    rows = await house_of(request).query(
        lambda connection: catalog.read_flavors(connection, after=after, limit=limit + 1),
        "catalog",
    )
    return _cursor.page(rows, limit, lambda row: row.name)


@router.get(
    "/v1/flavors/{name}",
    response_model=FlavorView,
    **reads("flavor_not_found", tagged=True),
)
async def read_flavor(
    request: Request,
    name: FlavorName,
    number: Annotated[
        int | None, Query(ge=1, le=LARGEST, description="An older definition.")
    ] = None,
) -> Response:
    """A flavor's newest definition, or the one with this number."""
    row = await house_of(request).query(
        lambda connection: catalog.read_flavor(connection, name, number), "catalog"
    )
    if row is None:
        raise not_found("flavor", name if number is None else f"{name} with number {number}")
    return tagged(request, row, row.version)


@router.put(
    "/v1/flavors/{name}",
    response_model=FlavorView,
    **writes("unknown_resource_class", "unknown_trait", also=201, conditional=True),
)
async def define_flavor(write: Write, name: FlavorName, body: FlavorBody) -> Response:
    """Define a flavor, or define it anew; what was requested before keeps what it meant then."""
    if_match = write.if_match()
    expansion = body.expansion()

    def use_case(books: Books, at: datetime) -> Flavor:
        expected = if_match.expected(books.get(Flavor, name))
        return cloud.define_flavor(books, at, name, expansion, expected)

    return await write.record(use_case, _defined, (f"flavor:{name}",))


@router.delete(
    "/v1/flavors/{name}",
    response_model=None,
    **writes("flavor_not_found", status=204, body=False, conditional=True),
)
async def remove_flavor(write: Write, name: FlavorName) -> Response:
    """Offer it no longer."""
    if_match = write.if_match()

    def use_case(books: Books, at: datetime) -> Flavor:
        expected = if_match.expected(books.get(Flavor, name))
        return cloud.remove_flavor(books, at, name, expected)

    return await write.record(use_case, shows_nothing, (f"flavor:{name}",))
