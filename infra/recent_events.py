"""The newest events that this process appended, so that its own readers need not decode them."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from threading import Lock

from domain.events import Event
from projections.projection import Recorded

KEPT = 50_000
"""Events that are kept: some seconds of the fastest writing."""


class RecentEvents:
    """A gap-free run of the log's tail. Whatever lies outside it is read from the database."""

    def __init__(self) -> None:
        self._batches: deque[list[Recorded]] = deque()
        self._length = 0
        self._lock = Lock()

    def add(self, events: Sequence[Event], positions: Sequence[int]) -> None:
        batch = [Recorded(*pair) for pair in zip(positions, events, strict=True)]
        with self._lock:
            if self._batches and self._batches[-1][-1].position + 1 != positions[0]:
                # Another process appended in between: the run starts anew.
                self._batches.clear()
                self._length = 0
            self._batches.append(batch)
            self._length += len(batch)
            while self._length > KEPT:
                self._length -= len(self._batches.popleft())

    def read(self, after: int, limit: int) -> list[Recorded] | None:
        """Up to `limit` events after a position; None if the next one is not among these."""
        newer: list[list[Recorded]] = []
        with self._lock:
            if not self._batches or self._batches[0][0].position > after + 1:
                return None
            for batch in reversed(self._batches):  # Readers are mostly close to the end.
                if batch[-1].position <= after:
                    break
                newer.append(batch)
        found: list[Recorded] = []
        for batch in reversed(newer):
            skipped = max(0, after + 1 - batch[0].position)
            found += batch[skipped : skipped + limit - len(found)]
            if len(found) >= limit:
                break
        return found or None
