"""The embedded default: SQLite in a folder of its own, one service process.

Events and each build of a read model are files of their own, so that none waits for another's write
lock. Events are synced to the disk at every commit; read models can always be built again, so
theirs need not be.
"""

from __future__ import annotations

import fcntl
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
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

from infra import archived_ranges, sealed_tables
from infra.log_rows import EVERYTHING, LogRow, Selection
from infra.settings import Settings
from projections.schema_version import NEWEST, VERSION

LOCK_TIMEOUT_SECONDS = 30


class BatchRecorder(SQLiteApplicationRecorder):
    """The stock recorder, inserting a batch at once.

    A rowid is the largest one plus one, and the newest row is never deleted, so a batch's positions
    are those that end in the largest. It is a column of its own: else VACUUM might number the rows
    anew where some are pruned.
    """

    def __init__(self, datastore: SQLiteDatastore) -> None:
        super().__init__(datastore)
        self.insert_events_statement = (
            "INSERT INTO stored_events (originator_id, originator_version, topic, state) "
            "VALUES (?, ?, ?, ?)"
        )

    def construct_create_table_statements(self) -> list[str]:
        statement = (
            "CREATE TABLE IF NOT EXISTS stored_events (rowid INTEGER PRIMARY KEY, "
            "originator_id TEXT NOT NULL, originator_version INTEGER NOT NULL, "
            "topic TEXT, state BLOB, UNIQUE (originator_id, originator_version))"
        )
        return [statement]

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
    position_column = "rowid"
    is_local = True

    def __init__(self, settings: Settings) -> None:
        self.folder = settings.data.absolute()
        self.archive = settings.archive_folder
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
        self._places = self.folder / "read_models"
        self._places.mkdir(exist_ok=True)
        self.builds = _engine(self._places / "builds.sqlite", synchronous="NORMAL")
        self._read_models: dict[str, Engine] = {}
        self._opening = Lock()

    def create_tables(self) -> None:
        self.events.create_table()
        self.snapshots.create_table()
        archived_ranges.create_table(self.durable)
        sealed_tables.create_tables(self.durable)

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

    def reclaim(self) -> None:
        """Nothing to do: new rows fill the room. VACUUM makes the file smaller, if one has time."""

    def close(self) -> None:
        self._datastore.close()
        self.durable.dispose()
        self.builds.dispose()
        for engine in self._read_models.values():
            engine.dispose()

    # --- Read models: a file for each build -------------------------------------------------------

    def read_models(
        self,
        place: str,
        *,
        version: int = NEWEST,
        in_bulk: bool = False,  # noqa: ARG002  the list of rows is the fastest way already
    ) -> Engine:
        with self._opening:
            engine = self._read_models.get(place)
            if engine is None:
                engine = _engine(self._file_of(place), synchronous="NORMAL")
                self._read_models[place] = engine
        return engine.execution_options(**{VERSION: version})

    def create_place(self, place: str) -> None:
        """The file is made by the first who opens it."""

    def drop_place(self, place: str) -> None:
        with self._opening:
            engine = self._read_models.pop(place, None)
        if engine is not None:
            engine.dispose()
        for file in self._files_of(place):
            file.unlink(missing_ok=True)

    def size_of(self, place: str) -> int:
        return sum(file.stat().st_size for file in self._files_of(place) if file.exists())

    @contextmanager
    def own_place(self, place: str) -> Iterator[bool]:
        with (self._places / f"{place}.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                yield False
            else:
                yield True

    def _file_of(self, place: str) -> Path:
        return self._places / f"{place}.sqlite"

    def _files_of(self, place: str) -> list[Path]:
        return [self._places / f"{place}.sqlite{end}" for end in ("", "-wal", "-shm")]


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
