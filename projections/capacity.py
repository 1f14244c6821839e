"""Capacity as it was at a time: what each provider had of each class, and what was in use.

The view of now is in memory (`live_capacity.py`); both answer with the same rows in the same order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache
from typing import Any, Literal

from pydantic import Field, JsonValue, TypeAdapter
from sqlalchemy import Connection, func, select, tuple_

from domain.events import Fact
from domain.inventory import DivisibleInventory, Inventory
from domain.times import to_micros
from projections.bulk import key_part, key_table
from projections.capacity_tables import allocations, counts_at, inventories, providers
from projections.in_use import InUse, rows_of
from projections.provider_filters import matching_providers
from projections.schema_version import columns_in


class UnitRow(Fact):
    name: str
    capacity: int
    usage: int
    attributes: dict[str, JsonValue]


class CapacityRow(Fact):
    """One class of one provider. `available` is below zero if the inventory shrunk that far."""

    provider_id: str
    provider_name: str
    resource_class: str
    kind: Literal["divisible", "discrete"]
    total: int
    reserved: int
    allocation_ratio: float
    capacity: int
    usage: int
    available: int
    units: list[UnitRow] | None
    registered_position: int = Field(exclude=True)


class CapacityTotal(Fact):
    """One class over all (or the selected) providers."""

    resource_class: str
    providers: int
    total: int
    capacity: int
    usage: int
    available: int


@cache
def inventory_adapter() -> TypeAdapter[Any]:
    """Reads one inventory, of either kind, from its JSON."""
    return TypeAdapter(Inventory)


def capacity_row(
    *,
    registered_position: int,
    provider_id: str,
    provider_name: str,
    resource_class: str,
    inventory: Inventory,
    usage: int,
    unit_usage: Mapping[str, int],
) -> CapacityRow:
    """The row of one inventory. A discrete one's total is the sum of its units' capacities."""
    divisible = inventory if isinstance(inventory, DivisibleInventory) else None
    units = None
    if not isinstance(inventory, DivisibleInventory):
        units = [
            UnitRow(
                name=unit.name,
                capacity=unit.capacity,
                usage=unit_usage.get(unit.name, 0),
                attributes=dict(unit.attributes),
            )
            for unit in inventory.units
        ]
    return CapacityRow(
        registered_position=registered_position,
        provider_id=provider_id,
        provider_name=provider_name,
        resource_class=resource_class,
        kind=inventory.kind,
        total=inventory.capacity if divisible is None else divisible.total,
        reserved=0 if divisible is None else divisible.reserved,
        allocation_ratio=1.0 if divisible is None else float(divisible.allocation_ratio),
        capacity=inventory.capacity,
        usage=usage,
        available=inventory.capacity - usage,
        units=units,
    )


def read_capacity(
    connection: Connection,
    at: datetime,
    *,
    provider_id: str | None = None,
    in_tree: str | None = None,
    resource_class: str | None = None,
    trait: str | None = None,
    after: tuple[int, str] | None = None,
    limit: int = 100,
) -> list[CapacityRow]:
    """Rows by registration and class, those after `after`. `in_tree` names the top of a subtree."""
    moment = to_micros(at)
    statement = (
        select(*columns_in(connection, inventories), providers.c.name)
        .join(providers, providers.c.provider_id == inventories.c.provider_id)
        .where(counts_at(inventories, moment))
        .where(*matching_providers(moment, provider_id, in_tree, trait))
        .order_by(inventories.c.registered_position, inventories.c.resource_class)
        .limit(limit)
    )
    if resource_class is not None:
        statement = statement.where(inventories.c.resource_class == resource_class)
    if after is not None:
        place = tuple_(inventories.c.registered_position, inventories.c.resource_class)
        statement = statement.where(place > after)
    found = connection.execute(statement).all()
    used = _in_use(connection, moment, [row.registered_position for row in found])
    return [
        capacity_row(
            registered_position=row.registered_position,
            provider_id=row.provider_id,
            provider_name=row.name,
            resource_class=row.resource_class,
            inventory=inventory_adapter().validate_json(row.inventory),
            usage=used[row.registered_position].amounts.get(row.resource_class, 0),
            unit_usage=used[row.registered_position].units.get(row.resource_class, {}),
        )
        for row in found
    ]


def read_totals(
    connection: Connection,
    at: datetime,
    *,
    resource_class: str | None = None,
    trait: str | None = None,
) -> list[CapacityTotal]:
    """One row for each class that some provider has an inventory of, by name."""
    moment = to_micros(at)
    inventory = (
        select(
            inventories.c.resource_class,
            func.count().label("providers"),
            func.sum(inventories.c.total).label("total"),
            func.sum(inventories.c.capacity).label("capacity"),
        )
        .join(providers, providers.c.provider_id == inventories.c.provider_id)
        .where(counts_at(inventories, moment), *matching_providers(moment, trait=trait))
        .group_by(inventories.c.resource_class)
        .order_by(inventories.c.resource_class)
    )
    if resource_class is not None:
        inventory = inventory.where(inventories.c.resource_class == resource_class)
    used = (
        select(allocations.c.resources, allocations.c.units)
        .join(providers, providers.c.registered_position == allocations.c.registered_position)
        .where(counts_at(allocations, moment), *matching_providers(moment, trait=trait))
    )
    usage = InUse()
    for resources, units in rows_of(connection, used):
        usage.add(resources, units)
    return [
        CapacityTotal(
            resource_class=row.resource_class,
            providers=row.providers,
            total=int(row.total),
            capacity=int(row.capacity),
            usage=usage.amounts.get(row.resource_class, 0),
            available=int(row.capacity) - usage.amounts.get(row.resource_class, 0),
        )
        for row in connection.execute(inventory)
    ]


def _in_use(
    connection: Connection, moment: int, registered_positions: Iterable[int]
) -> dict[int, InUse]:
    """What is in use of some providers."""
    found = {position: InUse() for position in registered_positions}
    keyed = key_table((position,) for position in found)
    if keyed is None:
        return found
    provider = allocations.c.registered_position
    statement = (
        select(provider, allocations.c.resources, allocations.c.units)
        .select_from(keyed)
        .where(provider == key_part(keyed, 0, whole=True), counts_at(allocations, moment))
    )
    for position, resources, units in rows_of(connection, statement):
        found[position].add(resources, units)
    return found
