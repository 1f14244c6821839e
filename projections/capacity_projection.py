"""Folds the log into the capacity read model: providers, what they have, who has how much."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, MetaData

from domain.events import Event
from domain.provider import Provider
from domain.provider_events import (
    Claimed,
    GenerationRaised,
    GroupsChanged,
    InventoryChanged,
    Lapsed,
    ProviderDeleted,
    ProviderMoved,
    ProviderRegistered,
    ProviderRenamed,
    Released,
    Requested,
    TraitsChanged,
    raises_generation,
)
from domain.streams import id_of, topics_of
from domain.times import to_micros
from projections.capacity_holders import Holders
from projections.capacity_tables import (
    ALLOCATIONS,
    INVENTORIES,
    PROVIDERS,
    STREAMS,
    InventoryInterval,
    ProviderInterval,
    ProviderStream,
    metadata,
)
from projections.json_text import to_text
from projections.projection import Changes, Recorded


class CapacityProjection:
    name: str = "capacity"
    version: int = 3
    oldest: int = 1
    metadata: MetaData = metadata
    by_stream: bool = True

    @property
    def topics(self) -> frozenset[str] | None:
        return topics_of(*_PROVIDER_EVENTS)

    def fold(self, connection: Connection, page: Sequence[Recorded]) -> Changes:
        of_providers = [one for one in page if type(one.event) in _PROVIDER_EVENTS]
        streams = _streams(connection, of_providers)
        holders = Holders(connection, of_providers, streams)
        for recorded in of_providers:
            holders.fold(recorded)
        return [
            *_fold_descriptions(connection, of_providers, streams),
            (ALLOCATIONS, holders.touched.values()),
            (STREAMS, streams.values()),
        ]


def _streams(connection: Connection, page: Sequence[Recorded]) -> dict[str, ProviderStream]:
    """The page's providers, by stream, at the versions that they have after it."""
    streams = {
        one.event.originator_id: ProviderStream(one.position, id_of(one.event.originator_id), 1, 0)
        for one in page
        if type(one.event) is ProviderRegistered and one.event.originator_version == 1
    }
    touched = {one.event.originator_id for one in page}
    keys = [(id_of(stream),) for stream in sorted(touched) if stream not in streams]
    for row in STREAMS.find(connection, ["provider_id"], keys):
        streams[Provider.stream_of(row.provider_id)] = row
    for recorded in page:
        _count(streams[recorded.event.originator_id], recorded.event)
    return streams


def _count(row: ProviderStream, event: Event) -> None:
    row.version = event.originator_version
    if type(event) is ProviderRegistered:
        row.generation = 0
    elif row.generation is not None:
        row.generation += raises_generation(event)


def _fold_descriptions(
    connection: Connection, page: Sequence[Recorded], streams: Mapping[str, ProviderStream]
) -> Changes:
    """What the providers are and have: seldom events, but many when a cloud is imported."""
    described = [one for one in page if type(one.event) in _DESCRIPTIONS]
    if not described:
        return []
    touched = {one.event.originator_id for one in described}
    descriptions = _Descriptions(connection, {stream: streams[stream] for stream in touched})
    for recorded in described:
        descriptions.fold(recorded)
    return [
        (PROVIDERS, descriptions.providers.values()),
        (INVENTORIES, descriptions.inventories.values()),
    ]


