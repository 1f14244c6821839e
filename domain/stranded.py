"""What is free on providers but cannot be sold, because something else there has run out.

It depends on what would be sold: a flavor, or, where none is named, a slice of the provider as it
is, with all of its classes in the proportions of their capacities. Decision 15 says why.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from domain.component import Expansion, Units
from domain.fit import amount_is_allowed
from domain.inventory import DiscreteInventory, DivisibleInventory, Inventory, Unit
from domain.unit_choice import meets_all


@dataclass(slots=True)
class Stock:
    """What one provider has, and how much of it is in use."""

    traits: frozenset[str] = frozenset()
    inventories: dict[str, Inventory] = field(default_factory=dict)
    usage: Mapping[str, int] = field(default_factory=dict)
    unit_usage: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    def free(self, resource_class: str) -> int:
        """Never below zero, also where an inventory shrunk below its use."""
        capacity = self.inventories[resource_class].capacity
        return max(0, capacity - self.usage.get(resource_class, 0))

    def emptied(self) -> Stock:
        return Stock(self.traits, self.inventories)


class Free(NamedTuple):
    """How much of a class is free, and how much of that can still be sold in the shape."""

    amount: int
    sellable: int

    @property
    def stranded(self) -> int:
        return self.amount - self.sellable


FreeByClass = Mapping[str, Free]


def in_proportion(tree: Sequence[Stock]) -> FreeByClass:
    """What is free of a tree, and what its scarcest class leaves sellable of each other.

    The scarcest is that of which the smallest part is free. Amounts are rounded down.
    """
    capacity: dict[str, int] = {}
    free: dict[str, int] = {}
    for stock in tree:
        for name, inventory in stock.inventories.items():
            capacity[name] = capacity.get(name, 0) + inventory.capacity
            free[name] = free.get(name, 0) + stock.free(name)
    some = [(free[name], total) for name, total in capacity.items() if total]
    return {
        name: Free(free[name], min((left * total // of for left, of in some), default=0))
        for name, total in capacity.items()
    }


class Room(NamedTuple):
    """How many more of a flavor fit, and what of its classes is free."""

    flavors: int
    free: FreeByClass


def room_for(flavor: Expansion, tree: Sequence[Stock]) -> Room | None:
    """None for a tree that could not serve the flavor even if nothing of it were in use.

    Each class is served by whichever providers of the tree have it, as requests are. Free is what
    could serve the flavor: units that meet its conditions, providers that give such amounts.
    """
    able = [one for one in tree if one.traits.isdisjoint(flavor.forbidden_traits)]
    traits = frozenset[str]().union(*(one.traits for one in able))
    if not traits.issuperset(flavor.required_traits):
        return None
    if not _count(flavor, [one.emptied() for one in able]):
        return None
    count = _count(flavor, able)
    free: dict[str, Free] = {}
    for name, amount in flavor.resources.items():
        total = sum(one.free(name) for one in able if _gives(one, name, amount))
        free[name] = Free(total, count * amount)
    for units in flavor.units:
        options = [left for one in able for left in _free_units(one, units)]
        whole = sum(left.free for left in options)
        each = units.amount or max(left.unit.capacity for left in options)
        before = free.get(units.resource_class, Free(0, 0))
        sellable = min(whole, before.sellable + count * units.count * each)
        free[units.resource_class] = Free(max(before.amount, whole), sellable)
    return Room(count, free)


def _count(flavor: Expansion, tree: Sequence[Stock]) -> int:
    """How often the flavor fits: as often as that of its lines that fits least."""
    amounts = (
        sum(one.free(name) // amount for one in tree if _gives(one, name, amount))
        for name, amount in flavor.resources.items()
    )
    selections = (
        sum(_selections(_free_units(one, units), units) for one in tree) for units in flavor.units
    )
    return min((*amounts, *selections))


def _gives(stock: Stock, name: str, amount: int) -> bool:
    inventory = stock.inventories.get(name)
    return isinstance(inventory, DivisibleInventory) and bool(
        amount_is_allowed(amount, inventory.min_unit, inventory.max_unit, inventory.step_size)
    )


class _UnitLeft(NamedTuple):
    unit: Unit
    free: int


def _free_units(stock: Stock, wanted: Units) -> list[_UnitLeft]:
    """The units that meet the conditions, with what is free of each."""
    inventory = stock.inventories.get(wanted.resource_class)
    if not isinstance(inventory, DiscreteInventory):
        return []
    used = stock.unit_usage.get(wanted.resource_class, {})
    return [
        _UnitLeft(unit, max(0, unit.capacity - used.get(unit.name, 0)))
        for unit in inventory.units
        if meets_all(unit.attributes, wanted.where)
    ]


def _selections(units: Iterable[_UnitLeft], wanted: Units) -> int:
    """How many selections of `count` different units one provider has, each `amount` of a unit."""
    slots = sorted(
        int(left.free == left.unit.capacity)
        if wanted.amount is None
        else left.free // wanted.amount
        for left in units
    )
    # As many as n selections need of each unit at most n slots: the largest n with enough of them.
    low, high = 0, sum(slots) // wanted.count
    while low < high:
        middle = (low + high + 1) // 2
        if sum(min(slot, middle) for slot in slots) >= middle * wanted.count:
            low = middle
        else:
            high = middle - 1
    return low


class UnitCount(NamedTuple):
    """Units of a discrete class: nothing of them in use, some, or all."""

    free: int
    partly_used: int
    used: int


def count_units(stocks: Iterable[Stock], resource_class: str) -> UnitCount | None:
    """None where no provider has the class in units."""
    found = False
    free = partly = whole = 0
    for stock in stocks:
        inventory = stock.inventories.get(resource_class)
        if not isinstance(inventory, DiscreteInventory):
            continue
        found = True
        used = stock.unit_usage.get(resource_class, {})
        for unit in inventory.units:
            in_use = used.get(unit.name, 0)
            free += not in_use
            whole += in_use >= unit.capacity
            partly += 0 < in_use < unit.capacity
    return UnitCount(free, partly, whole) if found else None
