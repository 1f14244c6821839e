"""Numbers for attributes' values, so that columns can hold them and be compared at once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.int32]
Mask = NDArray[np.bool_]

NO_CODE = -1


class AttributeCodes:
    """JSON's 1 and true are different values, so a value counts with its type."""

    def __init__(self) -> None:
        self._codes: dict[tuple[type, Any], int] = {}
        self._numbers = np.zeros(0, dtype=np.int64)
        self._is_number = np.zeros(0, dtype=bool)

    def code(self, value: Any) -> int:
        return self._codes.setdefault((type(value), value), len(self._codes))

    def are_one_of(self, codes: Codes, accepted: Iterable[Any]) -> Mask:
        wanted = [self._codes[key] for one in accepted if (key := (type(one), one)) in self._codes]
        if len(wanted) == 1:
            found: Mask = codes == wanted[0]
            return found
        return np.isin(codes, np.array(wanted, dtype=np.int32))

    def in_range(self, codes: Codes, low: int, high: int) -> Mask:
        self._number()
        inside = self._is_number & (low <= self._numbers) & (self._numbers <= high)
        # NO_CODE is -1: the place behind the last, where nothing is inside.
        return np.append(inside, False)[codes]

    def _number(self) -> None:
        """Bring the columns of values level with the codes."""
        known = len(self._numbers)
        if known == len(self._codes):
            return
        new = list(self._codes)[known:]
        numbers = [value if kind is int else 0 for kind, value in new]
        self._numbers = np.append(self._numbers, np.array(numbers, dtype=np.int64))
        is_number = np.array([kind is int for kind, _ in new], dtype=bool)
        self._is_number = np.append(self._is_number, is_number)
