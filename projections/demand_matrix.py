"""The demand of late as matrices over its shapes: how many copies of each fit into a stock."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from projections.demand_mix import Mix, UnitShape
from projections.live_capacity import LiveCapacity
from projections.live_conditions import conditions_on_place
from projections.live_stock import FreeUnits, Stock, StockReader, amounts_asked
from projections.live_trees import LiveTrees, Stretch, fitting

Numbers = NDArray[np.float64]
Rows = NDArray[np.int64]
Mask = NDArray[np.bool_]

COPY = 1000
"""Copies are counted in thousandths."""


class _Asked(NamedTuple):
    """Which shapes ask for a class, and how much of it: an amount, or how many units of a level."""

    shapes: Rows | slice
    needs: Numbers
    levels: Rows | slice = slice(None)


class _Levels(NamedTuple):
    """Parts of a class's units that some lines ask for (0: whole ones); and by unit and level,
    whether it could be one of them."""

    amounts: Numbers
    suited: Mask


class DemandMatrix:
    """Only shapes that ask for the scarcest class: of which most was asked, as a part of its
    capacity. It holds for one mix on one description of the cloud."""

    def __init__(self, view: LiveCapacity, trees: LiveTrees, stock: StockReader, mix: Mix) -> None:
        self._view = view
        self._stock = stock
        self.scarcest = _scarcest(view, mix)
        asking = [
            (shape, count, amount)
            for shape, count in mix.shapes
            if (amount := amounts_asked(view, shape).get(self.scarcest, 0))
        ]
        self.shapes = [shape for shape, _, _ in asking]
        self.counts = np.array([count for _, count, _ in asking], dtype=np.float64)
        self.asked = np.array([amount for _, _, amount in asking], dtype=np.float64)
        """Of the scarcest class, by shape."""
        self._amounts = {name: self._amounts_of(name) for name in self._names("amounts")}
        self._levels: dict[str, _Levels] = {}
        self._lines: list[tuple[str, _Asked]] = []
        for name in self._names("units"):
            if name in view.units:
                self._take_lines(name)
        self._eligible = self._eligibility(trees)

    def read(self, stretch: Stretch) -> Stock:
        """What is free in trees, of the classes that the shapes ask for."""
        return self._stock.read(stretch, list(self._amounts), list(self._levels))

    def copies(self, stretch: Stretch, stock: Stock) -> Numbers:
        """By tree and shape: how many copies fit, in thousandths; 0 for less than a whole one."""
        copies = np.full((len(stretch.root_rows), len(self.shapes)), np.inf)
        for name, asked in self._amounts.items():
            _limit(copies, asked, COPY * stock.amounts[name][:, None] / asked.needs)
        offered = {name: self._offered(name, stock.units[name]) for name in self._levels}
        for name, asked in self._lines:
            _limit(copies, asked, COPY * offered[name][:, asked.levels] / asked.needs)
        # The floor of a correctly rounded quotient of whole numbers this small is exact.
        np.floor(copies, out=copies)
        # What others share with a tree is not the tree's to lose.
        none = (copies < COPY) | np.isinf(copies)
        if self._eligible is not None:
            none |= ~self._eligible[stretch.roots]
        copies[none] = 0
        return copies

    def _offered(self, name: str, units: FreeUnits) -> Numbers:
        """By tree and level: how many parts of that size its units still hold, or whole units."""
        amounts, suited = self._levels[name]
        free = units.free[:, None]
        offered = np.floor(free / np.maximum(amounts, 1))
        if not amounts.all():
            capacity = units.capacity[:, None]
            offered = np.where(amounts > 0, offered, (free >= capacity) & (capacity > 0))
        offered *= suited[units.place]
        return units.by_tree(offered)

    # --- What is asked ----------------------------------------------------------------------------

    def _names(self, kind: str) -> list[str]:
        """The classes that are asked for in amounts, or in units."""
        found: dict[str, None] = {}
        for shape in self.shapes:
            if kind == "amounts":
                found.update((name, None) for name, _ in shape.amounts)
            else:
                found.update((line.resource_class, None) for line in shape.units)
        return list(found)

    def _amounts_of(self, name: str) -> _Asked:
        pairs = [
            (index, amount)
            for index, shape in enumerate(self.shapes)
            for of, amount in shape.amounts
            if of == name
        ]
        return _Asked(self._some(index for index, _ in pairs), _numbers(n for _, n in pairs))

    def _take_lines(self, name: str) -> None:
        """The levels of a class; and its lines in rounds, in each of which a shape has one."""
        levels: dict[tuple[int, UnitShape], int] = {}
        rounds: list[list[tuple[int, int, int]]] = []
        for index, shape in enumerate(self.shapes):
            of_class = [line for line in shape.units if line.resource_class == name]
            for number, line in enumerate(of_class):
                level = (line.amount, replace(line, count=1, amount=0))
                if number == len(rounds):
                    rounds.append([])
                at = levels.setdefault(level, len(levels))
                rounds[number].append((index, at, line.count))
        self._levels[name] = _Levels(
            _numbers(amount for amount, _ in levels),
            np.stack([self._stock.suited(line) for _, line in levels], axis=1),
        )
        for lines in rounds:
            asked = _Asked(
                self._some(index for index, _, _ in lines),
                _numbers(count for _, _, count in lines),
                np.array([at for _, at, _ in lines]),
            )
            self._lines.append((name, asked))

    def _some(self, indices: Iterable[int]) -> Rows | slice:
        """All of the shapes are a slice, which need not be copied."""
        some = np.array(list(indices))
        return slice(None) if len(some) == len(self.shapes) else some

    def _eligibility(self, trees: LiveTrees) -> Mask | None:
        """By row of a root and shape: whether its traits and groups allow it; None: all do."""
        conditions = [conditions_on_place(self._view, shape.where) for shape in self.shapes]
        if not any(one.together or one.slots for one in conditions):
            return None
        everything = trees.everything()
        length = self._view.columns.length
        eligible = np.zeros((length, len(self.shapes)), dtype=bool)
        considered = np.ones(length, dtype=bool)
        for index, one in enumerate(conditions):
            eligible[everything.roots, index] = fitting(trees, one, everything, considered)
        return eligible


def _limit(copies: Numbers, asked: _Asked, most: Numbers) -> None:
    if isinstance(asked.shapes, slice):
        np.minimum(copies, most, out=copies)
    else:
        copies[:, asked.shapes] = np.minimum(copies[:, asked.shapes], most)


def _numbers(values: Iterable[int]) -> Numbers:
    return np.array(list(values), dtype=np.float64)


def _scarcest(view: LiveCapacity, mix: Mix) -> str:
    """The class of which most was asked, as a part of its capacity; "" where there is none."""
    wanted: dict[str, int] = {}
    for shape, count in mix.shapes:
        for name, amount in amounts_asked(view, shape).items():
            wanted[name] = wanted.get(name, 0) + count * amount
    capacity = {
        name: int(view.columns["capacity", name].sum())
        for name in wanted
        if ("capacity", name) in view.columns
    }
    ratios = {name: wanted[name] / total for name, total in capacity.items() if total}
    return min(ratios, key=lambda name: (-ratios[name], name), default="")
