"""Trees of the live view: what conditions on single providers mean for the trees that they are in.

Trees come in the order in which their roots were registered, some at a time: the first few soon,
then more and more at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.demand import Affinities, Demand
from projections.live_capacity import DIVISIBLE, LiveCapacity
from projections.live_conditions import Condition, Conditions, SlotConditions, inside
from projections.live_sharing import SharingProviders, sharing_of

Mask = NDArray[np.bool_]
Rows = NDArray[np.int64]

FIRST_ROWS = 4_096
GROWTH = 4


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some trees that stand together: all their rows, and where each tree begins among these.

    In a forest without children both are None: a tree is a row.
    """

    where: slice | Rows
    roots: slice | Rows
    starts: Rows | None

    @property
    def rows(self) -> Rows:
        return _numbers(self.where)

    @property
    def root_rows(self) -> Rows:
        return _numbers(self.roots)

    def by_tree(self, holds: Mask) -> Mask:
        """True for the trees that have a row where it holds."""
        if self.starts is None:
            return holds
        reduced: Mask = np.logical_or.reduceat(holds, self.starts)
        return reduced

    def greatest(self, values: NDArray[Any]) -> NDArray[Any]:
        """By tree: the greatest of its rows."""
        return values if self.starts is None else np.maximum.reduceat(values, self.starts)

    def sums(self, values: NDArray[Any]) -> NDArray[Any]:
        """By tree: the sum over its rows."""
        return values if self.starts is None else np.add.reduceat(values, self.starts)


def _numbers(rows: slice | Rows) -> Rows:
    return np.arange(rows.start, rows.stop) if isinstance(rows, slice) else rows


