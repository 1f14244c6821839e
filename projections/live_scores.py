"""Scores of trees, as whole numbers up to a million: the higher, the better."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from projections.demand_mix import Shape
from projections.live_capacity import LiveCapacity
from projections.live_stock import amounts_asked
from projections.live_trees import LiveTrees

Rows = NDArray[np.int64]

HIGHEST = 1_000_000


def fullness(
    view: LiveCapacity, trees: LiveTrees, shape: Shape, roots: Rows, classes: Sequence[str] = ()
) -> Rows:
    """How little would be left: 0 for an empty tree of the largest sort, a million for a full one.

    What would be left of each class, as a part of the most that one of these trees has of it, on
    average over the classes (all that they have, if none is named): best fit.
    """
    if not len(roots):
        return np.zeros(0, dtype=np.int64)
    stretch = trees.stretch_of(roots)
    asked = amounts_asked(view, shape)
    left = np.zeros(len(roots))
    counted = 0
    for name in classes or view.classes():
        if ("capacity", name) not in view.columns:
            continue
        capacity = stretch.sums(view.columns["capacity", name][stretch.where])
        most = int(capacity.max())
        if most == 0:
            continue
        usage = stretch.sums(view.columns["usage", name][stretch.where])
        left += np.maximum(capacity - usage - asked.get(name, 0), 0) * (HIGHEST / most)
        counted += 1
    return HIGHEST - (left / max(1, counted)).astype(np.int64)


def normalized(scores: Rows) -> Rows:
    """Stretched so that the best is a million and the worst 0."""
    if not len(scores):
        return scores
    low, high = int(scores.min()), int(scores.max())
    if low == high:
        return np.full(len(scores), HIGHEST)
    # In floating point, as the product may not fit; the same on every machine.
    return ((scores - low) * (HIGHEST / (high - low))).astype(np.int64)
