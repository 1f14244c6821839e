"""What a provider has: inventories of classes, all of them together or one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from api.placement.call import NOTHING, Answer, Call, json_answer
from api.placement.faults import CONCURRENT_UPDATE, INVENTORY_IN_USE, Fault
from api.placement.inventory_bodies import (
    CREATE,
    REPLACE,
    UPDATE,
    inventory_told,
    read_inventory,
    refuse_units,
    require_known_classes,
    with_units,
)
from api.placement.resource_providers import existing
from api.placement.routes import Route, Routes
from domain import cloud
from domain.books import Books
from domain.catalog import ResourceClass, standard_resource_classes
from domain.inventory import Inventory
from domain.provider import Provider


def _all_told(provider: Provider) -> Answer:
    told = {name: inventory_told(one) for name, one in provider.inventories.items()}
    body = {"resource_provider_generation": provider.generation, "inventories": told}
    return json_answer(body, is_dated=True, shows_anything=bool(told), changed_at=provider.at)


def _one_told(provider: Provider, name: str, **more: Any) -> Answer:
    told = inventory_told(provider.inventories[name])
    if provider.generation:
        told["resource_provider_generation"] = provider.generation
    return json_answer(told, is_dated=True, changed_at=provider.at, **more)


def _require_generation(provider: Provider, body: Mapping[str, Any]) -> None:
    if body["resource_provider_generation"] != provider.generation:
        raise Fault(409, "resource provider generation conflict", CONCURRENT_UPDATE)


def _in_use(provider: Provider, names: Sequence[str]) -> str:
    """Standard classes in OpenStack's order, and then the others."""
    standard = standard_resource_classes()
    told = sorted(names, key=lambda n: (standard.index(n) if n in standard else len(standard), n))
    return f"Inventory for '{', '.join(told)}' on resource provider '{provider.id}' in use."


# --- Reads ----------------------------------------------------------------------------------------


async def list_inventories(call: Call) -> Answer:
    return await call.ask(
        lambda books: _all_told(existing(books, call.arguments["uuid"], " : No such provider."))
    )


async def show_inventory(call: Call) -> Answer:
    def question(books: Books) -> Answer:
        provider = existing(books, call.arguments["uuid"], " : No such provider.")
        name = call.arguments["resource_class"]
        if name not in provider.inventories:
            raise Fault(404, f"No inventory of class {name} for {provider.id}")
        return _one_told(provider, name)

    return await call.ask(question)


# --- Writes ---------------------------------------------------------------------------------------


async def create_inventory(call: Call) -> Answer:
    provider_id = call.arguments["uuid"]

    def decide(books: Books, at: datetime) -> tuple[Provider, Answer]:
        provider = existing(books, provider_id)
        body = CREATE.read(call.body)
        name = body["resource_class"]
        complaint = f"Unable to create inventory for resource provider {provider_id}: "
        made = read_inventory(provider_id, name, body, call.minor, complaint)
        require_known_classes(books, {name: made}, complaint)
        if name in provider.inventories:
            detail = f"Update conflict: there is an inventory of {name} already."
            raise Fault(409, detail, CONCURRENT_UPDATE)
        cloud.change_inventories(books, at, provider_id, {name: made})
        location = f"/resource_providers/{provider_id}/inventories/{name}"
        return provider, _one_told(provider, name, status=201, location=location)

    return await call.record(decide)


async def replace_inventories(call: Call) -> Answer:
    provider_id = call.arguments["uuid"]

    def decide(books: Books, at: datetime) -> tuple[Provider, Answer]:
        provider = existing(books, provider_id)
        body = REPLACE.read(call.body)
        _require_generation(provider, body)
        complaint = f"Unable to update inventory for resource provider {provider_id}: "
        unknown = f"Unknown resource class in inventory for resource provider {provider_id}: "
        # Names of other letters are not known, and nothing was said of what they have.
        require_known_classes(books, body["inventories"], unknown)
        made = {
            name: read_inventory(provider_id, name, one, call.minor, complaint)
            for name, one in body["inventories"].items()
        }
        _replace(books, at, provider, made, "update conflict: ")
        return provider, _all_told(provider)

    return await call.record(decide)


async def delete_inventories(call: Call) -> Answer:
    def decide(books: Books, at: datetime) -> tuple[Provider, Answer]:
        provider = existing(books, call.arguments["uuid"])
        _replace(books, at, provider, {}, "")
        return provider, NOTHING

    return await call.record(decide)


def _replace(
    books: Books,
    at: datetime,
    provider: Provider,
    made: Mapping[str, Inventory],
    complaint: str,
) -> None:
    gone = provider.inventories.keys() - made.keys()
    if used := [name for name in gone if provider.usage.get(name)]:
        raise Fault(409, f"{complaint}{_in_use(provider, used)}", INVENTORY_IN_USE)
    kept = with_units(provider, made, all_of_it=True)
    cloud.change_inventories(books, at, provider.id, kept, replace_all=True, confirm=True)


async def update_inventory(call: Call) -> Answer:
    provider_id, name = call.arguments["uuid"], call.arguments["resource_class"]

    def decide(books: Books, at: datetime) -> tuple[Provider, Answer]:
        provider = existing(books, provider_id)
        body = UPDATE.read(call.body)
        _require_generation(provider, body)
        complaint = f"Unable to update inventory for resource provider {provider_id}: "
        made = read_inventory(provider_id, name, body, call.minor, complaint)
        if not books.get(ResourceClass, name).known:
            raise Fault(404, f"No such resource class {name}.", leaves_handler=True)
        if name not in provider.inventories:
            detail = "No inventory record with resource class for resource provider "
            raise Fault(400, f"{detail}{provider_id}: No inventory of class {name} found.")
        kept = with_units(provider, {name: made}, all_of_it=False)
        cloud.change_inventories(books, at, provider_id, kept, confirm=True)
        return provider, _one_told(provider, name)

    return await call.record(decide)


async def delete_inventory(call: Call) -> Answer:
    provider_id, name = call.arguments["uuid"], call.arguments["resource_class"]

    def decide(books: Books, at: datetime) -> tuple[Provider, Answer]:
        provider = existing(books, provider_id)
        if name not in provider.inventories:
            detail = f"No inventory of class {name} found for delete: "
            raise Fault(404, f"{detail}No inventory of class {name} found.")
        if provider.usage.get(name):
            detail = f"Unable to delete inventory of class {name}: {_in_use(provider, [name])}"
            raise Fault(409, detail, CONCURRENT_UPDATE)
        if provider.inventories[name].kind == "discrete":
            refuse_units(name)
        cloud.change_inventories(books, at, provider_id, {name: None})
        return provider, NOTHING

    return await call.record(decide)


_RULE = "placement:resource_providers:inventories:"
ROUTES: Routes = {
    "/resource_providers/{uuid}/inventories": {
        "GET": Route(list_inventories, f"{_RULE}list", shows_json=True),
        "POST": Route(create_inventory, f"{_RULE}create", reads_json=True),
        "PUT": Route(replace_inventories, f"{_RULE}update", reads_json=True),
        "DELETE": Route(delete_inventories, f"{_RULE}delete", since=5, too_early=405),
    },
    "/resource_providers/{uuid}/inventories/{resource_class}": {
        "GET": Route(show_inventory, f"{_RULE}show", shows_json=True),
        "PUT": Route(update_inventory, f"{_RULE}update", reads_json=True),
        "DELETE": Route(delete_inventory, f"{_RULE}delete"),
    },
}
