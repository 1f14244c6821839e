"""A line for each of many providers: what lists tell of them, from the live view."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from projections.live_capacity import LiveCapacity


class ProviderLine(NamedTuple):
    id: str
    name: str
    generation: int
    parent_id: str | None
    root_id: str


def provider_lines(view: LiveCapacity, rows: Sequence[int]) -> list[ProviderLine]:
    ids, forest = view.ids, view.forest
    parents = [forest.parent(row) for row in rows]
    columns = (
        [ids[row] for row in rows],
        [view.names[row] for row in rows],
        view.columns["generation"][rows].tolist(),
        [None if parent < 0 else ids[parent] for parent in parents],
        [ids[forest.root(row)] for row in rows],
    )
    return [ProviderLine(*line) for line in zip(*columns, strict=True)]
