"""The projector: follows the log and keeps the read models, each in one transaction with its place.

It runs as a thread of the service, or alone (`tally project`). Several may run on one PostgreSQL:
a lock per projection lets one of them work on it at a time. An event that a projection cannot
handle stops that projection, loudly, and no other.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from threading import Condition, Thread

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    insert,
    select,
    update,
)

from api.house import ProjectionHealth
from infra.database import Database
from infra.event_log import EventLog
from projections.projection import Projection, Recorded

logger = logging.getLogger(__name__)

PAGE = 5_000
"""Events per transaction: large enough to write in bulk, small enough to let readers in."""
POLL_SECONDS = 0.05
"""How often the log's head is looked at when nobody woke the projector."""
LONGEST_REST_SECONDS = 0.5
"""A pause between pages while nobody waits, so that pages fill up instead of coming in crumbs:
four times as long as the last page took, so that writers have most of the processor, up to this."""

metadata = MetaData()
positions = Table(
    "projection_positions",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("position", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False, doc="microseconds since the epoch"),
    Column("error_position", BigInteger, nullable=True),
    Column("error", Text, nullable=True),
)


class Projector:
    def __init__(
        self, database: Database, log: EventLog, projections: Sequence[Projection]
    ) -> None:
        self._database = database
        self._log = log
        self._projections = tuple(projections)
        self._engine = database.read_models.execution_options(sqlite_begin="IMMEDIATE")
        self._changed = Condition()
        self._waiters = 0
        self._stopping = False
        self._reached: dict[str, int] = {}
        self._thread = Thread(target=self._run, name="projector", daemon=True)

    def create_tables(self) -> None:
        """Make the read models' tables, and the table of their positions, if they are missing."""
        with self._database.turn(), self._engine.begin() as connection:
            metadata.create_all(connection)
            for projection in self._projections:
                projection.metadata.create_all(connection)
                self._make_row(connection, projection)

    # --- Following, in a thread of its own or in the foreground -----------------------------------

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join()

    def run_round(self) -> int:
        """Project one page into each projection. Returns how many events the longest page had."""
        pages: dict[int, list[Recorded]] = {}
        return max((self._advance(one, pages) for one in self._projections), default=0)

    def wait_for(self, position: int, projection: str, timeout_seconds: float) -> bool:
        """Wait until a projection has reached a position. False if it did not in that time."""
        if self._reached.get(projection, -1) >= position:
            return True
        deadline = time.monotonic() + timeout_seconds
        with self._changed:
            self._waiters += 1
            self._changed.notify_all()
        try:
            while self._position_of(projection) < position:
                if time.monotonic() > deadline or self._stopping:
                    return False
                with self._changed:
                    self._changed.wait(0.01)
        finally:
            with self._changed:
                self._waiters -= 1
        return True

    def statuses(self) -> list[ProjectionHealth]:
        """Where each projection is, and how far behind the log."""
        head = self._log.head()
        with self._database.read_models.connect() as connection:
            rows = {(row.name, row.version): row for row in connection.execute(select(positions))}
        found = []
        for projection in self._projections:
            row = rows[projection.name, projection.version]
            lag = max(0, head - row.position)
            seconds = max(0.0, time.time() - row.updated_at / 1e6) if lag else 0.0
            found.append(
                ProjectionHealth(
                    name=projection.name,
                    version=projection.version,
                    position=row.position,
                    lag_events=lag,
                    lag_seconds=round(seconds, 3),
                    state="stopped" if row.error else "following",
                    error=row.error,
                )
            )
        return found

    # --- One page ---------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._stopping:
            started = time.monotonic()
            try:
                moved = self.run_round()
            except Exception:
                logger.exception("the projector could not work; it tries again")
                moved = 0
            took = time.monotonic() - started
            with self._changed:
                self._changed.notify_all()
                if moved == PAGE or self._waiters:
                    continue
                if moved:
                    self._changed.wait(min(LONGEST_REST_SECONDS, 4 * took))
                else:
                    self._changed.wait(POLL_SECONDS)

    def _advance(self, projection: Projection, pages: dict[int, list[Recorded]]) -> int:
        try:
            return self._project_page(projection, pages, PAGE)
        except _Unhandled:
            # Go on event by event up to the one that fails, so that only it is left.
            try:
                while self._project_page(projection, {}, 1):
                    pass
            except _Unhandled as failed:
                self._stop_projection(projection, failed)
            return 0

    def _project_page(
        self, projection: Projection, pages: dict[int, list[Recorded]], limit: int
    ) -> int:
        with self._engine.begin() as connection:
            if not self._database.try_lock(connection, f"{projection.name} {projection.version}"):
                return 0
            row = connection.execute(
                select(positions.c.position, positions.c.error).where(*_is(projection))
            ).one()
            self._reached[projection.name] = row.position
            if row.error:
                return 0
            page = pages.get(row.position)
            if page is None:
                page = pages[row.position] = self._log.read(row.position, limit)
            if not page:
                return 0
            try:
                projection.project(connection, page)
            except Exception as failed:
                raise _Unhandled(page[0], failed) from failed
            reached = page[-1].position
            connection.execute(
                update(positions)
                .where(*_is(projection))
                .values(position=reached, updated_at=_now_micros())
            )
        self._reached[projection.name] = reached
        return len(page)

    def _stop_projection(self, projection: Projection, failed: _Unhandled) -> None:
        recorded = failed.recorded
        event = recorded.event
        error = (
            f"position {recorded.position}, {event.TOPIC} at version {event.originator_version} "
            f"of {event.originator_id}: {type(failed.cause).__name__}: {failed.cause}"
        )
        logger.error("projection %s stopped at %s", projection.name, error)
        with self._engine.begin() as connection:
            connection.execute(
                update(positions)
                .where(*_is(projection))
                .values(error=error, error_position=recorded.position)
            )

    def position_in(self, connection: Connection, projection: str) -> int:
        """Where a projection is, as this transaction sees it."""
        serving = next(one for one in self._projections if one.name == projection)
        found = connection.execute(select(positions.c.position).where(*_is(serving)))
        return int(found.scalar_one())

    def _position_of(self, projection: str) -> int:
        if not self._thread.is_alive():  # Another process keeps the read models.
            with self._database.read_models.connect() as connection:
                self._reached[projection] = self.position_in(connection, projection)
        return self._reached.get(projection, 0)

    @staticmethod
    def _make_row(connection: Connection, projection: Projection) -> None:
        there = connection.scalar(select(positions.c.name).where(*_is(projection)))
        if there is None:
            connection.execute(
                insert(positions).values(
                    name=projection.name,
                    version=projection.version,
                    position=0,
                    updated_at=_now_micros(),
                )
            )


class _Unhandled(Exception):
    def __init__(self, recorded: Recorded, cause: Exception) -> None:
        super().__init__(str(cause))
        self.recorded = recorded
        self.cause = cause


def _is(projection: Projection) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return (
        positions.c.name == projection.name,
        positions.c.version == projection.version,
    )


def _now_micros() -> int:
    return time.time_ns() // 1_000
