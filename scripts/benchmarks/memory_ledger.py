"""The ledger's domain on books in memory: every decision and every event as always, and no database
behind them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar, cast

from domain.aggregate import Aggregate
from domain.streams import empty_aggregate
from domain.wish import Preference
from infra.event_log import EventLog
from infra.memory_books import MemoryBooks
from projections.live_capacity import LiveCapacity

A = TypeVar("A", bound=Aggregate)
AT = datetime(2026, 1, 1, tzinfo=UTC)


class _NoLog:
    """Whatever is not in memory has never been there: nothing is forgotten between appends but
    what nobody asks for again."""

    def load(self, stream: str) -> Aggregate:
        return empty_aggregate(stream)


class MemoryLedger:
    def __init__(self, preference: Preference) -> None:
        self.books = MemoryBooks(cast(EventLog, _NoLog()), LiveCapacity(), 0, preference)
        self.events = 0

    def run(self, use_case: Callable[..., A], *arguments: Any, **facts: Any) -> A:
        """Decide, and give the events their positions."""
        found = use_case(self.books, AT, *arguments, **facts)
        if count := len(self.books.pending):
            self.books.commit(range(self.events + 1, self.events + count + 1))
            self.events += count
        return found
