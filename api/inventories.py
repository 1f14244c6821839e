"""What a provider has of each class: all of it, or class by class."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from api.identities import ProviderId
from api.openapi import noun, reads, writes
from api.reads import find_provider, tagged
from api.times import At
from api.writes import Write, shows, shows_nothing
from domain import cloud
from domain.books import Books
from domain.errors import NotFound
from domain.events import Fact
from domain.inventory import DiscreteInventory, DivisibleInventory, Inventories, Inventory
from domain.provider import Provider
from domain.values import ClassName

router = noun("inventories")

MOST_CLASSES = 1_000

AllInventories = Annotated[Inventories, Field(max_length=MOST_CLASSES)]


class InventoriesBody(Fact):
    """A provider's inventories from now on: all of them."""

    inventories: AllInventories


class InventoriesView(BaseModel):
    inventories: Inventories


def in_order(inventories: Inventories) -> Inventories:
    """By class, as every answer lists them."""
    return dict(sorted(inventories.items()))


def inventories_view(provider: Provider) -> InventoriesView:
    return InventoriesView(inventories=in_order(provider.inventories))


_all_of = shows(inventories_view)


# --- Reads ----------------------------------------------------------------------------------------


@router.get(
    "/v1/providers/{provider_id}/inventories",
    response_model=InventoriesView,
    **reads("provider_not_found", timed=True, tagged=True),
)
async def read_inventories(request: Request, provider_id: ProviderId, at: At = None) -> Response:
    """All that a provider has."""
    row = await find_provider(request, provider_id, at)
    view = InventoriesView(inventories=row.inventories)
    return tagged(request, view, None if at else row.version)


@router.get(
    "/v1/providers/{provider_id}/inventories/{resource_class}",
    response_model=Inventory,
    **reads("provider_not_found", "inventory_not_found", timed=True, tagged=True),
)
async def read_inventory(
    request: Request, provider_id: ProviderId, resource_class: ClassName, at: At = None
) -> Response:
    """What a provider has of one class."""
    row = await find_provider(request, provider_id, at)
    inventory = row.inventories.get(resource_class)
    if inventory is None:
        raise NotFound(
            "inventory_not_found", f"provider {provider_id} has no inventory of {resource_class}"
        )
    return tagged(request, inventory, None if at else row.version)


# --- Writes ---------------------------------------------------------------------------------------


@router.put(
    "/v1/providers/{provider_id}/inventories",
    response_model=InventoriesView,
    **writes("provider_not_found", "inventory_in_use", "unknown_resource_class", conditional=True),
)
async def replace_inventories(
    write: Write, provider_id: ProviderId, body: InventoriesBody
) -> Response:
    """Replace all of a provider's inventories.

    Shrinking one below its use is legal: no claim is lost, and nothing more is claimed of it.
    """
    if_match = write.if_match()

    def use_case(books: Books, at: datetime) -> Provider:
        return cloud.change_inventories(
            books,
            at,
            provider_id,
            {**body.inventories},
            replace_all=True,
            expected=if_match.expected(books.get(Provider, provider_id)),
        )

    return await write.record(use_case, _all_of, (f"provider:{provider_id}",))


@router.put(
    "/v1/providers/{provider_id}/inventories/{resource_class}",
    response_model=Inventory,
    **writes("provider_not_found", "inventory_in_use", "unknown_resource_class", conditional=True),
)
async def set_inventory(
    write: Write, provider_id: ProviderId, resource_class: ClassName, body: Inventory
) -> Response:
    """Set a provider's inventory of one class."""
    if_match = write.if_match()

    def use_case(books: Books, at: datetime) -> Provider:
        expected = if_match.expected(books.get(Provider, provider_id))
        changes: Changes = {resource_class: body}
        return cloud.change_inventories(books, at, provider_id, changes, expected=expected)

    def inventory_of(provider: Provider) -> Inventory:
        return provider.inventories[resource_class]

    return await write.record(use_case, shows(inventory_of), (f"provider:{provider_id}",))


@router.delete(
    "/v1/providers/{provider_id}/inventories/{resource_class}",
    response_model=None,
    **writes(
        "provider_not_found",
        "no_inventory",
        "inventory_in_use",
        status=204,
        body=False,
        conditional=True,
    ),
)
async def remove_inventory(
    write: Write, provider_id: ProviderId, resource_class: ClassName
) -> Response:
    """Remove a provider's inventory of one class, where nothing of it is in use."""
    if_match = write.if_match()

    def use_case(books: Books, at: datetime) -> Provider:
        expected = if_match.expected(books.get(Provider, provider_id))
        changes: Changes = {resource_class: None}
        return cloud.change_inventories(books, at, provider_id, changes, expected=expected)

    return await write.record(use_case, shows_nothing, (f"provider:{provider_id}",))


Changes = dict[str, DivisibleInventory | DiscreteInventory | None]
