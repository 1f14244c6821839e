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
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.event import listen

from infra import archived_ranges, sealed_tables
from infra.log_rows import EVERYTHING, LogRow, Selection
from infra.settings import Settings
from projections.bulk import ROWS_AS_DOCUMENT, STAGE_ROWS
from projections.schema_version import NEWEST, VERSION

TURN = crc32(b"tallystick writer")


FOR_READ_MODELS = (
    # They can be built again, so their commits need not wait for the disk.
    "-c synchronous_commit=off "
    # Making an index or comparing takes one processor, and leaves the others to those who write.
    "-c max_parallel_maintenance_workers=0 -c max_parallel_workers_per_gather=0"
)


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
    position_column = "notification_id"
    is_local = False

    def __init__(self, settings: Settings) -> None:
        assert settings.database_url is not None
        self.archive = settings.archive_folder
        url = settings.database_url.get_secret_value()
        self._datastore = _datastore(url)
        self.events = PositionedRecorder(self._datastore)
        self.snapshots = PostgresAggregateRecorder(
            self._datastore, events_table_name="stored_snapshots"
        )
        driver_url = make_url(url).set(drivername="postgresql+psycopg")
        self.durable = create_engine(driver_url, pool_size=3, max_overflow=10)
        self.builds = create_engine(
            driver_url,
            pool_size=5,
            max_overflow=50,
            connect_args={"options": _with_options(url, FOR_READ_MODELS)},
            # A page as one document costs half of what the driver's executemany does.
            execution_options={ROWS_AS_DOCUMENT: True},
        )
        listen(self.builds, "begin", _enter_place)

    def create_tables(self) -> None:
        # Services that start together wait for each other here: CREATE … IF NOT EXISTS races.
        with self.turn():
            self.events.create_table()
            self.snapshots.create_table()
            archived_ranges.create_table(self.durable)
            sealed_tables.create_tables(self.durable)

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

    def reclaim(self) -> None:
        # The library sets autovacuum's threshold so high that it never comes.
        with self.durable.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM (ANALYZE) stored_events"))

    def close(self) -> None:
        self._datastore.close()
        self.durable.dispose()
        self.builds.dispose()

    # --- Read models: a schema for each build -----------------------------------------------------

    def read_models(self, place: str, *, version: int = NEWEST, in_bulk: bool = False) -> Engine:
        options: dict[str, Any] = {VERSION: version, PLACE: _schema(place)}
        if in_bulk:
            options[STAGE_ROWS] = _stage_rows
        return self.builds.execution_options(**options)

    def create_place(self, place: str) -> None:
        with self.builds.begin() as connection:
            connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {_schema(place)}"))

    def drop_place(self, place: str) -> None:
        with self.builds.begin() as connection:
            connection.execute(text(f"DROP SCHEMA IF EXISTS {_schema(place)} CASCADE"))

    def size_of(self, place: str) -> int:
        size = text(
            "SELECT sum(pg_total_relation_size(oid)) FROM pg_class "
            "WHERE relkind = 'r' AND relnamespace = to_regnamespace(:schema)"
        )
        with self.builds.connect() as connection:
            return int(connection.scalar(size, {"schema": _schema(place)}) or 0)

    @contextmanager
    def own_place(self, place: str) -> Iterator[bool]:
        key = crc32(f"own {place}".encode())
        with self._datastore.get_connection() as connection:
            taken = connection.execute("SELECT pg_try_advisory_lock(%s) AS it", (key,)).fetchone()
            is_ours = bool(taken and taken["it"])
            try:
                yield is_ours
            finally:
                if is_ours:
                    connection.execute("SELECT pg_advisory_unlock(%s)", (key,))


PLACE = "place"
"""The execution option that names the schema in which a transaction finds its tables."""


def _schema(place: str) -> str:
    return f"tally_{place}"


def _enter_place(connection: Connection) -> None:
    schema = connection.get_execution_options().get(PLACE)
    if schema is not None:
        connection.exec_driver_sql(f"SET LOCAL search_path TO {schema}")


def _stage_rows(
    connection: Connection, table: str, names: Sequence[str], values: Sequence[tuple[Any, ...]]
) -> str:
    """By COPY, which takes rows several times as fast as any insert does."""
    staged = f"staged_{table}"
    connection.exec_driver_sql(
        f"CREATE TEMPORARY TABLE IF NOT EXISTS {staged} (LIKE {table}) ON COMMIT DELETE ROWS"
    )
    driver: Any = connection.connection.driver_connection
    columns = ", ".join(names)
    with driver.cursor() as cursor, cursor.copy(f"COPY {staged} ({columns}) FROM STDIN") as copy:
        for row in values:
            copy.write_row(row)
    return staged


def _with_options(url: str, options: str) -> str:
    """The server options that the URL names, and some more."""
    named = conninfo_to_dict(url).get("options", "")
    return f"{named} {options}".strip()


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
