"""Columns of numbers that grow by rows: what the live capacity view is made of."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

Column = NDArray[Any]


class Columns:
    """Arrays of equal length, made on first use, doubled together when rows run out."""

    def __init__(self) -> None:
        self.length = 0
        self._room = 64
        self._arrays: dict[Hashable, Column] = {}
        self._fills: dict[Hashable, Any] = {}

    def declare(self, key: Hashable, dtype: DTypeLike, fill: Any) -> None:
        """Make a column; rows that it has no value for read as `fill`."""
        if key not in self._arrays:
            self._arrays[key] = np.full(self._room, fill, dtype=dtype)
            self._fills[key] = fill

    def add_row(self) -> int:
        """Append a row of fills and return its index."""
        return int(self.add_rows(1).start)

    def add_rows(self, count: int) -> slice:
        """Append rows of fills and return where they are."""
        if self.length + count > self._room:
            while self.length + count > self._room:
                self._room *= 2
            for key, array in self._arrays.items():
                grown = np.full(self._room, self._fills[key], dtype=array.dtype)
                grown[: self.length] = array[: self.length]
                self._arrays[key] = grown
        self.length += count
        return slice(self.length - count, self.length)

    def keep(self, rows: NDArray[np.int64]) -> None:
        """Keep these rows only, in this order."""
        for key, array in self._arrays.items():
            kept = np.full(self._room, self._fills[key], dtype=array.dtype)
            kept[: len(rows)] = array[rows]
            self._arrays[key] = kept
        self.length = len(rows)

    def __getitem__(self, key: Hashable) -> Column:
        """The column's values, as a view: writing to it writes to the column."""
        return self._arrays[key][: self.length]

    def __contains__(self, key: Hashable) -> bool:
        return key in self._arrays

    def set(self, key: Hashable, row: int, value: Any) -> None:
        self._arrays[key][row] = value

    def add(self, key: Hashable, row: int, value: int) -> None:
        self._arrays[key][row] += value
