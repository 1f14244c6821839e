"""The log: events by stream and by position, over the library's recorders and mapper."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from eventsourcing.persistence import IntegrityError, Notification, StoredEvent

from domain.aggregate import Aggregate
from domain.events import Event
from domain.provider import Provider
from domain.provider_events import (
    ProviderSnapshot,
)
from domain.streams import empty_aggregate
from infra.database import Database
from infra.mapper import EventMapper
from infra.recent_events import RecentEvents
from projections.projection import Recorded


class Conflicted(Exception):
    """Another process appended to one of the streams first. Nothing was written."""


class EventLog:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._mapper = EventMapper()
        self._recent = RecentEvents()

    def encode(self, events: Sequence[Event]) -> list[StoredEvent]:
        """The events as they are stored."""
        return [self._mapper.to_stored_event(event) for event in events]

    def append(
        self, events: Sequence[Event], encoded: Sequence[StoredEvent] | None = None
    ) -> Sequence[int]:
        """Write all events, or none, and return their positions. Raises Conflicted.

        `encoded` are the same events, where the caller encoded them already.
        """
        stored = encoded if encoded is not None else self.encode(events)
        try:
            positions = self._database.events.insert_events(stored)
        except IntegrityError as conflict:
            raise Conflicted(str(conflict)) from conflict
        assert positions is not None
        self._recent.add(events, positions)
        return positions

    def head(self) -> int:
        """The newest position; 0 in an empty log."""
        return self._database.events.max_notification_id() or 0

    def read(self, after: int, limit: int, until: int | None = None) -> list[Recorded]:
        """The events after a position, in order."""
        if until is None and (recent := self._recent.read(after, limit)):
            return recent
        found = self._database.events.select_notifications(
            after, limit, until, inclusive_of_start=False
        )
        return [self._recorded(notification) for notification in found]

    def at_positions(self, positions: Iterable[int]) -> list[Recorded]:
        """The events at these positions, in order; neighbours are read together."""
        found: list[Recorded] = []
        for first, last in _runs(sorted(positions)):
            found += self.read(first - 1, last - first + 1, last)
        return found

    def load(self, stream: str) -> Aggregate:
        """The aggregate as of the stream's newest event, from its newest snapshot on."""
        aggregate = empty_aggregate(stream)
        if isinstance(aggregate, Provider):
            self._restore(aggregate)
        after = aggregate.version or None
        return aggregate.fold(
            self._mapper.to_domain_event(stored)
            for stored in self._database.events.select_events(stream, gt=after)
        )

    def load_many(self, streams: Iterable[str]) -> list[Aggregate]:
        """Aggregates of several (short) streams, in one query."""
        found = {stream: empty_aggregate(stream) for stream in streams}
        for stored in self._database.select_streams(found):
            found[str(stored.originator_id)].apply(self._mapper.to_domain_event(stored))
        return list(found.values())

    def load_version(self, stream: str, version: int) -> Aggregate:
        """The aggregate as it was at a version."""
        return empty_aggregate(stream).fold(
            self._mapper.to_domain_event(stored)
            for stored in self._database.events.select_events(stream, lte=version)
        )

    def save_snapshot(self, provider: Provider) -> None:
        self._database.snapshots.insert_events([self._mapper.to_stored_event(provider.snapshot())])

    def _restore(self, provider: Provider) -> None:
        newest = self._database.snapshots.select_events(provider.stream, desc=True, limit=1)
        for stored in newest:
            snapshot = self._mapper.to_domain_event(stored)
            assert isinstance(snapshot, ProviderSnapshot)
            provider.restore(snapshot)

    def _recorded(self, notification: Notification) -> Recorded:
        return Recorded(notification.id, self._mapper.to_domain_event(notification))


def _runs(numbers: Sequence[int]) -> list[tuple[int, int]]:
    """Neighbouring numbers as (first, last)."""
    runs: list[tuple[int, int]] = []
    for number in numbers:
        if runs and runs[-1][1] == number - 1:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    return runs
