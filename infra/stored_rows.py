"""The log's own rows in the database, for those few who look at them below the library: the
archive measures and deletes what is outdated, and finds where a stream goes on; sealing finds where
a stream was."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, column, delete, exists, func, select, table, tuple_

from domain.provider import Provider
from infra.database import Database

KEYS_AT_ONCE = 500


class StoredRows:
    """Ranges are positions after < position <= until.

    A row is *outdated* if its stream has a newer one.
    """

    def __init__(self, database: Database) -> None:
        self._engine = database.durable
        self._position: ColumnElement[int] = column(database.position_column)
        names = ("originator_id", "originator_version", "topic", "state")
        self._rows = table("stored_events", self._position, *map(column, names))
        later = self._rows.alias("later")
        self._is_outdated = exists().where(
            later.c.originator_id == self._rows.c.originator_id,
            later.c.originator_version > self._rows.c.originator_version,
        )

    def count(self, after: int, until: int) -> int:
        counted = select(func.count()).select_from(self._rows).where(*self._within(after, until))
        with self._engine.connect() as connection:
            return connection.scalar(counted) or 0

    def measure_outdated(self, after: int, until: int) -> tuple[int, int]:
        """How many rows are outdated, and the bytes of what they hold."""
        row = self._rows.c
        size = func.length(row.originator_id) + func.length(row.topic) + func.length(row.state)
        measured = select(func.count(), func.coalesce(func.sum(size), 0)).where(
            *self._within(after, until), self._is_outdated
        )
        with self._engine.connect() as connection:
            events, held = connection.execute(measured).one()
            return events, int(held)

    def delete_outdated(self, after: int, until: int) -> None:
        outdated = delete(self._rows).where(*self._within(after, until), self._is_outdated)
        with self._engine.begin() as connection:
            connection.execute(outdated)

    def providers(self, after: int, until: int) -> list[tuple[str, int]]:
        """The streams of providers with events there, each with the newest version of these."""
        stream = self._rows.c.originator_id
        found = (
            select(stream, func.max(self._rows.c.originator_version))
            .where(*self._within(after, until), stream.startswith(f"{Provider.CATEGORY}:"))
            .group_by(stream)
        )
        with self._engine.connect() as connection:
            return [(name, version) for name, version in connection.execute(found)]

    def position_after(self, stream: str, version: int) -> int | None:
        """The position of a stream's first event after a version, of those that are stored."""
        row = self._rows.c
        following = select(func.min(self._position)).where(
            row.originator_id == stream, row.originator_version > version
        )
        with self._engine.connect() as connection:
            return connection.scalar(following)

    def positions(self, events: Sequence[tuple[str, int]]) -> dict[tuple[str, int], int]:
        """Of these (stream, version), those that are stored."""
        row = self._rows.c
        key = tuple_(row.originator_id, row.originator_version)
        found: dict[tuple[str, int], int] = {}
        with self._engine.connect() as connection:
            for start in range(0, len(events), KEYS_AT_ONCE):
                wanted = key.in_(events[start : start + KEYS_AT_ONCE])
                query = select(row.originator_id, row.originator_version, self._position)
                for stream, version, position in connection.execute(query.where(wanted)):
                    found[stream, version] = position
        return found

    def _within(self, after: int, until: int) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
        return self._position > after, self._position <= until
