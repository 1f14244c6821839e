"""The log: events by stream and by position, over the library's recorders and mapper.

What was pruned from the database is read from its archive, so that nobody else sees a difference.
Pruning goes on in another process meanwhile. It marks a range before it deletes there, and keeps
each stream's newest event. So rows that may lack some are told apart after they were read: by their
number, or by a mark that is new.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import cast

from eventsourcing.persistence import IntegrityError, StoredEvent

from domain.aggregate import Aggregate
from domain.events import Event
from domain.provider import Provider
from domain.provider_events import (
    ProviderSnapshot,
)
from domain.streams import empty_aggregate
from infra.archive_reader import ArchiveReader
from infra.database import Database
from infra.log_rows import EVERYTHING, LogRow, Selection
from infra.mapper import EventMapper
from infra.recent_events import RecentEvents
from infra.stored_rows import StoredRows
from projections.projection import Recorded


class Conflicted(Exception):
    """Another process appended to one of the streams first. Nothing was written."""


class LogGap(Exception):
    """Events are neither in the database nor in a pruned range of the archive."""


class EventLog:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._archive = ArchiveReader(database)
        self._stored = StoredRows(database)
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
        end = after + limit
        rows = self.rows(after, end if until is None else min(end, until))
        return [self.decode(row) for row in rows]

    def rows(self, after: int, until: int, selection: Selection = EVERYTHING) -> list[LogRow]:
        """The selected rows at the positions after < position <= until, in order.

        Raises LogGap, or ArchiveDamaged.
        """
        if selection is not EVERYTHING:
            return self._select_settled(after, until, selection)
        until = min(until, self.head())
        if until <= after:  # As most often, where one looks for what others appended.
            return []
        found = self._select(after, until, selection, self._archive.pruned_until)
        if len(found) < until - after:  # Meanwhile pruned.
            found = self._select_settled(after, until, selection)
        if len(found) < until - after:
            raise LogGap(
                f"the log has {len(found)} of the events at positions {after + 1} to {until}"
            )
        return found

    def _select_settled(self, after: int, until: int, selection: Selection) -> list[LogRow]:
        """Read again for as long as more was pruned meanwhile."""
        while True:
            pruned = self._archive.pruned_until
            found = self._select(after, until, selection, pruned)
            self._archive.refresh()
            if self._archive.pruned_until == pruned:
                return found

    def _select(self, after: int, until: int, selection: Selection, pruned: int) -> list[LogRow]:
        if after >= pruned:
            return self._database.select_range(after, until, selection)
        found = self._archive.rows(after, min(until, pruned), selection)
        if until > pruned:
            found += self._database.select_range(pruned, until, selection)
        return found

    def decode(self, row: LogRow) -> Recorded:
        return Recorded(row.position, self._mapper.to_domain_event(cast(StoredEvent, row)))

    def at_positions(self, positions: Iterable[int]) -> list[Recorded]:
        """The events at these positions, in order; neighbours are read together."""
        found: list[Recorded] = []
        for first, last in _runs(sorted(positions)):
            found += self.read(first - 1, last - first + 1, last)
        return found

    @property
    def pruned_until(self) -> int:
        """Up to here events are read from files; as far as this process knows."""
        return self._archive.pruned_until

    def positions(self, events: Sequence[tuple[str, int]]) -> dict[tuple[str, int], int]:
        """Where these (stream, version) are; those that are nowhere in the log lack."""
        found = self._stored.positions(events)
        missing = [event for event in events if event not in found]
        if missing:
            self._archive.refresh()
        for stream, version in missing:
            for row in self._archive.find(stream, [version]):
                found[stream, version] = row.position
        return found

    def load(self, stream: str) -> Aggregate:
        """The aggregate as of the stream's newest event, from its newest snapshot on."""
        aggregate = empty_aggregate(stream)
        if isinstance(aggregate, Provider):
            self._restore(aggregate)
        after = aggregate.version
        rows = self._database.events.select_events(stream, gt=after or None)
        return self._fold(aggregate, self._whole(stream, rows, after))

    def load_many(self, streams: Iterable[str]) -> list[Aggregate]:
        """Aggregates of several (short) streams, in one query."""
        found: dict[str, list[StoredEvent]] = {stream: [] for stream in streams}
        for stored in self._database.select_streams(found):
            found[str(stored.originator_id)].append(stored)
        return [
            self._fold(empty_aggregate(stream), self._whole(stream, rows))
            for stream, rows in found.items()
        ]

    def load_version(self, stream: str, version: int) -> Aggregate:
        """The aggregate as it was at a version."""
        rows = self._database.events.select_events(stream, lte=version)
        if not rows or rows[-1].originator_version < version:
            newest = self._database.events.select_events(stream, desc=True, limit=1)
            until = min(version, newest[0].originator_version) if newest else 0
        else:
            until = version
        return self._fold(empty_aggregate(stream), self._whole(stream, rows, until=until))

    def _fold(self, aggregate: Aggregate, rows: Iterable[StoredEvent]) -> Aggregate:
        return aggregate.fold(self._mapper.to_domain_event(stored) for stored in rows)

    def _whole(
        self, stream: str, rows: Sequence[StoredEvent], after: int = 0, until: int | None = None
    ) -> Sequence[StoredEvent]:
        """A stream's rows with those that were pruned, up to a version (None: their last one)."""
        if until is None:
            # The newest event is always there, so without rows there is nothing newer.
            until = rows[-1].originator_version if rows else after
        if len(rows) == until - after:
            return rows
        stored = {row.originator_version: row for row in rows}
        missing = [version for version in range(after + 1, until + 1) if version not in stored]
        self._archive.refresh()
        for row in self._archive.find(stream, missing):
            stored[row.originator_version] = cast(StoredEvent, row)
        if len(stored) < until - after:
            raise LogGap(f"{stream} has {len(stored)} of its versions {after + 1} to {until}")
        return [stored[version] for version in range(after + 1, until + 1)]

    def save_snapshot(self, provider: Provider) -> None:
        self._database.snapshots.insert_events([self._mapper.to_stored_event(provider.snapshot())])

    def _restore(self, provider: Provider) -> None:
        newest = self._database.snapshots.select_events(provider.stream, desc=True, limit=1)
        for stored in newest:
            snapshot = self._mapper.to_domain_event(stored)
            assert isinstance(snapshot, ProviderSnapshot)
            # An older one does not tell the generation, which the whole stream does.
            if snapshot.generation is not None:
                provider.restore(snapshot)


def _runs(numbers: Sequence[int]) -> list[tuple[int, int]]:
    """Neighbouring numbers as (first, last)."""
    runs: list[tuple[int, int]] = []
    for number in numbers:
        if runs and runs[-1][1] == number - 1:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    return runs
