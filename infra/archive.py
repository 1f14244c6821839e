"""Retention: sealed ranges of the log go to files, and, once a file has proven true, most of their
rows go from the database. Every step may be interrupted anywhere and begun again.

What stays in the database of a pruned range is each stream's newest event: so the key (stream,
version) refuses a stale append as before, the newest position never moves back, and a stream
without rows is certain to be new.
"""

from __future__ import annotations

import fcntl
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from eventsourcing.persistence import IntegrityError

from domain.provider import Provider
from infra.archive_file import (
    ROWS_PER_GROUP,
    UNFINISHED,
    ArchiveFile,
    sync_folder,
    write_archive_file,
)
from infra.archived_ranges import ArchiveDamaged, ArchivedRange, add_range, all_ranges, mark
from infra.database import Database
from infra.event_log import EventLog
from infra.log_rows import LogRow
from infra.stored_rows import StoredRows

POSITIONS_PER_DELETE = 2_000
SHORTEST_PAUSE_SECONDS = 0.005

Progress = Callable[[int, int], None]
"""Gets (done, of) events."""


class ArchiveRefused(Exception):
    """The archive cannot do what was asked for. Nothing was changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrunePlan:
    """What pruning would delete: events, and the bytes of their rows in the database."""

    ranges: int
    events: int
    bytes: int


class Archive:
    def __init__(self, database: Database) -> None:
        self.folder = database.archive
        self._database = database
        self._engine = database.durable
        self._log = EventLog(database)
        self._rows = StoredRows(database)

    def ranges(self) -> list[ArchivedRange]:
        return all_ranges(self._engine)

    # --- Archive ----------------------------------------------------------------------------------

    def until_before(self, moment: datetime, progress: Progress) -> int:
        """The last position before the first event that is not older than a moment."""
        position, head = self._archived_until(), self._log.head()
        while position < head and (page := self._log.read(position, ROWS_PER_GROUP, head)):
            for recorded in page:
                if recorded.event.at >= moment:
                    return position
                position = recorded.position
            progress(position, head)
        return position

    def create(
        self, until: int | None, events_per_file: int, progress: Progress
    ) -> list[ArchivedRange]:
        """Write the next ranges, up to a position (None: up to the log's head)."""
        with self._alone():
            after, head = self._archived_until(), self._log.head()
            until = head if until is None else until
            if until > head:
                raise ArchiveRefused(f"the log ends at position {head}, before {until}")
            if until <= after:
                raise ArchiveRefused(
                    f"there is nothing to archive: all is up to position {after}"
                    if after
                    else "there is nothing to archive"
                )
            made = []
            for start in range(after, until, events_per_file):
                end = min(start + events_per_file, until)
                made.append(
                    self._write(start, end, lambda done: progress(done - after, until - after))
                )
            return made

    def _write(self, after: int, until: int, progress: Callable[[int], None]) -> ArchivedRange:
        path = self.folder / f"events-{after + 1:012}-{until:012}.parquet"
        contents = write_archive_file(path, self._groups(after, until, progress))
        one = ArchivedRange(
            first=contents.first,
            last=contents.last,
            file=path.name,
            events=contents.events,
            bytes=path.stat().st_size,
            digest=contents.digest,
            archived_at=_now(),
        )
        add_range(self._engine, one)
        return one

    def _groups(
        self, after: int, until: int, progress: Callable[[int], None]
    ) -> Iterator[Sequence[LogRow]]:
        for start in range(after, until, ROWS_PER_GROUP):
            end = min(start + ROWS_PER_GROUP, until)
            yield self._log.rows(start, end)
            progress(end)

    def _archived_until(self) -> int:
        ranges = self.ranges()
        return ranges[-1].last if ranges else 0

    # --- Verify -----------------------------------------------------------------------------------

    def verify(self, ranges: Sequence[ArchivedRange], progress: Progress) -> None:
        """Read these ranges' files whole, against their digests and what the database has of them.

        Raises ArchiveDamaged at the first that is wrong.
        """
        done, of = 0, sum(one.events for one in ranges)
        for one in ranges:
            file = ArchiveFile(self.folder / one.file, one.contents)
            try:
                for rows in file.verified_groups():
                    self._compare(one, file.path, rows)
                    done += len(rows)
                    progress(done, of)
            finally:
                file.close()
            mark(self._engine, one, verified_at=_now())

    def mend(self, progress: Progress) -> None:
        """Write damaged files again, of ranges that the database still has whole."""
        with self._alone():
            ranges = [one for one in self.ranges() if one.pruned_at is None]
            of = sum(one.events for one in ranges)
            done = 0
            for one in ranges:
                try:
                    self.verify([one], lambda *_: None)
                except ArchiveDamaged:
                    rows = self._groups(one.first - 1, one.last, lambda _: None)
                    write_archive_file(self.folder / one.file, rows, one.contents)
                done += one.events
                progress(done, of)

    def _compare(self, one: ArchivedRange, path: Path, rows: Sequence[LogRow]) -> None:
        """The database's own rows are the same: all of them before pruning, those left after."""
        first = rows[0].position
        stored = self._database.select_range(first - 1, rows[-1].position)
        if one.pruned_at is None and len(stored) != len(rows):
            raise ArchiveDamaged(path, "the database does not have the same events")
        for row in stored:
            if row != rows[row.position - first]:
                raise ArchiveDamaged(path, f"the database differs at position {row.position}")

    # --- Prune ------------------------------------------------------------------------------------

    def plan(self) -> PrunePlan:
        ranges = self._unpruned()
        events = size = 0
        for one in ranges:
            more_events, more_bytes = self._rows.measure_outdated(one.first - 1, one.last)
            events += more_events
            size += more_bytes
        return PrunePlan(ranges=len(ranges), events=events, bytes=size)

    def prune(self, progress: Progress) -> list[ArchivedRange]:
        """Verify every range that is not pruned yet; only if all are true, delete their rows.

        `progress` gets each event twice.
        """
        with self._alone():
            ranges = self._unpruned()
            done = sum(one.events for one in ranges)
            of = 2 * done
            self.verify(ranges, lambda verified, _: progress(verified, of))
            for one in ranges:
                if one.pruned_at is None:
                    self._save_snapshots(one)
                    # Before the first row goes: from here on, readers take the range from its file.
                    mark(self._engine, one, pruned_at=_now())
                for more in self._delete_rows(one):
                    progress(done + more, of)
                done += one.events
                mark(self._engine, one, kept=self._rows.count(one.first - 1, one.last))
            if ranges:
                self._database.reclaim()
            pruned = {one.first for one in ranges}
            return [one for one in self.ranges() if one.first in pruned]

    def _unpruned(self) -> list[ArchivedRange]:
        return [one for one in self.ranges() if one.kept is None]

    def _save_snapshots(self, one: ArchivedRange) -> None:
        """Providers are loaded often: no service shall need a file for it."""
        for stream, version in self._rows.providers(one.first - 1, one.last):
            found = self._database.snapshots.select_events(stream, desc=True, limit=1)
            if found and found[0].originator_version >= version:
                continue
            provider = self._log.load(stream)
            assert isinstance(provider, Provider)
            # A service may be first: its snapshot is the same.
            with suppress(IntegrityError):
                self._log.save_snapshot(provider)

    def _delete_rows(self, one: ArchivedRange) -> Iterator[int]:
        """In small transactions, at rest for as long as at work: others write in between.

        Yields how many positions are done.
        """
        for start in range(one.first - 1, one.last, POSITIONS_PER_DELETE):
            end = min(start + POSITIONS_PER_DELETE, one.last)
            begun = time.monotonic()
            self._rows.delete_outdated(start, end)
            yield end + 1 - one.first
            time.sleep(max(SHORTEST_PAUSE_SECONDS, time.monotonic() - begun))

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One command at a time works on the folder; what an interrupted one left is removed."""
        if not self.folder.exists():
            self.folder.mkdir(parents=True)
            sync_folder(self.folder.parent)
        with (self.folder / "archive.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise ArchiveRefused(
                    f"another command works on the archive in {self.folder}"
                ) from None
            for unfinished in self.folder.glob(f"*{UNFINISHED}"):
                unfinished.unlink()
            yield


def _now() -> int:
    return time.time_ns() // 1_000
