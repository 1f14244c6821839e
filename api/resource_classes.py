"""The catalog of resource classes."""

from __future__ import annotations

from fastapi import Request
from starlette.responses import Response

from api.catalog import NameView, name_view
from api.openapi import noun, reads, writes
from api.paging import Cursor, CursorText, Limit, Page
from api.reads import house_of, json_response, not_found
from api.writes import Write, shows, shows_nothing
from domain import cloud
from domain.values import ClassName
from projections import catalog

router = noun("resource classes")

_defined = shows(name_view, created=201)


_cursor: Cursor[str] = Cursor("resource classes", str)


@router.get("/v1/resource-classes", response_model=Page[NameView], **reads(paged=True))
async def list_resource_classes(
    request: Request, limit: Limit = 100, cursor: CursorText = None
) -> Response:
    """Standard and custom classes, by name."""
    after = _cursor.find(cursor)
    rows = await house_of(request).query(
        lambda connection: catalog.read_resource_classes(connection, after=after, limit=limit + 1),
        "catalog",
    )
    return _cursor.page(rows, limit, lambda row: row.name)


@router.get(
    "/v1/resource-classes/{name}",
    response_model=NameView,
    **reads("resource_class_not_found"),
)
async def read_resource_class(request: Request, name: ClassName) -> Response:
    """One class, if there is one of this name."""
    row = await house_of(request).query(
        lambda connection: catalog.read_name(connection, "resource_class", name), "catalog"
    )
    if row is None:
        raise not_found("resource_class", name)
    return json_response(row)


@router.put(
    "/v1/resource-classes/{name}",
    response_model=NameView,
    **writes("not_custom", body=False, also=201),
)
async def define_resource_class(write: Write, name: ClassName) -> Response:
    """Define a class of your own (CUSTOM_…). What is there already stays."""
    return await write.record(
        lambda books, at: cloud.define_resource_class(books, at, name),
        _defined,
        (f"resource_class:{name}",),
    )


@router.delete(
    "/v1/resource-classes/{name}",
    response_model=None,
    **writes(
        "resource_class_not_found",
        "resource_class_in_use",
        "standard_name",
        status=204,
        body=False,
    ),
)
async def remove_resource_class(write: Write, name: ClassName) -> Response:
    """Remove a class of your own that no provider has an inventory of."""
    return await write.record(
        lambda books, at: cloud.remove_resource_class(books, at, name),
        shows_nothing,
        (f"resource_class:{name}",),
    )
