"""A text for each of many providers in which only the id differs, without a step for each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from projections.live_capacity import LiveCapacity

ID_BYTES = 36
"""Every id is a UUID."""

Rows = NDArray[np.int64]


def filled(view: LiveCapacity, parts: Sequence[bytes], rows: Rows) -> bytes:
    """For each row the parts, with its id between them; all of them with commas between."""
    return filled_by_column(view, parts, [0] * (len(parts) - 1), rows.reshape(-1, 1))


def filled_by_column(
    view: LiveCapacity, parts: Sequence[bytes], columns: Sequence[int], rows: Rows
) -> bytes:
    """For each line of `rows` the parts, with the ids of these of its columns between them."""
    if not len(rows):
        return b""
    template = np.frombuffer((b"\0" * ID_BYTES).join(parts) + b",", dtype=np.uint8)
    table = np.tile(template, (len(rows), 1))
    ids = {column: _ids(view, rows[:, column]) for column in set(columns)}
    place = 0
    for part, column in zip(parts, columns, strict=False):
        place += len(part)
        table[:, place : place + ID_BYTES] = ids[column]
        place += ID_BYTES
    return table.tobytes()[:-1]


def _ids(view: LiveCapacity, rows: Rows) -> NDArray[np.uint8]:
    text = "".join([view.ids[row] for row in rows.tolist()])
    return np.frombuffer(text.encode(), dtype=np.uint8).reshape(len(rows), ID_BYTES)
