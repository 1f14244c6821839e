"""What the house needs from an engine. One file for each engine implements it, and only there
do the two differ: the event store's recorders, reading many streams at once, and locks."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from eventsourcing.persistence import AggregateRecorder, ApplicationRecorder, StoredEvent
from sqlalchemy import Connection, Engine

from infra.log_rows import EVERYTHING, LogRow, Selection
from infra.settings import Settings
from projections.schema_version import NEWEST


class Database(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def events(self) -> ApplicationRecorder: ...

    @property
    def snapshots(self) -> AggregateRecorder: ...

    @property
    def durable(self) -> Engine:
        """The database of the log itself, with commits that are synced to the disk: for the few
        tables beside the log that cannot be built again from it."""

    @property
    def builds(self) -> Engine:
        """Where it is kept which builds of the read models there are."""

    def read_models(self, place: str, *, version: int = NEWEST, in_bulk: bool = False) -> Engine:
        """One build's tables, of a schema version, in a place of their own.

        In bulk: for a process that does nothing but fill them.
        """

    def create_place(self, place: str) -> None:
        """Make room for a build, if there is none."""

    def drop_place(self, place: str) -> None:
        """Remove a build's tables, if they are there."""

    def size_of(self, place: str) -> int:
        """Bytes on disk; 0 if it is not there."""

    def own_place(self, place: str) -> AbstractContextManager[bool]:
        """Hold a place for this process, to build there. False if another process holds it."""

    @property
    def archive(self) -> Path:
        """The folder of the archived parts of the log; perhaps not made yet."""

    @property
    def position_column(self) -> str:
        """What `stored_events` calls the position."""

    @property
    def is_local(self) -> bool:
        """True if a look-up is a read of a local file that no other process writes: quicker than
        the way to another thread and back."""

    def create_tables(self) -> None:
        """The one explicit step that makes the event store's tables, if they are missing."""

    def select_streams(self, streams: Iterable[str]) -> list[StoredEvent]:
        """All events of these streams, each stream's in order, in one query."""

    def select_range(
        self, after: int, until: int, selection: Selection = EVERYTHING
    ) -> list[LogRow]:
        """The selected rows of the log at the positions after < position <= until, in order."""

    def turn(self) -> AbstractContextManager[None]:
        """While this is held, no other process that also takes it appends."""

    def try_lock(self, connection: Connection, name: str) -> bool:
        """Begin to project: take a lock until the end of the transaction, and look rows up by key.

        False if another process has the lock.
        """

    def reclaim(self) -> None:
        """Make the room of deleted events free for new ones, beside what else is going on."""

    def close(self) -> None: ...


def open_database(settings: Settings) -> Database:
    """Open the engine that the settings name. Makes no tables."""
    if settings.engine == "postgresql":
        from infra.postgres_database import PostgresDatabase

        return PostgresDatabase(settings)
    from infra.sqlite_database import SQLiteDatabase

    return SQLiteDatabase(settings)
