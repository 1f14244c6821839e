"""All that decides which of a tree's rows can serve a query together, as numbers to compare."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from projections.candidate_groups import CandidateQuery
from projections.candidate_pairs import Rows
from projections.candidate_walk import Part
from projections.live_capacity import DISCRETE, LiveCapacity
from projections.live_filters import has_any


def looks(
    view: LiveCapacity, query: CandidateQuery, parts: Sequence[Part], widths: Rows, rows: Rows
) -> Rows:
    """For each line of `rows`, the choices of a tree, part after part: which of them are the same
    row, how much they can give of classes that several parts ask for, traits that a group has to
    have together, and which is above which."""
    columns: list[NDArray[Any]] = [_first_columns(rows)]
    contested = _contested(parts)
    ends = np.cumsum(widths)
    related: list[NDArray[Any]] = []
    for part, width, end in zip(parts, widths, ends, strict=True):
        here = rows[:, end - width : end]
        columns += [
            _at_most(view, name, here, contested[name])
            for name, _ in part.resources
            if name in contested
        ]
        if not part.group.is_granular:
            required = part.group.required_traits
            columns += [has_any(view, "trait", names)[here] for names in required]
        if any(part.group.suffix in suffixes for suffixes in query.same_subtree):
            related.append(here)
    if related:
        columns.append(_above(view, np.concatenate(related, axis=1)))
    return np.concatenate(columns, axis=1, dtype=np.int64)


def _contested(parts: Sequence[Part]) -> dict[str, int]:
    """What is asked for of each class that several parts ask for, together."""
    asked = Counter(name for part in parts for name, _ in part.resources)
    return {
        name: sum(amount for part in parts for other, amount in part.resources if other == name)
        for name, count in asked.items()
        if count > 1
    }


def _at_most(view: LiveCapacity, name: str, rows: Rows, asked: int) -> Rows:
    """How much a row can give; more than is asked for is all the same."""
    columns = view.columns
    most = columns["capacity", name][rows] - columns["usage", name][rows]
    divisible = columns["kind", name][rows] != DISCRETE
    most = np.where(divisible, np.minimum(most, columns["max_unit", name][rows]), most)
    clipped: Rows = most.clip(0, asked)
    return clipped


def _first_columns(rows: Rows) -> Rows:
    """For each of a line's rows the first column that has the same."""
    order = np.argsort(rows, axis=1, kind="stable")
    in_order = np.take_along_axis(rows, order, axis=1)
    is_new = np.ones(rows.shape, dtype=np.bool_)
    is_new[:, 1:] = in_order[:, 1:] != in_order[:, :-1]
    starts = np.maximum.accumulate(np.where(is_new, np.arange(rows.shape[1]), 0), axis=1)
    firsts = np.empty_like(rows)
    np.put_along_axis(firsts, order, np.take_along_axis(order, starts, axis=1), axis=1)
    return firsts


def _above(view: LiveCapacity, rows: Rows) -> NDArray[np.uint8]:
    """For each two of a line's rows, as bits: whether the second is above the first, or is it."""
    parents = view.forest.parents
    found = np.zeros((*rows.shape, rows.shape[1]), dtype=np.bool_)
    level = rows
    while (level >= 0).any():
        found |= level[:, :, None] == rows[:, None, :]
        level = np.where(level >= 0, parents[level], -1)
    return np.packbits(found.reshape(len(rows), -1), axis=1)
