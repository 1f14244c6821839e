"""The units of one discrete class over all providers, flat, so that one pass finds free ones."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.inventory import DiscreteInventory

Key = tuple[type, Any]
"""An attribute's value with its type: JSON's 1 and true are different values."""


class UnitTable:
    """Arrays over units: the provider's row, capacity, usage, and a code per attribute value.

    Providers come and go seldom and claims often: usage is updated in place, while a changed
    inventory only marks the arrays as old, to be built again at the next search.
    """

    def __init__(self) -> None:
        self._inventories: dict[int, DiscreteInventory] = {}
        self._usage: dict[int, dict[str, int]] = {}
        self._places: dict[tuple[int, str], int] = {}
        self._codes: dict[Key, int] = {}
        self._attributes: dict[str, NDArray[np.int64]] = {}
        self._stale = True
        self.rows = np.zeros(0, dtype=np.int64)
        self.capacity = np.zeros(0, dtype=np.int64)
        self.usage = np.zeros(0, dtype=np.int64)

    def put(self, row: int, inventory: DiscreteInventory | None, usage: dict[str, int]) -> None:
        """Set or remove (None) a provider's units, with what is in use of them."""
        if inventory is None:
            self._inventories.pop(row, None)
            self._usage.pop(row, None)
        else:
            self._inventories[row] = inventory
            self._usage[row] = dict(usage)
        self._stale = True

    def used(self, row: int) -> dict[str, int]:
        """What is in use of a provider's units, by name."""
        return self._usage.get(row, {})

    def add(self, row: int, parts: dict[str, int], sign: int) -> None:
        usage = self._usage.setdefault(row, {})
        for name, amount in parts.items():
            usage[name] = usage.get(name, 0) + sign * amount
            place = self._places.get((row, name))
            if place is not None and not self._stale:
                self.usage[place] += sign * amount

    def fresh(self) -> UnitTable:
        """Itself, with arrays that are up to date."""
        if self._stale:
            self._build()
        return self

    def where(self, attribute: str, accepted: tuple[Any, ...]) -> NDArray[np.bool_]:
        """True for the units whose attribute is one of these values."""
        column = self._attributes.get(attribute)
        if column is None:
            return np.zeros(len(self.rows), dtype=bool)
        codes = [self._codes.get((type(value), value), -2) for value in accepted]
        return column == codes[0] if len(codes) == 1 else np.isin(column, codes)

    def _build(self) -> None:
        rows: list[int] = []
        capacity: list[int] = []
        usage: list[int] = []
        attributes: dict[str, list[tuple[int, int]]] = {}
        self._places.clear()
        for row, inventory in sorted(self._inventories.items()):
            used = self._usage[row]
            for unit in inventory.units:
                place = len(rows)
                self._places[row, unit.name] = place
                rows.append(row)
                capacity.append(unit.capacity)
                usage.append(used.get(unit.name, 0))
                for name, value in unit.attributes.items():
                    code = self._codes.setdefault((type(value), value), len(self._codes))
                    attributes.setdefault(name, []).append((place, code))
        self.rows = np.array(rows, dtype=np.int64)
        self.capacity = np.array(capacity, dtype=np.int64)
        self.usage = np.array(usage, dtype=np.int64)
        self._attributes = {name: _spread(len(rows), pairs) for name, pairs in attributes.items()}
        self._stale = False


def _spread(length: int, pairs: list[tuple[int, int]]) -> NDArray[np.int64]:
    """A column of codes, -1 where a unit has no such attribute."""
    column = np.full(length, -1, dtype=np.int64)
    places, codes = zip(*pairs, strict=True)
    column[list(places)] = codes
    return column
