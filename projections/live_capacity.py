"""The live capacity view: what every provider has and what is in use, in memory, in columns.

It follows the log event by event and is what scheduling reads. One thread owns it. Rows are in the
order in which providers were registered; a deleted provider's row stays, and is not alive.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from domain.allocation import Share
from domain.events import Event
from domain.inventory import DivisibleInventory, Inventories, Inventory
from domain.provider import Provider
from domain.provider_events import (
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
from domain.request import RequestExpired, RequestHeld, RequestPlaced, RequestWithdrawn
from domain.streams import id_of
from projections.allowed_amounts import AllowedAmounts
from projections.columns import Columns
from projections.demand_mix import DemandMix
from projections.forest import Forest
from projections.named_sets import NamedSets
from projections.unit_table import UnitTable

T = TypeVar("T")

NONE, DIVISIBLE, DISCRETE = 0, 1, 2
ID_BYTES = 36
"""Every id is a UUID."""
COUNTS = ("kind", "total", "capacity", "usage", "min_unit", "max_unit", "step_size")


class LiveCapacity:
    def __init__(self) -> None:
        self.columns = Columns()
        self.row_of: dict[str, int] = {}
        self.ids: list[str] = []
        self.names: list[str] = []
        self.inventories: list[Inventories] = []
        self.versions: list[int] = []
        self.traits = NamedSets(self.columns, "trait")
        self.groups = NamedSets(self.columns, "group")
        self.mix = DemandMix()
        self.tick = 0
        """Counts changes, of any kind; `changed` of a tree's root is the tick of its newest."""
        self.described = 0
        """Counts changes of what providers are and have, but not of their use."""
        self.units: dict[str, UnitTable] = {}
        self._classes: set[str] = set()
        self.forest = Forest()
        self.columns.declare("id", np.dtype(f"S{ID_BYTES}"), fill=b"")
        self.columns.declare("alive", np.bool_, fill=False)
        self.columns.declare("position", np.int64, fill=0)
        self.columns.declare("changed", np.int64, fill=0)
        self.columns.declare("generation", np.int64, fill=0)
        self._allowed = AllowedAmounts(self.columns)
        self._remembered: dict[str, tuple[int, Any]] = {}
        self.kept: dict[str, Any] = {}
        """What readers keep, by a name of theirs; they know when it is outdated."""
        self._deadlines: dict[str, datetime] = {}
        self._heap: list[tuple[datetime, str]] = []
        self._handlers: dict[type[Event], Callable[[Any], None]] = {
            ProviderRegistered: self._registered,
            ProviderRenamed: self._renamed,
            ProviderMoved: self._moved,
            ProviderDeleted: self._deleted,
            InventoryChanged: self._inventory_changed,
            TraitsChanged: self._traits_changed,
            GroupsChanged: self._groups_changed,
            Requested: self._requested,
            Released: self._released,
            Lapsed: self._lapsed,
            RequestHeld: self._held,
            RequestPlaced: self._hold_ended,
            RequestWithdrawn: self._hold_ended,
            RequestExpired: self._hold_ended,
        }

    # --- Following the log ------------------------------------------------------------------------

    def apply(self, event: Event) -> None:
        """Fold the next event. Those not about capacity, or already seen, change nothing."""
        handler = self._handlers.get(type(event))
        category, _, id = event.originator_id.partition(":")
        if category != Provider.CATEGORY:
            if handler is not None:
                handler(event)
            return
        row = self.row_of.get(id)
        if row is None or event.originator_version > self.versions[row]:
            if handler is not None:
                handler(event)
            row = self.row_of[id]
            self.versions[row] = event.originator_version
            if raises_generation(event):
                self.columns.add("generation", row, 1)

    def version(self, provider_id: str) -> int:
        """The version of a provider's stream that the view has seen; 0 if it knows none."""
        row = self.row_of.get(provider_id)
        return 0 if row is None else self.versions[row]

    def generation(self, row: int) -> int:
        """See `domain.provider_events.raises_generation`."""
        return int(self.columns["generation"][row])

    def set_position(self, provider_id: str, position: int) -> None:
        """Where in the log a provider was registered (first), once that is known."""
        self.columns.set("position", self.row_of[provider_id], position)
        self._describe(self.row_of[provider_id])

    def set_provider(self, provider: Provider) -> None:
        """Make the view of one provider what its aggregate says: after an append that failed."""
        row = self.row_of.get(provider.id)
        if row is None:
            return
        self.columns.set("alive", row, provider.exists)
        self.versions[row] = provider.version
        self.columns.set("generation", row, provider.generation)
        if not provider.exists:
            self.forest.cut(row)
            self._set_inventories(row, {}, {}, {})
            self.set_traits(row, frozenset())
            self.set_groups(row, frozenset())
            return
        self.names[row] = provider.name
        self.forest.move(row, self.row_of[provider.parent_id] if provider.parent_id else -1)
        self.set_traits(row, provider.traits)
        self.set_groups(row, provider.groups)
        self._set_inventories(row, provider.inventories, provider.usage, provider.unit_usage)

    def set_hold(self, request_id: str, deadline: datetime | None) -> None:
        """A request holds until its deadline, or (None) does not hold."""
        if deadline is None:
            self._deadlines.pop(request_id, None)
        elif self._deadlines.get(request_id) != deadline:
            self._deadlines[request_id] = deadline
            heapq.heappush(self._heap, (deadline, request_id))

    def overdue(self, at: datetime) -> list[str]:
        """Requests whose holds' deadlines passed by `at`, as long as no event says so."""
        while self._heap and self._deadlines.get(self._heap[0][1]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        if not self._heap or self._heap[0][0] > at:
            return []
        return [request_id for request_id, until in self._deadlines.items() if until <= at]

    def add_provider(
        self, provider_id: str, name: str, parent_id: str | None, position: int = 0
    ) -> int:
        row = self.row_of.get(provider_id)
        if row is not None:  # Registered before: it was deleted, or its append failed.
            self.names[row] = name
            self.columns.set("generation", row, 0)
            self.columns.set("alive", row, value=True)
            self.forest.move(row, self.row_of[parent_id] if parent_id else -1)
            return row
        row = self.columns.add_row()
        self.row_of[provider_id] = row
        self.ids.append(provider_id)
        self.columns.set("id", row, provider_id.encode())
        self.names.append(name)
        self.inventories.append({})
        self.versions.append(0)
        self.forest.add(self.row_of[parent_id] if parent_id else -1)
        self.columns.set("alive", row, value=True)
        self.columns.set("position", row, position)
        return row

    def set_traits(self, row: int, traits: frozenset[str]) -> None:
        self.traits.put(row, traits)
        self._describe(row)

    def set_groups(self, row: int, groups: frozenset[str]) -> None:
        self.groups.put(row, groups)
        self._describe(row)

    def groups_of(self, row: int) -> frozenset[str]:
        return self.groups.of(row)

    def set_inventory(self, row: int, name: str, inventory: Inventory | None) -> None:
        """Set or remove (None) an inventory; what is in use of the class stays counted."""
        self._declare_class(name)
        used = self.units[name].used(row) if name in self.units else {}
        if inventory is None:
            self.inventories[row].pop(name, None)
            values: tuple[int, ...] = (NONE, 0, 0, 0, 1, 0, 1)
        elif isinstance(inventory, DivisibleInventory):
            self.inventories[row][name] = inventory
            values = (
                DIVISIBLE,
                inventory.total,
                inventory.capacity,
                int(self.columns["usage", name][row]),
                inventory.min_unit,
                inventory.max_unit,
                inventory.step_size,
            )
        else:
            self.inventories[row][name] = inventory
            usage = int(self.columns["usage", name][row])
            values = (DISCRETE, inventory.capacity, inventory.capacity, usage, 1, 0, 1)
            self.units.setdefault(name, UnitTable()).put(row, inventory, used)
        if name in self.units and (inventory is None or values[0] == DIVISIBLE):
            self.units[name].put(row, None, {})
        for count, value in zip(COUNTS, values, strict=True):
            self.columns.set((count, name), row, value)
        self._allowed.inventory_changed(name, row)
        self._describe(row)

    def count(self, row: int, share: Share, sign: int) -> None:
        """Add (1) or take away (-1) a share from what is in use."""
        for name, amount in share.resources.items():
            self.columns.add(("usage", name), row, sign * amount)
        for name, parts in share.units.items():
            self.units[name].add(row, parts, sign)
        self._touch(row)

    def allowed(self, resource_class: str, amount: int) -> NDArray[np.bool_]:
        """By row: whether its inventory gives such an amount to one claim (of slices)."""
        return self._allowed.of(resource_class, amount)

    def remembered(self, name: str, make: Callable[[], T]) -> T:
        """What was made under this name, for as long as providers are and have what they did."""
        known = self._remembered.get(name)
        if known is None or known[0] != self.described:
            known = self._remembered[name] = (self.described, make())
        made: T = known[1]
        return made

    def classes(self) -> list[str]:
        """Every class that some provider has or had an inventory of, by name."""
        return sorted(self._classes)

    def uses_class(self, name: str) -> bool:
        return ("kind", name) in self.columns and bool(self.columns["kind", name].any())

    def uses_trait(self, name: str) -> bool:
        return self.traits.uses(name)

    # --- One handler per event --------------------------------------------------------------------

    def _registered(self, event: ProviderRegistered) -> None:
        self.add_provider(id_of(event.originator_id), event.name, event.parent_id)

    def _renamed(self, event: ProviderRenamed) -> None:
        self.names[self._row(event)] = event.name

    def _moved(self, event: ProviderMoved) -> None:
        row = self._row(event)
        before = self.forest.root(row)
        self.forest.move(row, self.row_of[event.parent_id] if event.parent_id else -1)
        for changed in (before, row):
            self._describe(changed)

    def _deleted(self, event: ProviderDeleted) -> None:
        row = self._row(event)
        self.columns.set("alive", row, value=False)
        self.forest.cut(row)
        self.set_traits(row, frozenset())
        self.set_groups(row, frozenset())
        self._set_inventories(row, {}, {}, {})

    def _inventory_changed(self, event: InventoryChanged) -> None:
        self.set_inventory(self._row(event), event.resource_class, event.inventory)

    def _traits_changed(self, event: TraitsChanged) -> None:
        self.set_traits(self._row(event), frozenset(event.traits))

    def _groups_changed(self, event: GroupsChanged) -> None:
        self.set_groups(self._row(event), frozenset(event.groups))

    def _requested(self, event: Requested) -> None:
        self.count(self._row(event), event.share, 1)

    def _released(self, event: Released) -> None:
        self.count(self._row(event), event.share, -1)

    def _lapsed(self, event: Lapsed) -> None:
        self.count(self._row(event), event.share, -1)

    def _held(self, event: RequestHeld) -> None:
        self.set_hold(id_of(event.originator_id), event.hold_until)

    def _hold_ended(self, event: Event) -> None:
        self.set_hold(id_of(event.originator_id), None)

    def _row(self, event: Event) -> int:
        return self.row_of[id_of(event.originator_id)]

    def _touch(self, row: int) -> None:
        self.tick += 1
        self.columns.set("changed", self.forest.root(row), self.tick)

    def _describe(self, row: int) -> None:
        self.described += 1
        self._touch(row)

    def _declare_class(self, name: str) -> None:
        self._classes.add(name)
        for count in COUNTS:
            fill = 1 if count in ("min_unit", "step_size") else 0
            self.columns.declare((count, name), np.int8 if count == "kind" else np.int64, fill)

    def _set_inventories(
        self,
        row: int,
        inventories: Inventories,
        usage: dict[str, int],
        unit_usage: dict[str, dict[str, int]],
    ) -> None:
        for name in {*self.inventories[row], *inventories}:
            self.set_inventory(row, name, None)
            inventory = inventories.get(name)
            if inventory is None:
                continue
            # A unit that is gone may be there yet, with nothing of it in use.
            units = {unit: n for unit, n in unit_usage.get(name, {}).items() if n}
            used = Share.model_construct(
                resources={name: usage.get(name, 0)}, units={name: units} if units else {}
            )
            self.set_inventory(row, name, inventory)
            self.count(row, used, 1)
