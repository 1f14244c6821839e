"""Which provider is in which tree: parents, roots and members by row number."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class TreesInOrder(NamedTuple):
    """Tree after tree. `starts` is where each begins among the rows, `roots` its root, which may be
    any of its rows: a provider may have been moved below one that was registered after it."""

    rows: NDArray[np.int64]
    starts: NDArray[np.int64]
    roots: NDArray[np.int64]


class Forest:
    """Trees of rows. What is changed costs as much as its tree is large, not the whole cloud."""

    def __init__(self) -> None:
        self._parents: list[int] = []
        self._roots: list[int] = []
        self._members: dict[int, list[int]] = {}
        self._children: dict[int, list[int]] = {}
        self._root_array: NDArray[np.int64] | None = None
        self._parent_array: NDArray[np.int64] | None = None
        self._order: TreesInOrder | None = None
        self.changes = 0
        """Counts what changed of the trees that were there."""

    @property
    def is_flat(self) -> bool:
        """True while no row has a parent, so that each tree is one row."""
        return not self._children

    @property
    def roots(self) -> NDArray[np.int64]:
        """Each row's root."""
        if self._root_array is None or len(self._root_array) != len(self._roots):
            self._root_array = np.array(self._roots, dtype=np.int64)
        return self._root_array

    @property
    def parents(self) -> NDArray[np.int64]:
        """Each row's parent; -1: it is a root."""
        if self._parent_array is None or len(self._parent_array) != len(self._parents):
            self._parent_array = np.array(self._parents, dtype=np.int64)
        return self._parent_array

    def in_order(self) -> TreesInOrder:
        """All rows, tree after tree in the order of their roots."""
        if self._order is None or len(self._order.rows) != len(self._roots):
            rows = np.argsort(self.roots, kind="stable")
            roots = self.roots[rows]
            starts = np.flatnonzero(np.diff(roots, prepend=-1))
            self._order = TreesInOrder(rows, starts, roots[starts])
        return self._order

    def add(self, parent: int) -> None:
        """Append a row below a parent (-1: it is a root)."""
        row = len(self._parents)
        root = row if parent < 0 else self._roots[parent]
        self._parents.append(parent)
        self._roots.append(root)
        self._members.setdefault(root, []).append(row)
        if parent >= 0:
            self._children.setdefault(parent, []).append(row)

    def move(self, row: int, parent: int) -> None:
        """Put a row, with all below it, under another parent (-1: it becomes a root)."""
        if self._parents[row] == parent:
            return
        self.cut(row)
        if parent >= 0:
            self._parents[row] = parent
            self._children.setdefault(parent, []).append(row)
            self._join(self._members.pop(row), self._roots[parent])

    def cut(self, row: int) -> None:
        """Take a row, with all below it, out of its tree: it becomes a root."""
        parent = self._parents[row]
        if parent < 0:
            return
        self._children[parent].remove(row)
        if not self._children[parent]:
            del self._children[parent]
        self._parents[row] = -1
        rows = self.subtree(row)
        gone = set(rows)
        root = self._roots[row]
        self._members[root] = [one for one in self._members[root] if one not in gone]
        self._join(rows, row)

    def members(self, row: int) -> list[int]:
        """The rows of the tree that this row is in, its root first."""
        return self._members[self._roots[row]]

    def trees(self, roots: NDArray[np.int64]) -> TreesInOrder:
        """The trees of these roots, in this order."""
        order = self.in_order()
        trees = np.searchsorted(order.roots, roots)
        starts, sizes = order.starts[trees], np.diff(order.starts, append=len(order.rows))[trees]
        begins = np.cumsum(sizes) - sizes
        places = np.arange(int(sizes.sum())) + np.repeat(starts - begins, sizes)
        return TreesInOrder(order.rows[places], begins, roots)

    def children(self, row: int) -> list[int]:
        return self._children.get(row, [])

    def parent(self, row: int) -> int:
        """-1: it is a root."""
        return self._parents[row]

    def root(self, row: int) -> int:
        return self._roots[row]

    def subtree(self, row: int) -> list[int]:
        """The row and all below it, parents before children."""
        found = [row]
        for one in found:
            found.extend(self._children.get(one, ()))
        return found

    def _join(self, rows: list[int], root: int) -> None:
        self._order = None
        self._parent_array = None
        self.changes += 1
        self._members.setdefault(root, []).extend(rows)
        for row in rows:
            self._roots[row] = root
        if self._root_array is not None and len(self._root_array) == len(self._roots):
            self._root_array[rows] = root
