"""Traits: the catalog of them, and those of one provider."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from api.catalog import NameView, name_view
from api.identities import ProviderId
from api.openapi import noun, reads, writes
from api.paging import Cursor, CursorText, Limit, Page
from api.reads import find_provider, house_of, json_response, not_found, tagged
from api.times import At
from api.writes import Write, shows, shows_nothing
from domain import cloud
from domain.books import Books
from domain.events import Fact
from domain.provider import Provider
from domain.values import TraitName
from projections import catalog

router = noun("traits")

MOST_TRAITS = 1_000


class ProviderTraitsBody(Fact):
    """A provider's traits from now on: all of them."""

    traits: Annotated[tuple[TraitName, ...], Field(max_length=MOST_TRAITS)]


class ProviderTraitsView(BaseModel):
    traits: tuple[str, ...]


def provider_traits_view(provider: Provider) -> ProviderTraitsView:
    return ProviderTraitsView(traits=tuple(sorted(provider.traits)))


_defined = shows(name_view, created=201)
_changed = shows(provider_traits_view)


# --- The catalog ----------------------------------------------------------------------------------

_cursor: Cursor[str] = Cursor("traits", str)


@router.get("/v1/traits", response_model=Page[NameView], **reads(paged=True))
async def list_traits(request: Request, limit: Limit = 100, cursor: CursorText = None) -> Response:
    """Standard and custom traits, by name."""
    after = _cursor.find(cursor)
    rows = await house_of(request).query(
        lambda connection: catalog.read_traits(connection, after=after, limit=limit + 1),
        "catalog",
    )
    return _cursor.page(rows, limit, lambda row: row.name)


@router.get("/v1/traits/{name}", response_model=NameView, **reads("trait_not_found"))
async def read_trait(request: Request, name: TraitName) -> Response:
    """One trait, if there is one of this name."""
    row = await house_of(request).query(
        lambda connection: catalog.read_name(connection, "trait", name), "catalog"
    )
    if row is None:
        raise not_found("trait", name)
    return json_response(row)


@router.put(
    "/v1/traits/{name}",
    response_model=NameView,
    **writes("not_custom", body=False, also=201),
)
async def define_trait(write: Write, name: TraitName) -> Response:
    """Define a trait of your own (CUSTOM_…). What is there already stays."""
    return await write.record(
        lambda books, at: cloud.define_trait(books, at, name), _defined, (f"trait:{name}",)
    )


@router.delete(
    "/v1/traits/{name}",
    response_model=None,
    **writes("trait_not_found", "trait_in_use", "standard_name", status=204, body=False),
)
async def remove_trait(write: Write, name: TraitName) -> Response:
    """Remove a trait of your own that no provider has."""
    return await write.record(
        lambda books, at: cloud.remove_trait(books, at, name), shows_nothing, (f"trait:{name}",)
    )


# --- Those of one provider ------------------------------------------------------------------------


@router.get(
    "/v1/providers/{provider_id}/traits",
    response_model=ProviderTraitsView,
    **reads("provider_not_found", timed=True, tagged=True),
)
async def read_provider_traits(
    request: Request, provider_id: ProviderId, at: At = None
) -> Response:
    """A provider's traits."""
    row = await find_provider(request, provider_id, at)
    return tagged(request, ProviderTraitsView(traits=row.traits), None if at else row.version)


@router.put(
    "/v1/providers/{provider_id}/traits",
    response_model=ProviderTraitsView,
    **writes("provider_not_found", "unknown_trait", conditional=True),
)
async def replace_provider_traits(
    write: Write, provider_id: ProviderId, body: ProviderTraitsBody
) -> Response:
    """Replace a provider's traits."""
    if_match = write.if_match()

    def use_case(books: Books, at: datetime) -> Provider:
        expected = if_match.expected(books.get(Provider, provider_id))
        return cloud.change_traits(books, at, provider_id, frozenset(body.traits), expected)

    return await write.record(use_case, _changed, (f"provider:{provider_id}",))
