"""Where the audit reads the log: in its database, or in the files of an archive.

Both make a relation `log` of position, originator_id, topic and state (JSON text), with all that
bills depend on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import duckdb
import pyarrow as pa

from infra.event_log import EventLog
from infra.log_rows import LogRow, Selection

TOPICS = frozenset(
    {
        *("claim.held", "claim.granted", "claim.changed", "claim.released", "claim.lapsed"),
        *("request.submitted", "request.held", "request.placed"),
        *("provider.inventory_changed", "price_book.published"),
        *("statement.closed", "statement.corrected"),
    }
)
PAGE = 20_000
Progress = Callable[[int, int], None]
"""Is told (done, of)."""


class LogIncomplete(Exception):
    """Some of the log is missing, so nothing can be said about what is in it."""


class LogSource(Protocol):
    @property
    def head(self) -> int:
        """The last position that it has."""

    def fill(self, connection: duckdb.DuckDBPyConnection, progress: Progress) -> None: ...


class DatabaseSource:
    """The log as the ledger reads it, archived ranges included, up to its head now."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self.head = log.head()

    def fill(self, connection: duckdb.DuckDBPyConnection, progress: Progress) -> None:
        connection.execute(
            "CREATE TABLE log "
            "(position BIGINT, originator_id VARCHAR, topic VARCHAR, state VARCHAR)"
        )
        selection = Selection(topics=TOPICS)
        for after in range(0, self.head, PAGE):
            until = min(after + PAGE, self.head)
            page = _arrow([row for row in self._log.rows(after, until, selection) if _counts(row)])
            connection.register("page", page)
            connection.execute("INSERT INTO log FROM page")
            connection.unregister("page")
            progress(until, self.head)


@dataclass(frozen=True, slots=True)
class ArchiveSource:
    """The Parquet files of an archive: a part of the log from its beginning."""

    files: tuple[Path, ...]
    head: int

    @classmethod
    def of(cls, folder: Path) -> ArchiveSource:
        """Raises LogIncomplete where the files do not join each other from position 1 on."""
        files = tuple(sorted(folder.glob("*.parquet")))
        if not files:
            raise LogIncomplete(f"there are no Parquet files in {folder}")
        with duckdb.connect() as connection:
            try:
                found = connection.execute(
                    f"SELECT count(*), min(position), max(position) FROM {_parquet(files)}"  # noqa: S608
                ).fetchone()
            except duckdb.Error as wrong:
                raise LogIncomplete(f"{folder} is no archive of a log: {wrong}") from None
        assert found is not None
        events, first, last = found
        if first != 1 or events != last:
            raise LogIncomplete(
                f"the files in {folder} have {events} events at positions {first} to {last}, "
                "and not all from 1 on"
            )
        return cls(files, last)

    def fill(self, connection: duckdb.DuckDBPyConnection, progress: Progress) -> None:
        connection.execute(f"CREATE VIEW log AS FROM {_parquet(self.files)}")
        progress(self.head, self.head)


def _parquet(files: tuple[Path, ...]) -> str:
    names = ", ".join("'" + str(file).replace("'", "''") + "'" for file in files)
    return f"read_parquet([{names}], binary_as_string = true)"


def _counts(row: LogRow) -> bool:
    """Requests matter for their flavors only."""
    return row.topic != "request.submitted" or b'"flavor"' in row.state


def _arrow(rows: list[LogRow]) -> pa.Table:
    return pa.table(
        {
            "position": pa.array([row.position for row in rows], pa.int64()),
            "originator_id": pa.array([row.originator_id for row in rows], pa.string()),
            "topic": pa.array([row.topic for row in rows], pa.string()),
            "state": pa.array([row.state.decode() for row in rows], pa.string()),
        }
    )