class _Descriptions:
    """The open intervals of the page's providers, and those that the page touched."""

    def __init__(self, connection: Connection, streams: Mapping[str, ProviderStream]) -> None:
        self._streams = streams
        keys = [(id_of(stream),) for stream in sorted(streams)]
        is_open = PROVIDERS.table.c.to_position.is_(None)
        self.open = {
            row.provider_id: row
            for row in PROVIDERS.find(connection, ["provider_id"], keys, is_open)
        }
        self.open_inventories: dict[str, dict[str, InventoryInterval]] = {}
        is_open = INVENTORIES.table.c.to_position.is_(None)
        for row in INVENTORIES.find(connection, ["provider_id"], keys, is_open):
            self.open_inventories.setdefault(row.provider_id, {})[row.resource_class] = row
        self.providers: dict[int, ProviderInterval] = {}
        self.inventories: dict[int, InventoryInterval] = {}

    def fold(self, recorded: Recorded) -> None:
        event = recorded.event
        provider_id = id_of(event.originator_id)
        handler = _DESCRIPTIONS[type(event)]
        handler(self, event, provider_id, recorded.position, to_micros(event.at))

    # --- One handler per event --------------------------------------------------------------------

    def registered(
        self, event: ProviderRegistered, provider_id: str, position: int, at: int
    ) -> None:
        self._start(
            ProviderInterval(
                from_position=position,
                to_position=None,
                from_at=at,
                to_at=None,
                provider_id=provider_id,
                registered_position=self._streams[event.originator_id].registered_position,
                registered_at=at,
                deleted_at=None,
                name=event.name,
                parent_id=event.parent_id,
                traits="[]",
                groups=None,
            )
        )

    def renamed(self, event: ProviderRenamed, provider_id: str, position: int, at: int) -> None:
        self._start_anew(provider_id, position, at).name = event.name

    def moved(self, event: ProviderMoved, provider_id: str, position: int, at: int) -> None:
        self._start_anew(provider_id, position, at).parent_id = event.parent_id

    def traits_changed(
        self, event: TraitsChanged, provider_id: str, position: int, at: int
    ) -> None:
        self._start_anew(provider_id, position, at).traits = to_text(sorted(event.traits))

    def groups_changed(
        self, event: GroupsChanged, provider_id: str, position: int, at: int
    ) -> None:
        groups = to_text(sorted(event.groups)) if event.groups else None
        self._start_anew(provider_id, position, at).groups = groups

    def deleted(self, _: ProviderDeleted, provider_id: str, position: int, at: int) -> None:
        self._end(self.open.pop(provider_id), position, at).deleted_at = at
        for inventory in self.open_inventories.pop(provider_id, {}).values():
            self._end_inventory(inventory, position, at)

    def inventory_changed(
        self, event: InventoryChanged, provider_id: str, position: int, at: int
    ) -> None:
        now_open = self.open_inventories.setdefault(provider_id, {})
        before = now_open.pop(event.resource_class, None)
        if before is not None:
            self._end_inventory(before, position, at)
        inventory = event.inventory
        if inventory is None:
            return
        row = InventoryInterval(
            from_position=position,
            to_position=None,
            from_at=at,
            to_at=None,
            provider_id=provider_id,
            registered_position=self.open[provider_id].registered_position,
            resource_class=event.resource_class,
            kind=inventory.kind,
            total=inventory.total if inventory.kind == "divisible" else inventory.capacity,
            capacity=inventory.capacity,
            inventory=inventory.__pydantic_serializer__.to_json(inventory).decode(),
        )
        now_open[event.resource_class] = self.inventories[position] = row

    def _start(self, row: ProviderInterval) -> ProviderInterval:
        self.open[row.provider_id] = self.providers[row.from_position] = row
        return row

    def _start_anew(self, provider_id: str, position: int, at: int) -> ProviderInterval:
        """End the provider's interval and start one that is like it, for the caller to change."""
        before = self._end(self.open[provider_id], position, at)
        return self._start(
            ProviderInterval(
                from_position=position,
                to_position=None,
                from_at=at,
                to_at=None,
                provider_id=provider_id,
                registered_position=before.registered_position,
                registered_at=before.registered_at,
                deleted_at=None,
                name=before.name,
                parent_id=before.parent_id,
                traits=before.traits,
                groups=before.groups,
            )
        )

    def _end(self, row: ProviderInterval, position: int, at: int) -> ProviderInterval:
        row.to_position, row.to_at = position, at
        self.providers[row.from_position] = row
        return row

    def _end_inventory(self, row: InventoryInterval, position: int, at: int) -> None:
        row.to_position, row.to_at = position, at
        self.inventories[row.from_position] = row


_DESCRIPTIONS: dict[type[Event], Callable[[_Descriptions, Any, str, int, int], None]] = {
    ProviderRegistered: _Descriptions.registered,
    ProviderRenamed: _Descriptions.renamed,
    ProviderMoved: _Descriptions.moved,
    TraitsChanged: _Descriptions.traits_changed,
    GroupsChanged: _Descriptions.groups_changed,
    InventoryChanged: _Descriptions.inventory_changed,
    ProviderDeleted: _Descriptions.deleted,
}
_PROVIDER_EVENTS: set[type[Event]] = {
    *_DESCRIPTIONS,
    GenerationRaised,
    Requested,
    Claimed,
    Released,
    Lapsed,
}
