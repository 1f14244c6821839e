"""The embedded default: SQLite in a folder of its own, one service process.

Events and read models are two files, so that neither waits for the other's write lock. Events are
synced to the disk at every commit; read models can always be built again, so theirs need not be.
"""

from __future__ import annotations

import fcntl
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from eventsourcing.persistence import StoredEvent
from eventsourcing.sqlite import (
    SQLiteAggregateRecorder,
    SQLiteApplicationRecorder,
    SQLiteConnection,
    SQLiteConnectionPool,
    SQLiteCursor,
    SQLiteDatastore,
)
from pydantic_core import to_json
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import QueuePool

from infra.log_rows import EVERYTHING, LogRow, Selection
from infra.settings import Settings

LOCK_TIMEOUT_SECONDS = 30


class BatchRecorder(SQLiteApplicationRecorder):
    """The stock recorder, inserting a batch at once.

    A rowid is the largest one plus one, and rows are never deleted, so a batch's positions are
    those that end in the largest.
    """

    def _insert_events(
        self, c: SQLiteCursor, stored_events: Sequence[StoredEvent], **_: Any
    ) -> Sequence[int]:
        c.executemany(
            self.insert_events_statement,
            [
                (stored.originator_id, stored.originator_version, stored.topic, stored.state)
                for stored in stored_events
            ],
        )
        last = self._max_notification_id(c)
        return range(last - len(stored_events) + 1, last + 1)


class FolderInUse(Exception):
    """Another process writes to the data folder."""


class SQLiteDatabase:
    name = "sqlite"
    is_local = True

    def __init__(self, settings: Settings) -> None:
        self.folder = settings.data.absolute()
        self.folder.mkdir(parents=True, exist_ok=True)
        path = str(self.folder / "events.sqlite")
        datastore = SQLiteDatastore(path, originator_id_type="text")
        datastore.pool.close()
        datastore.pool = _DurablePool(
            db_name=path, lock_timeout=LOCK_TIMEOUT_SECONDS, max_overflow=50
        )
        self._datastore = datastore
        self.events = BatchRecorder(datastore)
        self.snapshots = SQLiteAggregateRecorder(datastore, events_table_name="stored_snapshots")
        self.durable = _engine(self.folder / "events.sqlite", synchronous="FULL")
        self.read_models = _engine(self.folder / "read_models.sqlite", synchronous="NORMAL")

    def create_tables(self) -> None:
        self.events.create_table()
        self.snapshots.create_table()

    def select_streams(self, streams: Iterable[str]) -> list[StoredEvent]:
        names = to_json(list(streams)).decode()
        with self._datastore.transaction(commit=False) as cursor:
            cursor.execute(
                "SELECT originator_id, originator_version, topic, state FROM stored_events "
                "WHERE originator_id IN (SELECT value FROM json_each(?)) "
                "ORDER BY originator_id, originator_version",
                (names,),
            )
            return [StoredEvent(*row) for row in cursor.fetchall()]

    def select_range(
        self, after: int, until: int, selection: Selection = EVERYTHING
    ) -> list[LogRow]:
        selected, values = selection.conditions("unicode(substr(originator_id, -1))", "?")
        query = (
            "SELECT rowid, originator_id, originator_version, topic, state FROM stored_events "  # noqa: S608  our own words
            f"WHERE rowid > ? AND rowid <= ?{selected} ORDER BY rowid"
        )
        with self._datastore.transaction(commit=False) as cursor:
            cursor.execute(query, (after, until, *values))
            return [LogRow(*row) for row in cursor.fetchall()]

    @contextmanager
    def turn(self) -> Iterator[None]:
        yield  # One process writes to a data folder, see `own_folder`.

    def try_lock(self, connection: Connection, name: str) -> bool:  # noqa: ARG002
        return True  # The transaction itself is the lock: see `sqlite_begin` below.

    def close(self) -> None:
        self._datastore.close()
        self.durable.dispose()
        self.read_models.dispose()


@contextmanager
def own_folder(folder: Path) -> Iterator[None]:
    """Hold the data folder for this process. It is free again when the process ends, however."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "service.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as taken:
            raise FolderInUse(
                f"another process already serves {folder}; stop it, or use another --data folder"
            ) from taken
        yield


class _DurablePool(SQLiteConnectionPool):
    def _create_connection(self) -> SQLiteConnection:
        connection = super()._create_connection()
        connection.cursor().execute("PRAGMA synchronous=FULL")
        # A batch touches pages all over the index: keep them (64 MiB).
        connection.cursor().execute("PRAGMA cache_size=-65536")
        return connection


def _engine(path: Path, *, synchronous: str) -> Engine:
    engine = create_engine(
        f"sqlite:///{path}",
        poolclass=QueuePool,
        pool_size=5,
        max_overflow=50,
        connect_args={"timeout": LOCK_TIMEOUT_SECONDS, "check_same_thread": False},
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _: Any) -> None:
        connection.isolation_level = None  # Transactions begin where `begin` below says so.
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(f"PRAGMA synchronous={synchronous}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        mode = connection.get_execution_options().get("sqlite_begin", "DEFERRED")
        connection.exec_driver_sql(f"BEGIN {mode}")

    return engine
