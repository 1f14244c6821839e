"""Inventories as clients send them and are told them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NoReturn

from pydantic import ValidationError

from api.placement.faults import INVENTORY_IN_USE, Fault
from api.placement.schemas import CLASS_PATTERN, INTEGER, LARGEST, Schema, a_record
from domain.books import Books
from domain.catalog import ResourceClass
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

# --- How they are told, and read ------------------------------------------------------------------


def as_amount(inventory: Inventory) -> DivisibleInventory:
    """A discrete one is as much as its units together, and may be taken in any amount."""
    if isinstance(inventory, DivisibleInventory):
        return inventory
    most = inventory.capacity
    return DivisibleInventory.model_construct(total=most, max_unit=most)


def inventory_told(inventory: Inventory) -> dict[str, Any]:
    shown = as_amount(inventory)
    told: dict[str, Any] = {name: getattr(shown, name) for name in FIELDS}
    told["allocation_ratio"] = float(shown.allocation_ratio)
    return told


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


def require_known_classes(books: Books, names: Mapping[str, Any], complaint: str) -> None:
    for name in names:
        if not books.get(ResourceClass, name).known:
            raise Fault(400, f"{complaint}No such resource class {name}.")


def with_units(
    provider: Provider, made: Mapping[str, Inventory], *, all_of_it: bool
) -> dict[str, Inventory]:
    """Units have names that this API does not know of, and would lose: an inventory of them may be
    written as it is told, and then stays. Raises a Fault (409) where it would be another, or would
    be gone if what is made is `all_of_it`."""
    kept: dict[str, Inventory] = {**made}
    for name, inventory in provider.inventories.items():
        if inventory.kind != "discrete" or (name not in made and not all_of_it):
            continue
        if made.get(name) != as_amount(inventory):
            refuse_units(name)
        kept[name] = inventory
    return kept


def refuse_units(name: str) -> NoReturn:
    detail = f"{name} consists of named units: change it by /v1/providers"
    raise Fault(409, detail, INVENTORY_IN_USE)
