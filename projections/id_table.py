"""A text for each of many providers in which only the id differs, without a step for each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from projections.live_capacity import ID_BYTES, LiveCapacity

PIECE_BYTES = 2_000_000

Rows = NDArray[np.int64]


def filled(view: LiveCapacity, parts: Sequence[bytes], rows: Rows) -> Iterator[bytes]:
    """For each row the parts, with its id between them; all of them with commas between."""
    return filled_by_column(view, parts, [0] * (len(parts) - 1), rows.reshape(-1, 1))


def filled_by_column(
    view: LiveCapacity, parts: Sequence[bytes], columns: Sequence[int], rows: Rows
) -> Iterator[bytes]:
    """For each line of `rows` the parts, with the ids of these of its columns between them.

    In pieces of a few megabytes at most: fresh memory costs more than what is written into it.
    """
    template = np.frombuffer((b"\0" * ID_BYTES).join(parts) + b",", dtype=np.uint8)
    step = max(1, PIECE_BYTES // len(template))
    for start in range(0, len(rows), step):
        some = rows[start : start + step]
        table = np.tile(template, (len(some), 1))
        ids = {column: _ids(view, some[:, column]) for column in set(columns)}
        place = 0
        for part, column in zip(parts, columns, strict=False):
            place += len(part)
            table[:, place : place + ID_BYTES] = ids[column]
            place += ID_BYTES
        is_last = start + step >= len(rows)
        yield (table.reshape(-1)[:-1] if is_last else table).tobytes()


def _ids(view: LiveCapacity, rows: Rows) -> NDArray[np.uint8]:
    return view.columns["id"][rows].view(np.uint8).reshape(len(rows), ID_BYTES)
