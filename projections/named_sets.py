"""A set of names for each row, as a column per name: traits, groups."""

from __future__ import annotations

import numpy as np

from projections.columns import Columns


class NamedSets:
    """The columns are called (kind, name). A change costs as much as the sets are large."""

    def __init__(self, columns: Columns, kind: str) -> None:
        self._columns = columns
        self._kind = kind
        self._of: dict[int, frozenset[str]] = {}
        self._counts: dict[str, int] = {}

    def of(self, row: int) -> frozenset[str]:
        return self._of.get(row, frozenset())

    def uses(self, name: str) -> bool:
        """True if some row's set has the name."""
        return self._counts.get(name, 0) > 0

    def put(self, row: int, names: frozenset[str]) -> None:
        before = self.of(row)
        for name in names - before:
            self._columns.declare((self._kind, name), np.bool_, fill=False)
            self._set(row, name, value=True)
        for name in before - names:
            self._set(row, name, value=False)
        if names:
            self._of[row] = names
        else:
            self._of.pop(row, None)

    def _set(self, row: int, name: str, *, value: bool) -> None:
        self._columns.set((self._kind, name), row, value)
        self._counts[name] = self._counts.get(name, 0) + (1 if value else -1)
