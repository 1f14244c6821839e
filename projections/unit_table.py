"""The units of one discrete class over all providers, flat, so that one pass finds free ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from domain.component import AttributeCondition, AttributeRange
from domain.inventory import DiscreteInventory
from projections.attribute_codes import NO_CODE, AttributeCodes
from projections.columns import Columns

Mask = NDArray[np.bool_]
Numbers = NDArray[np.int64]

GONE = -1
"""Capacity of a unit that is no more: nothing fits into it."""
FEW_GONE = 1_024


class UnitTable:
    """Columns over units: the provider's row, capacity, usage, and a code per attribute value.

    A provider's units stand together. Those of a changed inventory are put at the end, and what
    stood there before is gone; once much is gone, the rest is put in the order of rows again.
    """

    def __init__(self) -> None:
        self._columns = Columns()
        self._columns.declare("row", np.int64, fill=0)
        self._columns.declare("capacity", np.int64, fill=GONE)
        self._columns.declare("usage", np.int64, fill=0)
        self._codes = AttributeCodes()
        self._attributes: set[str] = set()
        self._places = Columns()
        self._places.declare("start", np.int64, fill=0)
        self._places.declare("count", np.int64, fill=0)
        self._offsets: dict[int, dict[str, int]] = {}
        self.changes = 0
        """Counts what changed of where units stand and what they are like, but not their use."""
        self._gone = 0
        self._last_row = -1
        self._in_order = True

    # --- What is read -----------------------------------------------------------------------------

    @property
    def rows(self) -> Numbers:
        return self._columns["row"]

    @property
    def capacity(self) -> Numbers:
        return self._columns["capacity"]

    @property
    def usage(self) -> Numbers:
        return self._columns["usage"]

    def of_rows(self, start: int, end: int) -> slice:
        """Where the units of providers start <= row < end stand, and perhaps those of others."""
        if not self._in_order:
            return slice(0, self._columns.length)
        first, last = np.searchsorted(self.rows, (start, end)).tolist()
        return slice(first, last)

    def used(self, row: int) -> dict[str, int]:
        """What is in use of a provider's units, by name."""
        usage = self.usage[self.place(row)].tolist()
        return {name: usage[at] for name, at in self._offsets.get(row, {}).items() if usage[at]}

    def place(self, row: int) -> slice:
        """Where a provider's units stand."""
        if row >= self._places.length:
            return slice(0, 0)
        start = int(self._places["start"][row])
        return slice(start, start + int(self._places["count"][row]))

    def places(self, rows: Numbers) -> tuple[Numbers, Numbers]:
        """Where the units of these providers stand, and how many each has."""
        known = rows < self._places.length
        rows = np.where(known, rows, 0)
        counts = np.where(known, self._places["count"][rows], 0)
        ends = np.cumsum(counts)
        inside = np.arange(int(counts.sum())) - np.repeat(ends - counts, counts)
        return np.repeat(self._places["start"][rows], counts) + inside, counts

    def codes(self, attribute: str) -> NDArray[np.int32]:
        """A number for each value of an attribute; NO_CODE where a unit has no such attribute."""
        if attribute not in self._attributes:
            return np.full(self._columns.length, NO_CODE, dtype=np.int32)
        return self._columns["attribute", attribute]

    def meets(self, condition: AttributeCondition | AttributeRange, where: slice) -> Mask:
        """True for the units whose attribute is one of the values, or in the range."""
        codes = self.codes(condition.attribute)[where]
        if isinstance(condition, AttributeRange):
            return self._codes.in_range(codes, condition.low, condition.high)
        return self._codes.are_one_of(codes, condition.accepted)

    # --- What changes -----------------------------------------------------------------------------

    def put(self, row: int, inventory: DiscreteInventory | None, usage: dict[str, int]) -> None:
        """Set or remove (None) a provider's units, with what is in use of them."""
        self.changes += 1
        before = self.place(row)
        self.capacity[before] = GONE
        self._gone += before.stop - before.start
        self._offsets.pop(row, None)
        if row >= self._places.length:
            self._places.add_rows(row + 1 - self._places.length)
        self._places.set("count", row, 0)
        if inventory is None:
            return
        self._in_order = self._in_order and row > self._last_row
        self._last_row = max(row, self._last_row)
        names = self._offsets[row] = {unit.name: at for at, unit in enumerate(inventory.units)}
        place = self._columns.add_rows(len(inventory.units))
        self._places.set("start", row, place.start)
        self._places.set("count", row, len(names))
        self.rows[place] = row
        self.capacity[place] = [unit.capacity for unit in inventory.units]
        if usage:
            self.usage[place] = [usage.get(name, 0) for name in names]
        for at, unit in enumerate(inventory.units, start=place.start):
            for name, value in unit.attributes.items():
                self._declare(name)
                self._columns.set(("attribute", name), at, self._codes.code(value))

    def add(self, row: int, parts: dict[str, int], sign: int) -> None:
        start, names = self.place(row).start, self._offsets[row]
        for name, amount in parts.items():
            self._columns.add("usage", start + names[name], sign * amount)

    def tidy(self) -> None:
        """Drop what is gone, if that is much, and put the rest in order."""
        if self._gone <= max(FEW_GONE, self._columns.length // 8):
            return
        kept = np.flatnonzero(self.capacity != GONE)
        kept = kept[np.argsort(self.rows[kept], kind="stable")]
        self._columns.keep(kept)
        firsts = np.flatnonzero(np.diff(self.rows, prepend=-1))
        self._places["start"][self.rows[firsts]] = firsts
        self._gone, self._in_order = 0, True
        self.changes += 1

    def _declare(self, attribute: str) -> None:
        if attribute not in self._attributes:
            self._attributes.add(attribute)
            self._columns.declare(("attribute", attribute), np.int32, fill=NO_CODE)


def distinct(row: Numbers, codes: NDArray[np.int32]) -> tuple[Numbers, Numbers]:
    """Each pair of row and code that is there, as its row, and how often it is there."""
    keys, counts = np.unique(row << 32 | codes.astype(np.int64), return_counts=True)
    return keys >> 32, counts
