"""A resource provider: what it has, and who has how much of it.

Every inventory change, request, claim and release that touches it is an event on its stream, so
its version is what optimistic concurrency checks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, ClassVar, Literal

from domain.aggregate import Aggregate
from domain.allocation import Share, subtract
from domain.errors import Conflict, Invalid, NotFound, Stale
from domain.events import Event
from domain.inventory import Inventories
from domain.inventory_changes import Changes, require_not_in_use
from domain.provider_events import (
    Claimed,
    GenerationRaised,
    GroupsChanged,
    Holding,
    InventoryChanged,
    Lapsed,
    ProviderDeleted,
    ProviderMoved,
    ProviderRegistered,
    ProviderRenamed,
    ProviderSnapshot,
    Released,
    Requested,
    TraitsChanged,
    raises_generation,
)

# --- State ----------------------------------------------------------------------------------------


class Provider(Aggregate):
    CATEGORY: ClassVar[str] = "provider"
    __slots__ = (
        "deleted",
        "generation",
        "groups",
        "holdings",
        "inventories",
        "name",
        "parent_id",
        "registered_at",
        "snapshot_version",
        "traits",
        "unit_usage",
        "usage",
    )

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self.snapshot_version = 0
        self._begin()

    def _begin(self) -> None:
        """Nothing is known of it yet, or any more."""
        self.name = ""
        self.parent_id: str | None = None
        self.deleted = False
        self.registered_at: datetime | None = None
        self.generation = 0
        self.inventories: Inventories = {}
        self.traits: frozenset[str] = frozenset()
        self.groups: frozenset[str] = frozenset()
        self.holdings: dict[str, Holding] = {}
        self.usage: dict[str, int] = {}
        self.unit_usage: dict[str, dict[str, int]] = {}

    def _evolve(self, event: Any) -> None:
        self.generation += raises_generation(event)
        match event:
            case Requested():
                holding = Holding(event.request_id, event.project_id, event.share, event.hold_until)
                self._take(event.consumer_id, holding)
            case Claimed():
                self._claim(event)
            case Released() | Lapsed():
                self._give_back(event.consumer_id, event.share)
            case _:
                self._describe(event)

    def _describe(self, event: Any) -> None:
        match event:
            case InventoryChanged(inventory=None):
                self.inventories.pop(event.resource_class)
            case InventoryChanged(inventory=inventory) if inventory is not None:
                self.inventories[event.resource_class] = inventory
            case TraitsChanged():
                self.traits = frozenset(event.traits)
            case GroupsChanged():
                self.groups = frozenset(event.groups)
            case ProviderRegistered():
                self._begin()
                self.name, self.parent_id = event.name, event.parent_id
                self.registered_at = event.at
            case ProviderRenamed():
                self.name = event.name
            case ProviderMoved():
                self.parent_id = event.parent_id
            case ProviderDeleted():
                self.deleted = True

    def _take(self, consumer_id: str, holding: Holding) -> None:
        self.holdings[consumer_id] = holding
        self._count(holding.share, 1)

    def _claim(self, event: Claimed) -> None:
        holding = self.holdings[event.consumer_id]
        if holding.hold_until is not None:
            self.holdings[event.consumer_id] = replace(holding, hold_until=None)

    def _give_back(self, consumer_id: str, share: Share) -> None:
        holding = self.holdings.pop(consumer_id)
        rest = subtract(holding.share, share)
        self._count(share, -1)
        if rest is not None:
            self.holdings[consumer_id] = replace(holding, share=rest)

    def _count(self, share: Share, sign: int) -> None:
        for name, amount in share.resources.items():
            self.usage[name] = self.usage.get(name, 0) + sign * amount
        for name, parts in share.units.items():
            used = self.unit_usage.setdefault(name, {})
            for unit, amount in parts.items():
                used[unit] = used.get(unit, 0) + sign * amount

    # --- Snapshots --------------------------------------------------------------------------------

    def snapshot(self) -> ProviderSnapshot:
        assert self.at is not None
        assert self.registered_at is not None
        return ProviderSnapshot(
            originator_id=self.stream,
            originator_version=self.version,
            at=self.at,
            name=self.name,
            parent_id=self.parent_id,
            deleted=self.deleted,
            registered_at=self.registered_at,
            inventories=self.inventories,
            traits=tuple(sorted(self.traits)),
            holdings=self.holdings,
            groups=tuple(sorted(self.groups)),
            generation=self.generation,
        )

    def restore(self, snapshot: ProviderSnapshot) -> None:
        assert snapshot.generation is not None
        self.generation = snapshot.generation
        self.version, self.at = snapshot.originator_version, snapshot.at
        self.snapshot_version = snapshot.originator_version
        self.name, self.parent_id = snapshot.name, snapshot.parent_id
        self.deleted, self.registered_at = snapshot.deleted, snapshot.registered_at
        self.inventories = dict(snapshot.inventories)
        self.traits, self.groups = frozenset(snapshot.traits), frozenset(snapshot.groups)
        for consumer_id, holding in snapshot.holdings.items():
            self._take(consumer_id, holding)

    # --- Decisions: what the provider is ----------------------------------------------------------

    @property
    def exists(self) -> bool:
        return self.version > 0 and not self.deleted

    def register(self, at: datetime, name: str, parent_id: str | None) -> list[Event]:
        """Register it; or, if it was deleted, register it anew under its old id."""
        if self.exists:
            raise Conflict("provider_exists", f"there is a provider {self.id} already")
        return [self._next(ProviderRegistered, at, name=name, parent_id=parent_id)]

    def describe(
        self,
        at: datetime,
        *,
        name: str | None = None,
        parent_id: str | None = None,
        move: bool = False,
    ) -> list[Event]:
        """Rename, move, or both. What is so already writes nothing."""
        self.require_exists()
        events: list[Event] = []
        if name is not None and name != self.name:
            events.append(self._next(ProviderRenamed, at, name=name))
        if move and parent_id != self.parent_id:
            events.append(self._next(ProviderMoved, at, len(events) + 1, parent_id=parent_id))
        return events

    def change_inventories(
        self,
        at: datetime,
        changes: Changes,
        *,
        confirm: bool = False,
    ) -> list[Event]:
        """Set some classes' inventories, or remove them (None).

        Shrinking below the use is legal and visible, as no claim is lost by it; removing a class
        in use, or a unit in use, is not. With `confirm`, changing nothing raises the generation.
        """
        self.require_exists()
        require_not_in_use(self.id, self.inventories, changes, self.usage, self.unit_usage)
        events: list[Event] = []
        for name, inventory in sorted(changes.items()):
            if inventory == self.inventories.get(name):
                continue
            facts: dict[str, Any] = {"resource_class": name, "inventory": inventory}
            first = not events
            events.append(
                self._next(InventoryChanged, at, len(events) + 1, raises_generation=first, **facts)
            )
        return events or self._confirmed(at, confirm=confirm)

    def change_traits(self, at: datetime, traits: frozenset[str]) -> list[Event]:
        self.require_exists()
        if traits == self.traits:
            return []
        return [self._next(TraitsChanged, at, traits=tuple(sorted(traits)))]

    def change_groups(
        self,
        at: datetime,
        groups: frozenset[str],
        *,
        raises_generation: bool = True,
        confirm: bool = False,
    ) -> list[Event]:
        """With `confirm`, changing nothing raises the generation."""
        self.require_exists()
        if groups == self.groups:
            return self._confirmed(at, confirm=confirm)
        facts: dict[str, Any] = {"groups": tuple(sorted(groups))}
        return [self._next(GroupsChanged, at, raises_generation=raises_generation, **facts)]

    def _confirmed(self, at: datetime, *, confirm: bool) -> list[Event]:
        return [self._next(GenerationRaised, at)] if confirm else []

    def delete(self, at: datetime) -> list[Event]:
        self.require_exists()
        if self.holdings:
            raise Conflict(
                "provider_in_use",
                f"{len(self.holdings)} consumers hold resources of provider {self.id}",
                consumers=[*sorted(self.holdings)[:10]],
            )
        return [self._next(ProviderDeleted, at)]

    def require_exists(self) -> None:
        if not self.exists:
            raise NotFound("provider_not_found", f"there is no provider {self.id}")

    def require_generation(self, expected: int | None) -> None:
        """Hold the client to the generation that it read, where it sent one."""
        if expected is not None and expected != self.generation:
            raise Stale(
                "stale_generation",
                f"provider {self.id} is at generation {self.generation}, not {expected}: "
                "read it again",
                generation=self.generation,
            )

    # --- Decisions: who has it --------------------------------------------------------------------

    def exchange(
        self,
        at: datetime,
        given: Mapping[str, Share],
        taken: Mapping[str, Holding],
        *,
        raises_generation: bool | None = None,
    ) -> list[Event]:
        """Some consumers give back what they have here, and some (they, or others) take something:
        hold it until a deadline, or without one claim it in the same breath. The events of all.

        The generation is raised, if it is, by the first of them. None: if anybody takes something.
        """
        raises = bool(taken) if raises_generation is None else raises_generation
        events: list[Event] = []

        def add(kind: type[Event], **facts: Any) -> None:
            events.append(self._next(kind, at, len(events) + 1, **facts))

        for consumer_id, share in given.items():
            add(
                Released,
                consumer_id=consumer_id,
                project_id=self.holdings[consumer_id].project_id,
                share=share,
                raises_generation=raises and not events,
            )
        for consumer_id, holding in taken.items():
            who: dict[str, Any] = {
                "request_id": holding.request_id,
                "consumer_id": consumer_id,
                "project_id": holding.project_id,
            }
            first = not events
            add(
                Requested,
                share=holding.share,
                hold_until=holding.hold_until,
                raises_generation=raises and first,
                **who,
            )
            if holding.hold_until is None:
                add(Claimed, **who)
        return events

    def claim(self, at: datetime, consumer_id: str) -> list[Event]:
        """Confirm a hold."""
        holding = self.holdings[consumer_id]
        return [
            self._next(
                Claimed,
                at,
                request_id=holding.request_id,
                consumer_id=consumer_id,
                project_id=holding.project_id,
            )
        ]

    def release(self, at: datetime, consumer_id: str, share: Share) -> list[Event]:
        holding = self.holdings.get(consumer_id)
        if holding is None:
            raise Invalid("not_held", f"{consumer_id} holds nothing on provider {self.id}")
        try:
            subtract(holding.share, share)
        except ValueError as wrong:
            raise Invalid("not_held", str(wrong)) from wrong
        return [
            self._next(
                Released,
                at,
                share=share,
                consumer_id=consumer_id,
                project_id=holding.project_id,
            )
        ]

    def lapse(
        self,
        at: datetime,
        consumer_id: str,
        reason: Literal["expired", "withdrawn"],
        lapsed_at: datetime,
    ) -> list[Event]:
        holding = self.holdings[consumer_id]
        return [
            self._next(
                Lapsed,
                at,
                request_id=holding.request_id,
                consumer_id=consumer_id,
                project_id=holding.project_id,
                share=holding.share,
                reason=reason,
                lapsed_at=lapsed_at,
            )
        ]
