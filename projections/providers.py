"""Providers as they are, or as they were at a time: part of the capacity read model."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from pydantic import Field
from sqlalchemy import Connection, Row, Select, select

from domain.events import Fact
from domain.inventory import Inventories
from domain.times import from_micros, to_micros
from projections.bulk import key_part, key_table
from projections.capacity import inventory_adapter
from projections.capacity_tables import (
    counts_at,
    groups_from,
    inventories,
    providers,
    streams,
)
from projections.json_text import from_text
from projections.provider_filters import in_group, matching_providers
from projections.schema_version import columns_in


class ProviderRow(Fact):
    """A provider. `version` is its stream's newest, also where the rest is as of a time before."""

    id: str
    name: str
    parent_id: str | None
    traits: tuple[str, ...]
    groups: tuple[str, ...] = ()
    inventories: Inventories
    version: int
    registered_at: datetime
    deleted_at: datetime | None
    registered_position: int = Field(exclude=True)


class RootRow(Fact):
    """The top of a tree, as a refusal's reasons name it."""

    provider_id: str
    provider_name: str
    registered_position: int = Field(exclude=True)


def _with_version(connection: Connection) -> Select[*tuple[Any, ...]]:
    return select(*columns_in(connection, providers), streams.c.version).join(
        streams, streams.c.registered_position == providers.c.registered_position
    )


def read_providers(
    connection: Connection,
    at: datetime | None = None,
    *,
    name: str | None = None,
    in_tree: str | None = None,
    trait: str | None = None,
    group: str | None = None,
    after: int | None = None,
    limit: int = 100,
) -> list[ProviderRow]:
    """Providers by registration, now or at a time, without deleted ones.

    `in_tree` names the top of a subtree; `after` is the last page's last registered position.
    """
    moment = None if at is None else to_micros(at)
    statement = (
        _with_version(connection)
        .where(*matching_providers(moment, None, in_tree, trait, name))
        .where(*in_group(connection, group))
        .order_by(providers.c.registered_position)
        .limit(limit)
    )
    if after is not None:
        statement = statement.where(providers.c.registered_position > after)
    return _with_inventories(connection, connection.execute(statement).all(), moment)


def read_provider(
    connection: Connection, provider_id: str, at: datetime | None = None
) -> ProviderRow | None:
    """The provider now or at a time, also a deleted one; None before it was registered."""
    moment = None if at is None else to_micros(at)
    statement = (
        _with_version(connection)
        .where(providers.c.provider_id == provider_id)
        .order_by(providers.c.from_position.desc())
        .limit(1)
    )
    if moment is not None:
        statement = statement.where(providers.c.from_at <= moment)
    found = _with_inventories(connection, connection.execute(statement).all(), moment)
    return found[0] if found else None


def expand_ranges(
    connection: Connection,
    ranges: Iterable[tuple[int, int]],
    position: int,
    *,
    after: int | None = None,
    limit: int = 100,
) -> list[RootRow]:
    """The roots that a refusal's reason names, by registration: those alive at its log position.

    `ranges` are first and last registered positions, both included.
    """
    keyed = key_table((first, last) for first, last in ranges if after is None or last > after)
    if keyed is None:
        return []
    place = providers.c.registered_position
    statement = (
        select(providers.c.provider_id, providers.c.name, place)
        .select_from(keyed)
        .where(place.between(key_part(keyed, 0, whole=True), key_part(keyed, 1, whole=True)))
        .where(providers.c.parent_id.is_(None), providers.c.from_position <= position)
        .where(providers.c.to_position.is_(None) | (providers.c.to_position > position))
        .order_by(place)
        .limit(limit)
    )
    if after is not None:
        statement = statement.where(place > after)
    return [
        RootRow(provider_id=id, provider_name=name, registered_position=registered)
        for id, name, registered in connection.execute(statement)
    ]


def provider_names(connection: Connection, provider_ids: Iterable[str]) -> dict[str, str]:
    """The newest name of each provider, deleted ones too."""
    keyed = key_table((provider_id,) for provider_id in dict.fromkeys(provider_ids))
    if keyed is None:
        return {}
    statement = (
        select(providers.c.provider_id, providers.c.name)
        .select_from(keyed)
        .where(providers.c.provider_id == key_part(keyed, 0))
        .where(providers.c.to_position.is_(None) | providers.c.deleted_at.is_not(None))
    )
    return {row.provider_id: row.name for row in connection.execute(statement)}


def _with_inventories(
    connection: Connection, found: Sequence[Row[Any]], moment: int | None
) -> list[ProviderRow]:
    had: dict[str, Inventories] = {row.provider_id: {} for row in found}
    keyed = key_table((provider_id,) for provider_id in had)
    if keyed is None:
        return []
    statement = (
        select(*columns_in(connection, inventories))
        .select_from(keyed)
        .where(inventories.c.provider_id == key_part(keyed, 0), counts_at(inventories, moment))
        .order_by(inventories.c.resource_class)
    )
    for row in connection.execute(statement):
        inventory = inventory_adapter().validate_json(row.inventory)
        had[row.provider_id][row.resource_class] = inventory
    return [_provider_row(row, had[row.provider_id], moment) for row in found]


def _provider_row(row: Row[Any], had: Inventories, moment: int | None) -> ProviderRow:
    deleted = row.deleted_at is not None and (moment is None or row.deleted_at <= moment)
    return ProviderRow(
        id=row.provider_id,
        name=row.name,
        parent_id=row.parent_id,
        traits=tuple(from_text(row.traits)),
        groups=groups_from(row.groups),
        inventories=had,
        version=row.version,
        registered_at=from_micros(row.registered_at),
        deleted_at=from_micros(row.deleted_at) if deleted else None,
        registered_position=row.registered_position,
    )
