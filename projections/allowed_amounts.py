"""Which inventories give an amount to one claim at all: remembered, as that seldom changes."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain import fit
from projections.columns import Columns

Mask = NDArray[np.bool_]

KEPT = 64
"""Requests come in few shapes. Each entry takes a byte per provider."""


@dataclass(slots=True)
class _Known:
    mask: Mask
    changes: int
    """So many of the class's changes it has seen."""


class AllowedAmounts:
    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        self._changed: dict[str, list[int]] = defaultdict(list)
        self._known: OrderedDict[tuple[str, int], _Known] = OrderedDict()

    def inventory_changed(self, resource_class: str, row: int) -> None:
        changed = self._changed[resource_class]
        changed.append(row)
        if len(changed) > 4 * self._columns.length + 1_000:
            for key in [key for key in self._known if key[0] == resource_class]:
                del self._known[key]
            changed.clear()

    def of(self, resource_class: str, amount: int) -> Mask:
        """By row, for all rows."""
        key = (resource_class, amount)
        changed = self._changed[resource_class]
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = _Known(self._allowed(key, slice(None)), len(changed))
            if len(self._known) > KEPT:
                self._known.popitem(last=False)
        self._known.move_to_end(key)
        self._bring_up(known, key, changed)
        return known.mask[: self._columns.length]

    def _bring_up(self, known: _Known, key: tuple[str, int], changed: list[int]) -> None:
        if len(known.mask) < self._columns.length:
            # Half as much again, so that a growing cloud is not copied for each provider.
            grown = np.zeros(self._columns.length * 3 // 2, dtype=bool)
            grown[: len(known.mask)] = known.mask
            known.mask = grown
        if known.changes == len(changed):
            return
        rows = np.unique(np.array(changed[known.changes :], dtype=np.int64))
        known.mask[rows] = self._allowed(key, rows)
        known.changes = len(changed)

    def _allowed(self, key: tuple[str, int], rows: slice | NDArray[np.int64]) -> Mask:
        name, amount = key
        columns = self._columns
        allowed: Mask = fit.amount_is_allowed(
            amount,
            columns["min_unit", name][rows],
            columns["max_unit", name][rows],
            columns["step_size", name][rows],
        )
        return allowed
