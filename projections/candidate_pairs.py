"""Which providers could serve a part of a query, and of which tree's requests they would be."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from projections.live_filters import Mask

Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Pairs:
    """Rows that could serve a part, each with an anchor: its root, or that of a tree that it shares
    with."""

    anchors: Rows
    rows: Rows

    def where(self, mask: Mask) -> Pairs:
        return Pairs(self.anchors[mask], self.rows[mask])

    def in_order(self) -> Pairs:
        """Of anchors and rows."""
        order = np.lexsort((self.rows, self.anchors))
        return Pairs(self.anchors[order], self.rows[order])

    def at(self, anchor: int) -> Rows:
        """Of pairs that are in order."""
        start, end = self.spans(np.array([anchor]))
        return self.rows[start[0] : end[0]]

    def spans(self, anchors: Rows) -> tuple[Rows, Rows]:
        """For each anchor where its rows begin and end; of pairs that are in order."""
        starts = np.searchsorted(self.anchors, anchors)
        return starts, np.searchsorted(self.anchors, anchors, side="right")
