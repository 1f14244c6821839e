"""Sums of allocations: how much of each class, and of each unit, is in use."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Select

from projections.json_text import from_text

ROWS_AT_ONCE = 5_000
"""How many rows are fetched at a time, so that a large cloud is never one list in memory."""


@dataclass(slots=True)
class InUse:
    """Amounts by class; and for the discrete classes also by unit."""

    amounts: dict[str, int] = field(default_factory=dict)
    units: dict[str, dict[str, int]] = field(default_factory=dict)

    def add(self, resources: str, units: str | None) -> None:
        """Count one allocation, as its row has it: JSON."""
        _add(self.amounts, from_text(resources))
        if units is not None:
            for name, parts in from_text(units).items():
                _add(self.units.setdefault(name, {}), parts)


def rows_of(connection: Connection, statement: Select[*tuple[Any, ...]]) -> Iterator[Any]:
    """The rows of a long answer, as they come."""
    yield from connection.execute(statement, execution_options={"yield_per": ROWS_AT_ONCE})


def _add(total: dict[str, int], amounts: dict[str, int]) -> None:
    for name, amount in amounts.items():
        total[name] = total.get(name, 0) + amount
