"""Resource providers: register, read, list, rename, move, delete."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import Query, Request
from pydantic import ConfigDict, Field
from starlette.responses import Response

from api.groups import MOST_GROUPS
from api.identities import ProviderId, new_id
from api.inventories import AllInventories, in_order
from api.openapi import noun, reads, writes
from api.paging import Cursor, CursorText, Limit, Page
from api.reads import InTree, WithTrait, find_provider, house_of, tagged
from api.times import At, require_past
from api.traits import MOST_TRAITS
from api.writes import Write, shows, shows_nothing
from domain import cloud
from domain.books import Books
from domain.events import Fact
from domain.provider import Provider
from domain.values import GroupName, ProviderName, TraitName
from projections.providers import ProviderRow, read_providers

router = noun("providers")

# --- What is asked --------------------------------------------------------------------------------


class ProviderBody(Fact):
    """A new provider. Without an id it gets one."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "host-1",
                    "traits": ["HW_CPU_X86_AVX2"],
                    "inventories": {
                        "VCPU": {"kind": "divisible", "total": 64, "allocation_ratio": 4.0},
                        "MEMORY_MB": {"kind": "divisible", "total": 262144, "reserved": 4096},
                        "PGPU": {
                            "kind": "discrete",
                            "units": [
                                {"name": "gpu0", "attributes": {"model": "A100"}},
                                {"name": "gpu1", "attributes": {"model": "A100"}},
                            ],
                        },
                    },
                }
            ]
        }
    )

    id: ProviderId | None = None
    name: ProviderName
    parent_id: ProviderId | None = None
    traits: Annotated[tuple[TraitName, ...], Field(max_length=MOST_TRAITS)] = ()
    groups: Annotated[tuple[GroupName, ...], Field(max_length=MOST_GROUPS)] = ()
    inventories: AllInventories = {}


class ProviderPatch(Fact):
    """What is not given stays. A `parent_id` of null makes the provider a root."""

    name: ProviderName | None = Field(default=None, description="Null: as it is.")
    parent_id: ProviderId | None = None


# --- What is told ---------------------------------------------------------------------------------


class ProviderView(ProviderRow):
    """A provider: what it is and what it has."""

    registered_position: int = Field(default=0, exclude=True)


def provider_view(provider: Provider) -> ProviderView:
    assert provider.registered_at is not None
    return ProviderView(
        id=provider.id,
        name=provider.name,
        parent_id=provider.parent_id,
        traits=tuple(sorted(provider.traits)),
        groups=tuple(sorted(provider.groups)),
        inventories=in_order(provider.inventories),
        version=provider.version,
        registered_at=provider.registered_at,
        deleted_at=provider.at if provider.deleted else None,
    )


_registered = shows(provider_view, status=201, under="/v1/providers")
_described = shows(provider_view)

# --- Reads ----------------------------------------------------------------------------------------

_cursor: Cursor[int] = Cursor("providers", int)


@router.get("/v1/providers", response_model=Page[ProviderView], **reads(timed=True, paged=True))
async def list_providers(
    request: Request,
    *,
    name: Annotated[ProviderName | None, Query(description="Only the one of this name.")] = None,
    in_tree: InTree = None,
    trait: WithTrait = None,
    member_of: Annotated[
        GroupName | None, Query(description="Only providers in this group.")
    ] = None,
    at: At = None,
    limit: Limit = 100,
    cursor: CursorText = None,
) -> Response:
    """Providers in the order of their registration, without deleted ones."""
    house = house_of(request)
    require_past(house.now(), at)
    after = _cursor.find(cursor)
    rows = await house.query(
        lambda connection: read_providers(
            connection,
            at,
            name=name,
            in_tree=in_tree,
            trait=trait,
            group=member_of,
            after=after,
            limit=limit + 1,
        ),
        "capacity",
    )
    return _cursor.page(rows, limit, lambda row: row.registered_position)


@router.get(
    "/v1/providers/{provider_id}",
    response_model=ProviderView,
    **reads("provider_not_found", timed=True, tagged=True),
)
async def read_provider(request: Request, provider_id: ProviderId, at: At = None) -> Response:
    """One provider, with its traits and inventories."""
    row = await find_provider(request, provider_id, at)
    return tagged(request, row, None if at else row.version)


# --- Writes ---------------------------------------------------------------------------------------


@router.post(
    "/v1/providers",
    response_model=ProviderView,
    **writes(
        "provider_exists",
        "duplicate_name",
        "unknown_provider",
        "unknown_resource_class",
        "unknown_trait",
        status=201,
    ),
)
async def register_provider(write: Write, body: ProviderBody) -> Response:
    """Register a provider, with its traits and inventories, in one append."""
    provider_id = body.id or new_id()

    def use_case(books: Books, at: datetime) -> Provider:
        return cloud.register_provider(
            books,
            at,
            provider_id=provider_id,
            name=body.name,
            parent_id=body.parent_id,
            traits=frozenset(body.traits),
            inventories=body.inventories,
            groups=frozenset(body.groups),
        )

    return await write.record(
        use_case, _registered, (f"provider:{provider_id}", f"provider_name:{body.name}")
    )


@router.patch(
    "/v1/providers/{provider_id}",
    response_model=ProviderView,
    **writes(
        "provider_not_found", "duplicate_name", "unknown_provider", "tree_loop", conditional=True
    ),
)
async def describe_provider(write: Write, provider_id: ProviderId, body: ProviderPatch) -> Response:
    """Rename a provider, or move it with all below it to another parent."""
    if_match = write.if_match()
    move = "parent_id" in body.model_fields_set

    def use_case(books: Books, at: datetime) -> Provider:
        expected = if_match.expected(books.get(Provider, provider_id))
        return cloud.describe_provider(
            books,
            at,
            provider_id,
            name=body.name,
            parent_id=body.parent_id,
            move=move,
            expected=expected,
        )

    return await write.record(use_case, _described, (f"provider:{provider_id}",))


@router.delete(
    "/v1/providers/{provider_id}",
    response_model=None,
    **writes(
        "provider_not_found",
        "provider_in_use",
        "provider_has_children",
        status=204,
        body=False,
        conditional=True,
    ),
)
async def delete_provider(write: Write, provider_id: ProviderId) -> Response:
    """Delete a provider that has no children and that nobody holds anything of."""
    if_match = write.if_match()

    def use_case(books: Books, at: datetime) -> Provider:
        expected = if_match.expected(books.get(Provider, provider_id))
        return cloud.delete_provider(books, at, provider_id, expected)

    return await write.record(use_case, shows_nothing, (f"provider:{provider_id}",))
