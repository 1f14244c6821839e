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


def sharing_of(view: LiveCapacity) -> SharingProviders | None:
    """None where nobody shares: the usual case."""
    if not view.uses_trait(SHARES):
        return None
    found = view.remembered("sharing", lambda: SharingProviders(view))
    return found or None


class SharingProviders:
    """As long as providers are what they are, whatever is in use of them."""

    def __init__(self, view: LiveCapacity) -> None:
        self._view = view
        columns = view.columns
        shares = columns["trait", SHARES] & columns["alive"] & (columns["position"] > 0)
        self._rows = np.flatnonzero(shares)
        self._trees = {row: self._trees_around(row) for row in self._rows.tolist()}
        self._around: dict[int, list[int]] = {}
        for row, trees in self._trees.items():
            for root in trees.tolist():
                self._around.setdefault(root, []).append(row)

    def __bool__(self) -> bool:
        return len(self._rows) > 0

    def with_trees(self, *tests: Callable[[Rows], Mask]) -> Mask | None:
        """By row: True at the roots of the trees with which somebody shares who meets all tests."""
        rows = self._rows
        for test in tests:
            rows = rows[test(rows)]
        if not len(rows):
            return None
        found = np.zeros(self._view.columns.length, dtype=bool)
        found[np.concatenate([self._trees[row] for row in rows.tolist()])] = True
        return found

    def greatest(self, value: Callable[[Rows], Rows]) -> Rows:
        """By row: at the roots, the greatest value of those that share with the tree, or 0."""
        found = np.zeros(self._view.columns.length, dtype=np.int64)
        for row, one in zip(self._rows.tolist(), value(self._rows).tolist(), strict=True):
            trees = self._trees[row]
            found[trees] = np.maximum(found[trees], one)
        return found

    def of_tree(self, root: int) -> list[int]:
        """Those that share with one tree and are not in it, by registration."""
        forest = self._view.forest
        return [row for row in self._around.get(root, ()) if forest.root(row) != root]

    def _trees_around(self, row: int) -> Rows:
        """The roots of the trees that have a provider in a group with this one."""
        view = self._view
        around = np.zeros(view.columns.length, dtype=bool)
        for name in view.groups_of(row):
            around |= view.columns["group", name]
        return np.unique(view.forest.roots[around & view.columns["alive"]])
