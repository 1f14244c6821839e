"""Reading what was pruned: rows by position and by stream, from the archive's files.

A range is marked as pruned before its first row is deleted. So who reads the database first and
asks for the marks afterwards (`refresh`) knows whether rows may have been missing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from threading import Lock
from typing import TYPE_CHECKING

from infra.archived_ranges import ArchivedRange, all_ranges, pruned_until
from infra.database import Database
from infra.log_rows import EVERYTHING, LogRow, Selection
from infra.stored_rows import StoredRows

if TYPE_CHECKING:
    from infra.archive_file import ArchiveFile

FILES_OPEN = 8


class ArchiveReader:
    """Keeps some files open, and the last row group in memory: sequential pages cost no more."""

    def __init__(self, database: Database) -> None:
        self._engine = database.durable
        self._folder = database.archive
        self._stored = StoredRows(database)
        self._ranges: list[ArchivedRange] = []
        self._files: dict[str, ArchiveFile] = {}
        self._group: tuple[tuple[ArchiveFile, int] | None, list[LogRow]] = (None, [])
        self._lock = Lock()
        self._refreshing = Lock()

    @property
    def pruned_until(self) -> int:
        """How far the log is pruned, as far as this reader knows."""
        ranges = self._ranges
        return ranges[-1].last if ranges else 0

    def refresh(self) -> None:
        """Look whether more was pruned. Cheap if not."""
        with self._refreshing:
            with self._engine.connect() as connection:
                if pruned_until(connection) == self.pruned_until:
                    return
            self._ranges = [one for one in all_ranges(self._engine) if one.pruned_at is not None]

    def rows(self, after: int, until: int, selection: Selection = EVERYTHING) -> list[LogRow]:
        """The selected rows at after < position <= until; all of that is pruned."""
        found: list[LogRow] = []
        with self._lock:
            for one in self._overlapping(after, until):
                file = self._opened(one)
                for group in file.groups_between(after, until):
                    start = file.starts[group]
                    rows = self._rows_of(file, group)[max(0, after + 1 - start) : until + 1 - start]
                    found += rows if selection is EVERYTHING else filter(selection.has, rows)
        return found

    def find(self, stream: str, versions: Collection[int]) -> list[LogRow]:
        """Some neighbouring events of one stream, in order; those that no pruned range has lack.

        They are looked for backwards, from the stream's next event on that the database has: most
        streams live for a short time only.
        """
        following = self._stored.position_after(stream, max(versions))
        until = self.pruned_until if following is None else min(following - 1, self.pruned_until)
        wanted = set(versions)
        found: list[LogRow] = []
        with self._lock:
            for file, group in self._backwards(until):
                rows = file.rows_of(group, stream)
                found += [row for row in reversed(rows) if row.originator_version in wanted]
                if len(found) == len(versions):
                    break
        return found[::-1]

    def _backwards(self, until: int) -> Iterator[tuple[ArchiveFile, int]]:
        for one in reversed(self._overlapping(0, until)):
            file = self._opened(one)
            for group in reversed(file.groups_between(0, until)):
                yield file, group

    def _overlapping(self, after: int, until: int) -> list[ArchivedRange]:
        return [one for one in self._ranges if one.first <= until and one.last > after]

    def _opened(self, one: ArchivedRange) -> ArchiveFile:
        from infra.archive_file import ArchiveFile  # A log without archive starts without pyarrow.

        file = self._files.pop(one.file, None) or ArchiveFile(self._folder / one.file, one.contents)
        self._files[one.file] = file  # The last one is the one that was used last.
        if len(self._files) > FILES_OPEN:
            self._files.pop(next(iter(self._files))).close()
        return file

    def _rows_of(self, file: ArchiveFile, group: int) -> list[LogRow]:
        known, rows = self._group
        if known != (file, group):
            rows = file.rows(group)
            self._group = (file, group), rows
        return rows
