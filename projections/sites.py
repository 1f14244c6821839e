"""Trees of providers, or providers each by itself, with what they have and what is in use of it.

As of a moment, and between two moments, from the capacity read model; some at a time, so that a
cloud of any size is never in memory as a whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, or_, select

from domain.billing_time import Micros
from domain.inventory import Inventory
from domain.steps import Edges
from domain.stranded import Stock
from projections.bulk import key_part, key_table
from projections.capacity import inventory_adapter
from projections.capacity_tables import allocations, counts_at, inventories, providers
from projections.in_use import InUse, rows_of
from projections.json_text import from_text
from projections.levels import Levels, levels_of


@dataclass(slots=True)
class Site:
    """A tree, told by its root, or one provider. `is_whole`: it is a whole tree."""

    provider_id: str
    provider_name: str
    registered_position: int
    is_whole: bool
    stocks: dict[str, Stock] = field(default_factory=dict)
    levels: dict[str, Levels] = field(default_factory=dict)


def read_sites(
    connection: Connection,
    moment: Micros,
    edges: Edges | None,
    *,
    trees: bool,
    provider_id: str | None = None,
    after: int | None = None,
    limit: int = 100,
) -> list[Site]:
    """By registration, those after a registered position. Levels are there where `edges` are."""
    statement = (
        select(*_TOLD)
        .where(counts_at(providers, moment))
        .order_by(providers.c.registered_position)
        .limit(limit)
    )
    if trees:
        statement = statement.where(providers.c.parent_id.is_(None))
    if provider_id is not None:
        statement = statement.where(providers.c.provider_id == provider_id)
    if after is not None:
        statement = statement.where(providers.c.registered_position > after)
    heads = connection.execute(statement).all()
    members = _members(connection, moment, heads) if trees else heads
    parents = set() if trees else _parents(connection, moment, heads)
    sites = {
        row.provider_id: Site(
            provider_id=row.provider_id,
            provider_name=row.name,
            registered_position=row.registered_position,
            is_whole=trees or (row.parent_id is None and row.provider_id not in parents),
        )
        for row in heads
    }
    site_of: dict[int, tuple[Site, Stock]] = {}
    ids: dict[str, int] = {}
    for row in members:
        site = sites[row.root_id if trees else row.provider_id]
        stock = site.stocks[row.provider_id] = Stock(frozenset(from_text(row.traits)))
        site_of[row.registered_position] = (site, stock)
        ids[row.provider_id] = row.registered_position
    _add_inventories(connection, moment, edges, ids, site_of)
    _add_usage(connection, moment, edges, site_of)
    return list(sites.values())


LONGEST_KEPT = 4_096
"""Of a list of thousands of units there is hardly a second one that is the same."""


def _inventory_of(text: str) -> Inventory:
    return _kept(text) if len(text) <= LONGEST_KEPT else _parsed(text)


def _parsed(text: str) -> Inventory:
    inventory: Inventory = inventory_adapter().validate_json(text)
    return inventory


@lru_cache(maxsize=2_048)
def _kept(text: str) -> Inventory:
    """Hosts of one kind have the same inventory, to the letter."""
    return _parsed(text)


# --- Which providers ------------------------------------------------------------------------------

_TOLD = (
    providers.c.provider_id,
    providers.c.name,
    providers.c.registered_position,
    providers.c.parent_id,
    providers.c.traits,
)


def _members(connection: Connection, moment: Micros, roots: Sequence[Any]) -> Sequence[Any]:
    """The providers of these trees, as the trees were at that moment, each with its root."""
    keyed = key_table((row.provider_id,) for row in roots)
    if keyed is None:
        return []
    root = key_part(keyed, 0)
    found = (
        select(root.label("root_id"), *_TOLD)
        .select_from(keyed)
        .where(providers.c.provider_id == root, counts_at(providers, moment))
        .cte("tree", recursive=True)
    )
    child = providers.alias("child")
    below = (
        select(found.c.root_id, *(child.c[column.name] for column in _TOLD))
        .join(found, child.c.parent_id == found.c.provider_id)
        .where(counts_at(child, moment))
    )
    # UNION, not UNION ALL: clocks of different streams may show a loop that never was.
    return connection.execute(select(found.union(below))).all()


def _parents(connection: Connection, moment: Micros, some: Sequence[Any]) -> set[str]:
    """Those of some providers that have others below them."""
    keyed = key_table((row.provider_id,) for row in some)
    if keyed is None:
        return set()
    statement = (
        select(providers.c.parent_id)
        .select_from(keyed)
        .where(providers.c.parent_id == key_part(keyed, 0), counts_at(providers, moment))
    )
    return set(connection.execute(statement).scalars())


# --- What they have, and what is in use -----------------------------------------------------------


def _add_inventories(
    connection: Connection,
    moment: Micros,
    edges: Edges | None,
    ids: dict[str, int],
    site_of: dict[int, tuple[Site, Stock]],
) -> None:
    keyed = key_table((id,) for id in ids)
    if keyed is None:
        return
    statement = (
        select(
            inventories.c.provider_id,
            inventories.c.from_at,
            inventories.c.to_at,
            inventories.c.resource_class,
            inventories.c.inventory,
        )
        .select_from(keyed)
        .where(inventories.c.provider_id == key_part(keyed, 0))
        .where(_meets(inventories, moment, edges))
        .order_by(inventories.c.resource_class)
    )
    for provider_id, from_at, to_at, name, text in rows_of(connection, statement):
        site, stock = site_of[ids[provider_id]]
        inventory = _inventory_of(text)
        if from_at <= moment and (to_at is None or to_at > moment):
            stock.inventories[name] = inventory
        if edges is not None:
            levels_of(site.levels, name, edges).add_capacity(inventory.capacity, from_at, to_at)


def _add_usage(
    connection: Connection,
    moment: Micros,
    edges: Edges | None,
    site_of: dict[int, tuple[Site, Stock]],
) -> None:
    keyed = key_table((position,) for position in site_of)
    if keyed is None:
        return
    provider = allocations.c.registered_position
    statement = (
        select(
            provider,
            allocations.c.from_at,
            allocations.c.to_at,
            allocations.c.resources,
            allocations.c.units,
        )
        .select_from(keyed)
        .where(provider == key_part(keyed, 0, whole=True), _meets(allocations, moment, edges))
    )
    used: dict[int, InUse] = {}
    for position, from_at, to_at, resources, units in rows_of(connection, statement):
        site, _ = site_of[position]
        if from_at <= moment and (to_at is None or to_at > moment):
            used.setdefault(position, InUse()).add(resources, units)
        if edges is not None:
            for name, amount in from_text(resources).items():
                levels_of(site.levels, name, edges).add_usage(amount, from_at, to_at)
    for position, in_use in used.items():
        _, stock = site_of[position]
        stock.usage, stock.unit_usage = in_use.amounts, in_use.units


def _meets(table: Table, moment: Micros, edges: Edges | None) -> ColumnElement[bool]:
    """What counts at the moment or, with edges, at any time between them and it."""
    start = moment if edges is None else edges[0]
    begun: ColumnElement[bool] = table.c.from_at <= moment
    return begun & or_(table.c.to_at.is_(None), table.c.to_at > start)
