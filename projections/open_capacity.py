"""What is so now, or was at a moment, in order and row by row: what views in memory start from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from sqlalchemy import Connection, select

from domain.billing_time import Micros
from domain.inventory import Inventory
from domain.times import from_micros
from projections.capacity import inventory_adapter
from projections.capacity_tables import (
    allocations,
    counts_at,
    groups_from,
    inventories,
    providers,
    streams,
)
from projections.in_use import InUse, rows_of
from projections.json_text import from_text
from projections.schema_version import columns_in

_COUNTS = ("version", "generation")


@dataclass(frozen=True, slots=True)
class OpenProvider:
    provider_id: str
    registered_position: int
    name: str
    parent_id: str | None
    traits: tuple[str, ...]
    groups: tuple[str, ...]
    version: int
    generation: int | None
    """None in a version that does not count them."""


@dataclass(frozen=True, slots=True)
class OpenInventory:
    provider_id: str
    resource_class: str
    inventory: Inventory


@dataclass(frozen=True, slots=True)
class OpenUsage:
    """What all holders together have of one class of one provider, lapsed holds included."""

    provider_id: str
    resource_class: str
    amount: int


@dataclass(frozen=True, slots=True)
class OpenUnits:
    """The same of a discrete class: how much of each unit."""

    provider_id: str
    resource_class: str
    units: dict[str, int]


def open_providers(connection: Connection, moment: Micros | None = None) -> Iterator[OpenProvider]:
    """By registration. A provider that was moved may come before its parent."""
    counted = [one for one in columns_in(connection, streams) if one.name in _COUNTS]
    statement = (
        select(*columns_in(connection, providers), *counted)
        .join(streams, streams.c.registered_position == providers.c.registered_position)
        .where(counts_at(providers, moment))
        .order_by(providers.c.registered_position)
    )
    for row in rows_of(connection, statement):
        yield OpenProvider(
            provider_id=row.provider_id,
            registered_position=row.registered_position,
            name=row.name,
            parent_id=row.parent_id,
            traits=tuple(from_text(row.traits)),
            groups=groups_from(row.groups),
            version=row.version,
            generation=row.generation,
        )


def open_inventories(
    connection: Connection, moment: Micros | None = None
) -> Iterator[OpenInventory]:
    """By registration and class."""
    statement = (
        select(*columns_in(connection, inventories))
        .where(counts_at(inventories, moment))
        .order_by(inventories.c.registered_position, inventories.c.resource_class)
    )
    for row in rows_of(connection, statement):
        inventory = inventory_adapter().validate_json(row.inventory)
        yield OpenInventory(row.provider_id, row.resource_class, inventory)


def open_usage(connection: Connection, moment: Micros | None = None) -> Iterator[OpenUsage]:
    """A hold counts until its stream says that it ended, as in the provider's own state; at a
    moment, until its deadline."""
    for provider_id, used in _in_use_by_provider(connection, moment):
        for resource_class, amount in used.amounts.items():
            yield OpenUsage(provider_id, resource_class, amount)


def open_units(connection: Connection, moment: Micros | None = None) -> Iterator[OpenUnits]:
    """The same, by unit."""
    for provider_id, used in _in_use_by_provider(connection, moment, discrete=True):
        for resource_class, units in used.units.items():
            yield OpenUnits(provider_id, resource_class, units)


def open_holds(connection: Connection) -> Iterator[tuple[str, datetime]]:
    """Each request that still holds, and until when."""
    statement = (
        select(allocations.c.request_id, allocations.c.hold_until)
        .where(allocations.c.to_position.is_(None), allocations.c.hold_until.is_not(None))
        .distinct()
    )
    for row in rows_of(connection, statement):
        yield row.request_id, from_micros(row.hold_until)


def _in_use_by_provider(
    connection: Connection, moment: Micros | None, *, discrete: bool = False
) -> Iterator[tuple[str, InUse]]:
    """All the open allocations of one provider after the other."""
    statement = (
        select(streams.c.provider_id, allocations.c.resources, allocations.c.units)
        .join(streams, streams.c.registered_position == allocations.c.registered_position)
        .where(counts_at(allocations, moment))
        .order_by(allocations.c.registered_position)
    )
    if discrete:
        statement = statement.where(allocations.c.units.is_not(None))
    for provider_id, rows in groupby(rows_of(connection, statement), key=lambda row: row[0]):
        used = InUse()
        for _, resources, units in rows:
            used.add(resources, units)
        yield provider_id, used