class LiveTrees:
    """For one search: what it works out of the trees is kept until it is done."""

    def __init__(self, view: LiveCapacity) -> None:
        self._view = view
        self._shared: dict[tuple[int, int | None], tuple[SlotConditions, Mask | None]] = {}

    def considered(self, demand: Demand) -> Mask:
        """By row: True for the roots of the trees that may serve; all, unless the demand names one.

        A provider of the batch in hand has no position yet; the next batch will see it.
        """
        considered = self.roots()
        if demand.where.within is not None:
            considered &= self._served_within(demand.where.within)
        if demand.in_tree is not None:
            considered &= self.roots_of([demand.in_tree])
        return considered

    def _served_within(self, provider_id: str) -> Mask:
        """By row: True at the root of this provider's tree, and of those with which it shares, or
        something below it does."""
        served = self.roots_of([provider_id])
        if self.sharing:
            shared = self.sharing.with_trees(inside(self._view, provider_id))
            served = served if shared is None else served | shared
        return served

    def roots(self) -> Mask:
        """By row: True for the roots of trees that are there."""
        columns, forest = self._view.columns, self._view.forest
        roots: Mask = columns["alive"] & (columns["position"] > 0)
        if not forest.is_flat:
            roots &= forest.roots == np.arange(columns.length)
        return roots

    def allowed_by(self, affinities: Affinities) -> Mask | bool:
        """By row: True at the roots where the consumer's group lets it go."""
        allowed: Mask | bool = True
        if affinities.near is not None:
            allowed = self.roots_of(affinities.near)
        if affinities.away:
            allowed = allowed & ~self.roots_of(affinities.away)
        return allowed

    def roots_of(self, provider_ids: Iterable[str]) -> Mask:
        """By row: True at the roots of these providers' trees."""
        view = self._view
        roots = np.zeros(view.columns.length, dtype=bool)
        rows = [view.row_of[one] for one in provider_ids if one in view.row_of]
        roots[[view.forest.root(row) for row in rows]] = True
        return roots

    def ids_of(self, root: int) -> tuple[str, ...]:
        """The tree's providers, the root first, and those that share with it."""
        view = self._view
        rows = view.forest.members(root)
        if self.sharing:
            rows = [*rows, *self.sharing.of_tree(root)]
        return tuple(view.ids[row] for row in rows)

    def everything(self) -> Stretch:
        """All trees at once."""
        return self._stretch(0, self._count)

    def stretches(self) -> Iterator[Stretch]:
        start, size = 0, FIRST_ROWS
        while start < self._count:
            yield self._stretch(start, min(start + size, self._count))
            start, size = start + size, size * GROWTH

    def of(self, demand: Demand, considered: Mask) -> Iterator[Stretch]:
        """Those in which the considered trees are: only these, where the demand names a place."""
        if demand.in_tree is None and demand.where.within is None:
            yield from self.stretches()
        elif considered.any():
            yield self.stretch_of(np.flatnonzero(considered))

    def stretch_of(self, roots: Rows) -> Stretch:
        """These trees, in this order."""
        forest = self._view.forest
        if forest.is_flat:
            return Stretch(roots, roots, None)
        some = forest.trees(roots)
        return Stretch(some.rows, some.roots, some.starts)

    @property
    def _count(self) -> int:
        forest = self._view.forest
        return self._view.columns.length if forest.is_flat else len(forest.in_order().roots)

    def _stretch(self, start: int, end: int) -> Stretch:
        forest = self._view.forest
        if forest.is_flat:
            return Stretch(slice(start, end), slice(start, end), None)
        rows, starts, roots = forest.in_order()
        first = int(starts[start]) if start < len(starts) else 0
        last = int(starts[end]) if end < len(starts) else len(rows)
        return Stretch(rows[first:last], roots[start:end], starts[start:end] - first)

    # --- What conditions mean ---------------------------------------------------------------------

    def has(self, condition: Condition, stretch: Stretch) -> Mask:
        """By tree: True where one of its providers, or of those that share with it, meets it."""
        holds = stretch.by_tree(condition.test(stretch.where))
        if not self.sharing:
            return holds
        shared = self.sharing.with_trees(condition.sharing_test or condition.test)
        return holds if shared is None else holds | shared[stretch.roots]

    def has_in_all(self, resource_class: str, amount: int, stretch: Stretch) -> Mask:
        """By tree: True where its providers together, or some that shares with it, may have so much
        left."""
        columns, where = self._view.columns, stretch.where
        divisible = columns["kind", resource_class][where] == DIVISIBLE
        left = columns["capacity", resource_class][where] - columns["usage", resource_class][where]
        enough: Mask = stretch.sums(np.where(divisible, np.maximum(left, 0), 0)) >= amount
        if self.sharing:
            kind = columns["kind", resource_class]
            shared = self.sharing.with_trees(lambda rows: kind[rows] == DIVISIBLE)
            enough = enough if shared is None else enough | shared[stretch.roots]
        return enough

    def serves(self, slot: SlotConditions, stretch: Stretch) -> Mask:
        """By tree: True where one provider, of the tree or sharing with it, meets all of a slot."""
        holds: Mask | None = None
        for condition in slot.conditions:
            if not condition.implied:
                one = condition.test(stretch.where)
                holds = one if holds is None else holds & one
        assert holds is not None
        trees = stretch.by_tree(holds)
        shared = self.shared(slot)
        return trees if shared is None else trees | shared[stretch.roots]

    def shared(self, slot: SlotConditions, upto: int | None = None) -> Mask | None:
        """By row: True at the roots with which somebody shares who meets the first conditions of a
        slot (all of them, without `upto`). None where nobody shares anything."""
        if not self.sharing:
            return None
        key = (id(slot), upto)
        if key not in self._shared:
            tests = (one.sharing_test or one.test for one in slot.conditions[:upto])
            # With the slot itself, so that its id stays its own.
            self._shared[key] = (slot, self.sharing.with_trees(*tests))
        return self._shared[key][1]

    @cached_property
    def sharing(self) -> SharingProviders | None:
        """Those that share, or None: the usual case."""
        return sharing_of(self._view)


def fitting(trees: LiveTrees, conditions: Conditions, stretch: Stretch, considered: Mask) -> Mask:
    """By tree: True where every slot has a provider. They may still compete with each other."""
    fits = considered[stretch.roots]
    for condition in conditions.together:
        fits = fits & trees.has(condition, stretch)
    for slot in conditions.slots:
        if not fits.any():
            return fits
        fits = fits & trees.serves(slot, stretch)
    for name, amount in conditions.totals:
        fits = fits & trees.has_in_all(name, amount, stretch)
    return fits
