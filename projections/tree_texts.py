"""Texts about providers, kept for as long as nothing in the provider's tree changes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from projections.live_capacity import LiveCapacity

NEVER = -1


class TreeTexts:
    """One text a row. Ten thousand that are all still good are looked up in a fraction of a
    millisecond, as all are compared at once with the ticks at which their trees were changed."""

    def __init__(self) -> None:
        self._texts: list[bytes] = []
        self._ticks = np.empty(0, dtype=np.int64)

    def of(
        self, view: LiveCapacity, rows: NDArray[np.int64], make: Callable[[int], bytes]
    ) -> list[bytes]:
        self._grow(len(view.ids))
        ticks = view.columns["changed"][view.forest.roots[rows]]
        for row in rows[self._ticks[rows] != ticks].tolist():
            self._texts[row] = make(row)
        self._ticks[rows] = ticks
        texts = self._texts
        return [texts[row] for row in rows.tolist()]

    def _grow(self, length: int) -> None:
        missing = length - len(self._texts)
        if missing:
            self._texts += [b""] * missing
            self._ticks = np.append(self._ticks, np.full(missing, NEVER))
