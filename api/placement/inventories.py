"""What a provider has: inventories of classes, all of them together or one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from pydantic import ValidationError

from api.placement.call import NOTHING, Answer, Call, json_answer
from api.placement.faults import CONCURRENT_UPDATE, INVENTORY_IN_USE, Fault
from api.placement.resource_providers import existing
from api.placement.routes import Route, Routes
from api.placement.schemas import CLASS_PATTERN, INTEGER, LARGEST, Schema, a_record
from domain import cloud
from domain.books import Books
from domain.catalog import ResourceClass, standard_resource_classes
from domain.inventory import LARGEST_RATIO, DivisibleInventory, Inventory
from domain.provider import Provider

SINCE_ALL_RESERVED = 26

_COUNT = {"type": "integer", "minimum": 1, "maximum": LARGEST}
FIELDS: dict[str, Any] = {
    "total": _COUNT,
    "reserved": {"type": "integer", "minimum": 0, "maximum": LARGEST},
    "min_unit": _COUNT,
    "max_unit": _COUNT,
    "step_size": _COUNT,
    "allocation_ratio": {"type": "number", "maximum": float(LARGEST_RATIO)},
}
GENERATION = {"resource_provider_generation": INTEGER}
RECORD = a_record(("total",), **FIELDS, **GENERATION)
CREATE = Schema(
    a_record(
        ("total", "resource_class"),
        resource_class={"type": "string", "pattern": CLASS_PATTERN},
        **FIELDS,
        **GENERATION,
    )
)
UPDATE = Schema(a_record(("total", "resource_provider_generation"), **FIELDS, **GENERATION))
REPLACE = Schema(
    a_record(
        ("resource_provider_generation", "inventories"),
        inventories={"type": "object", "patternProperties": {CLASS_PATTERN: RECORD}},
        **GENERATION,
    )
)

# --- How inventories are told, and read -----------------------------------------------------------


def _told(inventory: Inventory) -> dict[str, Any]:
    """A discrete one is as much as its units together, and may be taken in any amount."""
    if isinstance(inventory, DivisibleInventory):
        told = inventory.model_dump(exclude={"kind"})
        return {name: told[name] for name in FIELDS} | {
            "allocation_ratio": float(inventory.allocation_ratio)
        }
    return {
        "total": inventory.capacity,
        "reserved": 0,
        "min_unit": 1,
        "max_unit": inventory.capacity,
        "step_size": 1,
        "allocation_ratio": 1.0,
    }


def _all_told(provider: Provider) -> Answer:
    told = {name: _told(one) for name, one in provider.inventories.items()}
    body = {"resource_provider_generation": provider.generation, "inventories": told}
    return json_answer(body, is_dated=True, shows_anything=bool(told), changed_at=provider.at)


def _one_told(provider: Provider, name: str, **more: Any) -> Answer:
    told = _told(provider.inventories[name])
    if provider.generation:
        told["resource_provider_generation"] = provider.generation
    return json_answer(told, is_dated=True, changed_at=provider.at, **more)


def read_inventory(
    provider_id: str, name: str, body: Mapping[str, Any], minor: int, complaint: str
) -> DivisibleInventory:
    """Raises a Fault (400) where more is reserved than there is."""
    values = {field: body[field] for field in FIELDS if field in body}
    if "allocation_ratio" in values:
        values["allocation_ratio"] = Decimal(str(values["allocation_ratio"]))
    whole = {field: int(value) for field, value in values.items() if field != "allocation_ratio"}
    total, reserved = whole["total"], whole.get("reserved", 0)
    ratio = values.get("allocation_ratio", Decimal(1))
    room = int((total - reserved) * ratio)
    if room < 0 or (room == 0 and minor < SINCE_ALL_RESERVED):
        worse = "greater than" if minor >= SINCE_ALL_RESERVED else "greater than or equal to"
        raise Fault(
            400,
            f"{complaint}Invalid inventory for '{name}' on resource provider '{provider_id}'. "
            f"The reserved value is {worse} total.",
        )
    try:
        return DivisibleInventory.model_validate({**values, **whole})
    except ValidationError as wrong:
        raise Fault(400, f"{complaint}{wrong.errors()[0]['msg']}") from None


def _require_generation(provider: Provider, body: Mapping[str, Any]) -> None:
    if body["resource_provider_generation"] != provider.generation:
        raise Fault(409, "resource provider generation conflict", CONCURRENT_UPDATE)


def require_known_classes(books: Books, names: Mapping[str, Any], complaint: str) -> None:
    for name in names:
        if not books.get(ResourceClass, name).known:
            raise Fault(400, f"{complaint}No such resource class {name}.")


def _require_divisible(provider: Provider, changes: Mapping[str, Any]) -> None:
    """Units have names that this API does not know of, and would lose."""
    for name in changes:
        inventory = provider.inventories.get(name)
        if inventory is not None and inventory.kind == "discrete":
            detail = f"{name} consists of named units: change it by /v1/providers"
            raise Fault(409, detail, INVENTORY_IN_USE)


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
        made: dict[str, Inventory | None] = {
            name: read_inventory(provider_id, name, one, call.minor, complaint)
            for name, one in body["inventories"].items()
        }
        unknown = f"Unknown resource class in inventory for resource provider {provider_id}: "
        require_known_classes(books, made, unknown)
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
    made: Mapping[str, Inventory | None],
    complaint: str,
) -> None:
    gone = [name for name in provider.inventories if name not in made]
    if used := [name for name in gone if provider.usage.get(name)]:
        raise Fault(409, f"{complaint}{_in_use(provider, used)}", INVENTORY_IN_USE)
    _require_divisible(provider, provider.inventories)
    cloud.change_inventories(books, at, provider.id, made, replace_all=True, confirm=True)


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
        _require_divisible(provider, {name: made})
        cloud.change_inventories(books, at, provider_id, {name: made}, confirm=True)
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
