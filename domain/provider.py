"""A resource provider: what it has, and who has how much of it.

Every inventory change, request, claim and release that touches it is an event on its stream, so
its version is what optimistic concurrency checks.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any, ClassVar, Literal

from domain.aggregate import Aggregate
from domain.allocation import Share, subtract
from domain.errors import Conflict, Invalid, NotFound
from domain.events import Event
from domain.inventory import DiscreteInventory, DivisibleInventory, Inventories
from domain.provider_events import (
    Claimed,
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
)

# --- State ----------------------------------------------------------------------------------------


class Provider(Aggregate):
    CATEGORY: ClassVar[str] = "provider"
    __slots__ = (
        "deleted",
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
        self.name = ""
        self.parent_id: str | None = None
        self.deleted = False
        self.registered_at: datetime | None = None
        self.inventories: Inventories = {}
        self.traits: frozenset[str] = frozenset()
        self.groups: frozenset[str] = frozenset()
        self.holdings: dict[str, Holding] = {}
        self.usage: dict[str, int] = {}
        self.unit_usage: dict[str, dict[str, int]] = {}
        self.snapshot_version = 0

    def _evolve(self, event: Any) -> None:
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
        )

    def restore(self, snapshot: ProviderSnapshot) -> None:
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
        if self.version:
            raise Conflict("provider_exists", f"there is (or was) a provider {self.id} already")
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
        self, at: datetime, changes: dict[str, DivisibleInventory | DiscreteInventory | None]
    ) -> list[Event]:
        """Set some classes' inventories, or remove them (None).

        Shrinking below the use is legal and visible, as no claim is lost by it; removing a class
        in use, or a unit in use, is not.
        """
        self.require_exists()
        events: list[Event] = []
        for name, inventory in sorted(changes.items()):
            before = self.inventories.get(name)
            if inventory == before:
                continue
            self._require_not_in_use(name, before, inventory)
            offset = len(events) + 1
            events.append(
                self._next(InventoryChanged, at, offset, resource_class=name, inventory=inventory)
            )
        return events

    def change_traits(self, at: datetime, traits: frozenset[str]) -> list[Event]:
        self.require_exists()
        if traits == self.traits:
            return []
        return [self._next(TraitsChanged, at, traits=tuple(sorted(traits)))]

    def change_groups(self, at: datetime, groups: frozenset[str]) -> list[Event]:
        self.require_exists()
        if groups == self.groups:
            return []
        return [self._next(GroupsChanged, at, groups=tuple(sorted(groups)))]

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

    def _require_not_in_use(
        self,
        name: str,
        before: DivisibleInventory | DiscreteInventory | None,
        after: DivisibleInventory | DiscreteInventory | None,
    ) -> None:
        used = self.usage.get(name, 0)
        if not used:
            return
        if after is None:
            raise Conflict("inventory_in_use", f"{used} of {name} on provider {self.id} is in use")
        if before is not None and before.kind != after.kind:
            raise Conflict(
                "inventory_in_use", f"{name} is in use, so it cannot become {after.kind}"
            )
        if isinstance(after, DiscreteInventory):
            left = {unit.name for unit in after.units}
            gone = [u for u, n in self.unit_usage.get(name, {}).items() if n and u not in left]
            if gone:
                raise Conflict(
                    "inventory_in_use",
                    f"units {', '.join(sorted(gone))} of {name} on provider {self.id} are in use",
                )

    # --- Decisions: who has it --------------------------------------------------------------------

    def request(
        self,
        at: datetime,
        *,
        request_id: str,
        consumer_id: str,
        project_id: str,
        share: Share,
        hold_until: datetime | None,
    ) -> list[Event]:
        """Hold a share until a deadline; without a deadline, claim it in the same breath."""
        return self.exchange(
            at,
            None,
            share,
            request_id=request_id,
            consumer_id=consumer_id,
            project_id=project_id,
            hold_until=hold_until,
        )

    def exchange(
        self,
        at: datetime,
        given: Share | None,
        taken: Share | None,
        *,
        request_id: str,
        consumer_id: str,
        project_id: str,
        hold_until: datetime | None = None,
    ) -> list[Event]:
        """Give one share back, if any, and take another, if any: the events of both."""
        who: dict[str, Any] = {"consumer_id": consumer_id, "project_id": project_id}
        events: list[Event] = []
        if given is not None:
            events.append(self._next(Released, at, share=given, **who))
        if taken is None:
            return events
        who["request_id"] = request_id
        events.append(
            self._next(Requested, at, len(events) + 1, share=taken, hold_until=hold_until, **who)
        )
        if hold_until is None:
            events.append(self._next(Claimed, at, len(events) + 1, **who))
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
        project_id = holding.project_id
        return [
            self._next(Released, at, share=share, consumer_id=consumer_id, project_id=project_id)
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
