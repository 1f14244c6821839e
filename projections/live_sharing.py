"""Providers that share what they have with the trees around them: a storage pool of some hosts.

As in Placement, a provider shares if it has the trait MISC_SHARES_VIA_AGGREGATE, and shares with
the trees of which some provider is in a group with it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from projections.live_capacity import LiveCapacity

Mask = NDArray[np.bool_]
Rows = NDArray[np.int64]

SHARES = "MISC_SHARES_VIA_AGGREGATE"


class SharingProviders:
    """False where nobody shares anything."""

    def __init__(self, view: LiveCapacity) -> None:
        self._view = view
        columns = view.columns
        if view.uses_trait(SHARES):
            shares = columns["trait", SHARES] & columns["alive"] & (columns["position"] > 0)
            self._rows = np.flatnonzero(shares)
        else:
            self._rows = np.zeros(0, dtype=np.int64)
        self._trees: dict[int, Mask] = {}

    def __bool__(self) -> bool:
        return len(self._rows) > 0

    def with_trees(self, *tests: Callable[[Rows], Mask]) -> Mask | None:
        """By row: True at the roots of the trees with which somebody shares who meets all tests."""
        rows = self._rows
        for test in tests:
            rows = rows[test(rows)]
        if not len(rows):
            return None
        found: Mask = np.logical_or.reduce([self._trees_of(int(row)) for row in rows])
        return found

    def greatest(self, value: Callable[[Rows], Rows]) -> Rows:
        """By row: at the roots, the greatest value of those that share with the tree, or 0."""
        found = np.zeros(self._view.columns.length, dtype=np.int64)
        for row, one in zip(self._rows.tolist(), value(self._rows).tolist(), strict=True):
            found[self._trees_of(row)] = np.maximum(found[self._trees_of(row)], one)
        return found

    def of_tree(self, root: int) -> list[int]:
        """Those that share with one tree and are not in it, by registration."""
        forest = self._view.forest
        return [
            row
            for row in self._rows.tolist()
            if forest.root(row) != root and self._trees_of(row)[root]
        ]

    def _trees_of(self, row: int) -> Mask:
        """True at the roots of the trees that have a provider in a group with this one."""
        if row not in self._trees:
            view = self._view
            around = np.zeros(view.columns.length, dtype=bool)
            for name in view.groups_of(row):
                around |= view.columns["group", name]
            trees = np.zeros(view.columns.length, dtype=bool)
            trees[view.forest.roots[around & view.columns["alive"]]] = True
            self._trees[row] = trees
        return self._trees[row]
