"""What is free in some trees: amounts by class, and each unit; and what a trial would leave."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from projections.demand_mix import Shape, UnitShape
from projections.live_capacity import DIVISIBLE, LiveCapacity
from projections.live_trees import LiveTrees, Stretch

Numbers = NDArray[np.float64]
Rows = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass
class FreeUnits:
    """Units of one class, tree after tree. `place` is where they stand in the class's table,
    `owner` the index of their tree, `bounds` where each tree's units begin and end."""

    place: Rows
    owner: Rows
    bounds: Rows
    capacity: Numbers
    free: Numbers

    def by_tree(self, values: Numbers) -> Numbers:
        """Sums over each tree's units; `values` has a row per unit."""
        sums: Numbers = np.zeros((len(self.bounds) - 1, *values.shape[1:]))
        has_some = self.bounds[:-1] < self.bounds[1:]
        if has_some.any():
            sums[has_some] = np.add.reduceat(values, self.bounds[:-1][has_some], axis=0)
        return sums

    def take(self, line: UnitShape, suited: Mask) -> None:
        """Take a selection in each tree, of the fullest units that fit, as the decision does."""
        fitting = np.flatnonzero(suited & (self.free >= (line.amount or self.capacity)))
        order = fitting[np.lexsort((self.free[fitting], self.owner[fitting]))]
        first = np.searchsorted(self.owner[order], self.owner[order])
        chosen = order[np.arange(len(order)) - first < line.count]
        self.free[chosen] -= line.amount or self.capacity[chosen]


@dataclass
class Stock:
    amounts: dict[str, Numbers]
    units: dict[str, FreeUnits]


class StockReader:
    def __init__(self, view: LiveCapacity, trees: LiveTrees) -> None:
        self._view = view
        self._trees = trees
        self._suited: dict[UnitShape, tuple[int, Mask]] = {}

    def read(self, stretch: Stretch, amounts: Iterable[str], units: Iterable[str]) -> Stock:
        """What is free of these classes. A class that a tree has not, but shares, is infinite."""
        return Stock(
            {name: self._free_amounts(name, stretch) for name in amounts},
            {name: self._free_units(name, stretch) for name in units},
        )

    def taken(self, stock: Stock, shape: Shape) -> Stock:
        """The stock after the shape was placed in each of its trees."""
        amounts = dict(stock.amounts)
        for name, amount in shape.amounts:
            if name in amounts:
                amounts[name] = amounts[name] - amount
        units = dict(stock.units)
        for line in shape.units:
            if (before := units.get(line.resource_class)) is not None:
                after = FreeUnits(
                    before.place, before.owner, before.bounds, before.capacity, before.free.copy()
                )
                after.take(line, self.suited(line)[before.place])
                units[line.resource_class] = after
        return Stock(amounts, units)

    def suited(self, line: UnitShape) -> Mask:
        """By unit of the class's table: whether it may be one of the selection, used or not."""
        table = self._view.units.get(line.resource_class)
        if table is None:
            return np.zeros(0, dtype=bool)
        known = self._suited.get(line)
        if known is None or known[0] != table.changes:
            wanted, everything = line.wanted, slice(None)
            mask = np.ones(len(table.rows), dtype=bool)
            for condition in wanted.where:
                mask &= table.meets(condition, everything)
            for name in (*wanted.alike, *wanted.different):
                mask &= table.codes(name) >= 0
            known = self._suited[line] = (table.changes, mask)
        return known[1]

    def _free_amounts(self, name: str, stretch: Stretch) -> Numbers:
        columns = self._view.columns
        if ("capacity", name) not in columns:
            return np.zeros(len(stretch.root_rows))
        rows = stretch.where
        divisible = columns["kind", name][rows] == DIVISIBLE
        free = np.maximum(columns["capacity", name][rows] - columns["usage", name][rows], 0)
        found = stretch.sums(np.where(divisible, free, 0)).astype(np.float64)
        if self._trees.sharing:
            shared = self._trees.sharing.with_trees(
                lambda some: columns["kind", name][some] == DIVISIBLE
            )
            if shared is not None:
                found[shared[stretch.roots] & ~stretch.by_tree(divisible)] = np.inf
        return found

    def _free_units(self, name: str, stretch: Stretch) -> FreeUnits:
        table = self._view.units[name]
        place, counts = table.places(stretch.rows)
        by_tree = stretch.sums(counts)
        capacity = table.capacity[place].astype(np.float64)
        return FreeUnits(
            place=place,
            owner=np.repeat(np.arange(len(by_tree)), by_tree),
            bounds=np.concatenate(([0], np.cumsum(by_tree))),
            capacity=capacity,
            free=capacity - table.usage[place],
        )


def amounts_asked(view: LiveCapacity, shape: Shape) -> dict[str, int]:
    """What a shape asks for, by class; a whole unit counts as the largest of its class."""
    asked = dict(shape.amounts)
    for line in shape.units:
        table = view.units.get(line.resource_class)
        if table is not None and len(table.capacity):
            each = line.amount or int(table.capacity.max())
            asked[line.resource_class] = asked.get(line.resource_class, 0) + line.count * each
    return asked
