"""Books as of a position of the log: they know the events that they were shown, and no others."""

from __future__ import annotations

from collections import defaultdict
from typing import cast

from domain.aggregate import Aggregate
from domain.events import Event
from domain.streams import empty_aggregate
from infra.event_log import EventLog
from infra.memory_books import MemoryBooks
from projections.live_capacity import LiveCapacity
from projections.projection import Recorded


class PastBooks(MemoryBooks):
    def __init__(self) -> None:
        self._events: dict[str, list[Event]] = defaultdict(list)
        super().__init__(cast(EventLog, self), LiveCapacity(), 0)

    def show(self, recorded: Recorded) -> None:
        self._events[recorded.event.originator_id].append(recorded.event)
        self.follow([recorded])

    def load(self, stream: str) -> Aggregate:
        """As the log would."""
        return empty_aggregate(stream).fold(self._events[stream])
