"""Filling a build's tables from the log, page after page: all of the streams, or one part of them.

What a page says and how far it reaches are one transaction, and the transaction holds only if
nobody else moved the part on since: whatever is killed, every event counts exactly once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from infra.build_pace import Pace
from infra.build_progress import Superseded, move_part, parts_of, stop_part
from infra.builds import Build
from infra.database import Database
from infra.event_log import EventLog
from infra.log_rows import LogRow, Selection
from infra.projector import failure_at
from projections.projection import Projection, Recorded, put_all


class Unhandled(Exception):
    """An event that the projection cannot handle. The part stays in front of it."""


@dataclass(frozen=True, slots=True)
class Filling:
    """One part of one build."""

    database: Database
    log: EventLog
    projection: Projection
    build: Build
    part: int = 0
    parts: int = 1

    def fill(self, until: int) -> None:
        """Fold the log up to a position. Raises Unhandled, Superseded."""
        engine = self.database.read_models(
            self.build.place, version=self.build.version, in_bulk=True
        )
        with engine.connect() as connection:
            position = parts_of(connection)[self.part].position
        pace = Pace(self.log)
        while position < until:
            end = min(until, position + pace.page)
            rows = self.log.rows(position, end, self._selection)
            try:
                self._apply(engine, [self.log.decode(row) for row in rows], position, end)
            except (OperationalError, Superseded):
                raise  # The database, or another process, and no event.
            except Exception:
                self._apply_singly(engine, rows, position)
                raise
            position = end
            if position < until:
                pace.rest()

    @property
    def _selection(self) -> Selection:
        return Selection(self.projection.topics, self.part, self.parts)

    def _apply(self, engine: Engine, page: Sequence[Recorded], before: int, after: int) -> None:
        # What is looked up is this part's own, so it is read before the others are made to wait.
        with engine.connect() as connection:
            changes = self.projection.fold(connection, page) if page else ()
        with engine.execution_options(sqlite_begin="IMMEDIATE").begin() as connection:
            move_part(connection, self.part, before, after)
            put_all(connection, changes)

    def _apply_singly(self, engine: Engine, rows: Sequence[LogRow], position: int) -> None:
        """Up to the event that fails, which is then named in the part's progress."""
        for row in rows:
            try:
                self._apply(engine, [self.log.decode(row)], position, row.position)
            except (OperationalError, Superseded):
                raise
            except Exception as failed:
                error = failure_at(row, failed)
                with engine.begin() as connection:
                    stop_part(connection, self.part, row.position, error)
                raise Unhandled(error) from failed
            position = row.position
