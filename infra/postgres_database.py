"""Production: PostgreSQL, shared by several workers and hosts.

The recorder is the library's, with its table lock. Three of its hooks are our own: positions are
drawn under the lock (a sequence would leave a gap behind every transaction that fails, and after
a crash); a batch is inserted from four arrays, which is several times as fast as one array of rows;
and nothing is notified inside the commit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from zlib import crc32

from eventsourcing.persistence import StoredEvent
from eventsourcing.postgres import (
    PostgresAggregateRecorder,
    PostgresApplicationRecorder,
    PostgresDatastore,
)
from psycopg import Cursor
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import DictRow, tuple_row
from psycopg.sql import SQL, Identifier
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.engine import make_url

from infra.log_rows import EVERYTHING, LogRow, Selection
from infra.settings import Settings

TURN = crc32(b"tallystick writer")


class PositionedRecorder(PostgresApplicationRecorder):
    """The stock recorder, drawing gap-free positions under its own table lock."""

    def __init__(self, datastore: PostgresDatastore) -> None:
        super().__init__(datastore)
        table = SQL("{}.{}").format(Identifier(datastore.schema), Identifier("stored_events"))
        self._insert = SQL(
            "INSERT INTO {table} "
            "(originator_id, originator_version, topic, state, notification_id) "
            "SELECT e.id, e.version, e.topic, e.state, head.position + e.place "
            "FROM (SELECT coalesce(max(notification_id), 0) AS position FROM {table}) AS head, "
            "unnest(%b::text[], %b::bigint[], %b::text[], %b::bytea[]) "
            "WITH ORDINALITY AS e (id, version, topic, state, place) "
            "ORDER BY e.place RETURNING notification_id"
        ).format(table=table)

    def _insert_stored_events(
        self, curs: Cursor[DictRow], stored_events: Sequence[StoredEvent], **_: Any
    ) -> None:
        self._lock_table(curs)
        curs.execute(
            self._insert,
            (
                [event.originator_id for event in stored_events],
                [event.originator_version for event in stored_events],
                [event.topic for event in stored_events],
                [event.state for event in stored_events],
            ),
            prepare=True,
        )


class PostgresDatabase:
    name = "postgresql"
    is_local = False

    def __init__(self, settings: Settings) -> None:
        assert settings.database_url is not None
        url = settings.database_url.get_secret_value()
        self._datastore = _datastore(url)
        self.events = PositionedRecorder(self._datastore)
        self.snapshots = PostgresAggregateRecorder(
            self._datastore, events_table_name="stored_snapshots"
        )
        driver_url = make_url(url).set(drivername="postgresql+psycopg")
        self.durable = create_engine(driver_url, pool_size=1, max_overflow=10)
        self.read_models = create_engine(
            driver_url,
            pool_size=5,
            max_overflow=50,
            # Read models can be built again, so their commits need not wait for the disk.
            connect_args={"options": _with_option(url, "-c synchronous_commit=off")},
            # A page as one document costs half of what the driver's executemany does.
            execution_options={"rows_as_document": True},
        )

    def create_tables(self) -> None:
        # Services that start together wait for each other here: CREATE … IF NOT EXISTS races.
        with self.turn():
            self.events.create_table()
            self.snapshots.create_table()

    def select_streams(self, streams: Iterable[str]) -> list[StoredEvent]:
        with self._datastore.get_connection() as connection:
            cursor = connection.cursor(row_factory=tuple_row, binary=True)
            cursor.execute(
                "SELECT originator_id, originator_version, topic, state FROM stored_events "
                "WHERE originator_id = ANY(%s) ORDER BY originator_id, originator_version",
                (list(streams),),
                prepare=True,
            )
            return [StoredEvent(*row) for row in cursor]

    def select_range(
        self, after: int, until: int, selection: Selection = EVERYTHING
    ) -> list[LogRow]:
        selected, values = selection.conditions("ascii(right(originator_id, 1))", "%s")
        query = (
            "SELECT notification_id, originator_id, originator_version, topic, state "  # noqa: S608  our own words
            f"FROM stored_events WHERE notification_id > %s AND notification_id <= %s{selected} "
            "ORDER BY notification_id"
        )
        with self._datastore.get_connection() as connection:
            cursor = connection.cursor(row_factory=tuple_row, binary=True)
            cursor.execute(query.encode(), (after, until, *values), prepare=True)
            return [LogRow(*row) for row in cursor]

    @contextmanager
    def turn(self) -> Iterator[None]:
        with self._datastore.get_connection() as connection:
            connection.execute("SELECT pg_advisory_lock(%s)", (TURN,))
            try:
                yield
            finally:
                connection.execute("SELECT pg_advisory_unlock(%s)", (TURN,))

    def try_lock(self, connection: Connection, name: str) -> bool:
        # A page finds its rows by key. While statistics lag behind a growing table, the planner
        # would now and then read all of it instead.
        lock = text(
            "SELECT pg_try_advisory_xact_lock(:key), set_config('enable_seqscan', 'off', true)"
        )
        return bool(connection.scalar(lock, {"key": crc32(name.encode())}))

    def close(self) -> None:
        self._datastore.close()
        self.durable.dispose()
        self.read_models.dispose()


def _with_option(url: str, option: str) -> str:
    """The server options that the URL names, and one more."""
    named = conninfo_to_dict(url).get("options", "")
    return f"{named} {option}".strip()


def _datastore(url: str) -> PostgresDatastore:
    """The library's datastore from a URL; what it has no argument for goes to its pool."""
    parts: dict[str, Any] = dict(conninfo_to_dict(url))
    datastore = PostgresDatastore(
        dbname=parts.pop("dbname", ""),
        host=parts.pop("host", ""),
        port=parts.pop("port", "5432"),
        user=parts.pop("user", ""),
        password=parts.pop("password", ""),
        pool_size=2,
        max_overflow=20,
        originator_id_type="text",
        enable_db_functions=False,
    )
    assert isinstance(datastore.pool.kwargs, dict)
    datastore.pool.kwargs.update(parts)
    return datastore
