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
    if not len(rows):
        return b""
    text = "".join([view.ids[row] for row in rows.tolist()])
    ids = np.frombuffer(text.encode(), dtype=np.uint8).reshape(len(rows), ID_BYTES)
    template = np.frombuffer((b"\0" * ID_BYTES).join(parts) + b",", dtype=np.uint8)
    table = np.tile(template, (len(rows), 1))
    place = 0
    for part in parts[:-1]:
        place += len(part)
        table[:, place : place + ID_BYTES] = ids
        place += ID_BYTES
    return table.tobytes()[:-1]
