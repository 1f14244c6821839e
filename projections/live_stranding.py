"""What placing a demand would strand of each tree, measured by the demand of late.

The free resources of a tree are worth as many copies of each recent request as fit: fractions
count, but nothing where not one fits whole. Only requests count that ask for the scarcest class,
the one of which most was asked as a part of its capacity. A demand goes where the fewest copies are
lost by it, over all recent requests: the gradient descent of "Beware of Fragmentation" (Weng et
al., USENIX ATC 2023), which instead counts what is free of GPUs wherever one copy fits. Stranded is
what is free of the scarcest class beyond what those copies, on average, would take of it.

All figures are whole numbers below 2**53, so the sums are exact in floating point, in any order.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from domain.decision import Stranding
from projections.demand_matrix import COPY, DemandMatrix
from projections.demand_mix import Mix, Shape
from projections.live_capacity import LiveCapacity
from projections.live_stock import Stock, StockReader
from projections.live_trees import LiveTrees, Stretch

Numbers = NDArray[np.float64]
Rows = NDArray[np.int64]

REMEMBERED = 32
"""Shapes whose placings are kept in mind. Each takes 24 bytes per provider."""
WORTH, USABLE = 0, 1
"""Of a tree: copies that fit, over all recent requests; and what these take of the scarcest."""


class LiveStranding:
    """Remembers what it measured of each tree, until something of the tree, or the mix, changes."""

    def __init__(self, view: LiveCapacity) -> None:
        self._view = view
        self._measure: _Measure | None = None

    def losses(self, trees: LiveTrees, shape: Shape, roots: Rows) -> Rows | None:
        """How many copies of the recent requests each tree loses by such a placing, of all of them
        together, in thousandths. None while nothing was asked for that anybody has. Trees in which
        it does not fit may get any figure."""
        measure = self._current(trees)
        return None if measure is None else measure.losses(trees, shape, roots)

    def stranding(self, trees: LiveTrees, shape: Shape, root: int) -> Stranding | None:
        """Before and after, in amounts of the scarcest class; None as above."""
        measure = self._current(trees)
        return None if measure is None else measure.stranding(trees, shape, root)

    def stranded(self, trees: LiveTrees, roots: Rows) -> tuple[str, Rows, Rows] | None:
        """The scarcest class; and of each tree what is free of it, and what of that is stranded."""
        measure = self._current(trees)
        return None if measure is None else measure.stranded(trees, roots)

    def _current(self, trees: LiveTrees) -> _Measure | None:
        mix, described = self._view.mix.now, self._view.described
        measure = self._measure
        if measure is None or (measure.mix, measure.described) != (mix, described):
            measure = self._measure = _Measure(self._view, trees, mix)
        return measure if measure.demand.shapes else None


@dataclass
class _Remembered:
    """By row of a root: WORTH and USABLE, and the view's tick when they were worked out (-1: not
    yet)."""

    length: int
    figures: Numbers = field(init=False)
    ticks: Rows = field(init=False)

    def __post_init__(self) -> None:
        self.figures = np.zeros((self.length, 2))
        self.ticks = np.full(self.length, -1, dtype=np.int64)


class _Measure:
    """One mix on one description of the cloud."""

    def __init__(self, view: LiveCapacity, trees: LiveTrees, mix: Mix) -> None:
        self.mix = mix
        self.described = view.described
        self._view = view
        self._stock = StockReader(view, trees)
        self.demand = demand = DemandMatrix(view, trees, self._stock, mix)
        self._weights = np.stack((demand.counts, demand.counts * demand.asked), axis=1)
        self._now = _Remembered(view.columns.length)
        self._placed: dict[Shape, _Remembered] = {}

    def losses(self, trees: LiveTrees, shape: Shape, roots: Rows) -> Rows:
        before, after = self._as_they_are(trees, roots), self._with(trees, shape, roots)
        losses: Rows = (before - after)[:, WORTH].astype(np.int64)
        return losses

    def stranding(self, trees: LiveTrees, shape: Shape, root: int) -> Stranding:
        roots = np.array([root])
        stretch = trees.stretch_of(roots)
        stock = self.demand.read(stretch)
        free, left = self._free(stock), self._free(self._stock.taken(stock, shape))
        before, after = self._as_they_are(trees, roots), self._with(trees, shape, roots)
        return Stranding(
            resource_class=self.demand.scarcest,
            before=int(self._beyond(free, before)[0]),
            after=int(self._beyond(left, after)[0]),
            as_of=self.mix.as_of,
        )

    def stranded(self, trees: LiveTrees, roots: Rows) -> tuple[str, Rows, Rows]:
        free = self._free(self.demand.read(trees.stretch_of(roots)))
        return self.demand.scarcest, free, self._beyond(free, self._as_they_are(trees, roots))

    # --- Figures ----------------------------------------------------------------------------------

    def _as_they_are(self, trees: LiveTrees, roots: Rows) -> Numbers:
        old = self._old(self._now, roots)
        if len(old):
            stretch = trees.stretch_of(old)
            self._remember(self._now, stretch, self.demand.read(stretch))
        figures: Numbers = self._now.figures[roots]
        return figures

    def _with(self, trees: LiveTrees, shape: Shape, roots: Rows) -> Numbers:
        """As they would be with such a placing each."""
        known = self._placed.pop(shape, None) or _Remembered(self._view.columns.length)
        self._placed[shape] = known
        if len(self._placed) > REMEMBERED:
            del self._placed[next(iter(self._placed))]
        old = self._old(known, roots)
        if len(old):
            stretch = trees.stretch_of(old)
            stock = self._stock.taken(self.demand.read(stretch), shape)
            self._remember(known, stretch, stock)
        figures: Numbers = known.figures[roots]
        return figures

    def _old(self, known: _Remembered, roots: Rows) -> Rows:
        """Those that changed since."""
        changed: Rows = self._view.columns["changed"][roots]
        return roots[known.ticks[roots] < changed]

    def _remember(self, known: _Remembered, stretch: Stretch, stock: Stock) -> None:
        known.figures[stretch.roots] = self.demand.copies(stretch, stock) @ self._weights
        known.ticks[stretch.roots] = self._view.tick

    def _free(self, stock: Stock) -> Rows:
        """Of the scarcest class, by tree."""
        scarcest = self.demand.scarcest
        if scarcest in stock.units:
            units = stock.units[scarcest]
            free = units.by_tree(units.free)
        else:
            free = stock.amounts[scarcest]
        return np.where(np.isfinite(free), free, 0).astype(np.int64)

    def _beyond(self, free: Rows, figures: Numbers) -> Rows:
        """What is free beyond what an average request could use."""
        usable = np.rint(figures[:, USABLE] / (COPY * self.demand.counts.sum()))
        beyond: Rows = np.maximum(free - usable.astype(np.int64), 0)
        return beyond
