"""Capacity as it is now, from the live view, in the rows that `capacity.py` tells of a time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from projections.capacity import CapacityRow, CapacityTotal, capacity_row
from projections.live_capacity import LiveCapacity


def live_capacity(
    view: LiveCapacity,
    *,
    provider_id: str | None = None,
    in_tree: str | None = None,
    resource_class: str | None = None,
    trait: str | None = None,
    after: tuple[int, str] | None = None,
    limit: int = 100,
) -> list[CapacityRow]:
    """Rows by registration and class, those after `after`. `in_tree` names the top of a subtree."""
    rows = _matching_rows(view, provider_id, in_tree, trait)
    position = view.columns["position"]
    found: list[CapacityRow] = []
    for row in sorted(rows, key=lambda row: int(position[row])):
        place = int(position[row])
        if after is not None and place < after[0]:
            continue
        for name in sorted(view.inventories[row]):
            if resource_class not in (None, name) or (after and (place, name) <= after):
                continue
            found.append(_row(view, row, name))
            if len(found) == limit:
                return found
    return found


def live_totals(
    view: LiveCapacity, *, resource_class: str | None = None, trait: str | None = None
) -> list[CapacityTotal]:
    """One row for each class that some provider has an inventory of, by name."""
    columns = view.columns
    chosen = columns["alive"] & (columns["position"] > 0)
    if trait is not None:
        has = columns["trait", trait] if ("trait", trait) in columns else np.zeros_like(chosen)
        chosen = chosen & has
    totals = []
    for name in view.classes():
        rows = chosen & (columns["kind", name] != 0)
        if resource_class not in (None, name) or not rows.any():
            continue
        capacity = int(columns["capacity", name][rows].sum())
        usage = int(columns["usage", name][rows].sum())
        totals.append(
            CapacityTotal(
                resource_class=name,
                providers=int(rows.sum()),
                total=int(columns["total", name][rows].sum()),
                capacity=capacity,
                usage=usage,
                available=capacity - usage,
            )
        )
    return totals


def _matching_rows(
    view: LiveCapacity, provider_id: str | None, in_tree: str | None, trait: str | None
) -> Iterator[int]:
    """Rows that are alive and whose place in the log is known."""
    columns = view.columns
    chosen = columns["alive"] & (columns["position"] > 0)
    for wanted in (provider_id, in_tree):
        if wanted is not None and wanted not in view.row_of:
            return
    if trait is not None:
        if ("trait", trait) not in columns:
            return
        chosen = chosen & columns["trait", trait]
    rows = set(np.flatnonzero(chosen).tolist())
    if in_tree is not None:
        rows &= set(view.forest.subtree(view.row_of[in_tree]))
    if provider_id is not None:
        rows &= {view.row_of[provider_id]}
    yield from rows


def _row(view: LiveCapacity, row: int, name: str) -> CapacityRow:
    return capacity_row(
        registered_position=int(view.columns["position"][row]),
        provider_id=view.ids[row],
        provider_name=view.names[row],
        resource_class=name,
        inventory=view.inventories[row][name],
        usage=int(view.columns["usage", name][row]),
        unit_usage=view.units[name].used(row) if name in view.units else {},
    )
