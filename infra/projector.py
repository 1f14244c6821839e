"""The projector: follows the log and keeps the serving read models, each page in one transaction
with its place.

It runs as a thread of the service, or alone (`tally project`). Several may run on one PostgreSQL:
a lock per build lets one of them work on it at a time. An event that a projection cannot handle
stops that projection, loudly, and no other.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from threading import Condition, Thread

from eventsourcing.persistence import MapperDeserialisationError
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from infra.build_progress import (
    Superseded,
    move_part,
    parts_of,
    position_of,
    stop_part,
)
from infra.builds import Build, BuildRecord, Builds
from infra.database import Database
from infra.event_log import EventLog
from infra.log_rows import LogRow, Selection
from projections.projection import Projection, Recorded, apply_page

logger = logging.getLogger(__name__)

PAGE = 5_000
"""Events per transaction: large enough to write in bulk, small enough to let readers in."""
POLL_SECONDS = 0.05
"""How often the log's head is looked at when nobody woke the projector."""
LONGEST_REST_SECONDS = 0.5
"""A pause between pages while nobody waits, so that pages fill up instead of coming in crumbs:
four times as long as the last page took, so that writers have most of the processor, up to this."""


LONGEST_ERROR = 500
"""Characters: a whole event may be quoted in it."""


class NotServed(Exception):
    """No build of this projection serves yet that this release can read."""


class Projector:
    def __init__(
        self, database: Database, log: EventLog, builds: Builds, projections: Sequence[Projection]
    ) -> None:
        self._database = database
        self._log = log
        self._builds = builds
        self._projections = {one.name: one for one in projections}
        self._changed = Condition()
        self._waiters = 0
        self._stopping = False
        self._reached: dict[Build, int] = {}
        self._thread = Thread(target=self._run, name="projector", daemon=True)

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
        serving = [one.build for one in self._builds.all() if one.state == "serving"]
        return max((self._advance(build, pages) for build in serving), default=0)

    def serving(self, name: str) -> Build:
        """The build whose tables readers read now. Raises NotServed."""
        record = self._builds.serving(name)
        if record is None or not can_read(self._projections[name], record):
            raise NotServed(name)
        return record.build

    def wait_for(self, position: int, build: Build, timeout_seconds: float) -> bool:
        """Wait until a build has reached a position. False if it did not in that time."""
        if self._reached.get(build, -1) >= position:
            return True
        deadline = time.monotonic() + timeout_seconds
        with self._changed:
            self._waiters += 1
            self._changed.notify_all()
        try:
            while self._position_of(build) < position:
                if time.monotonic() > deadline or self._stopping:
                    return False
                with self._changed:
                    self._changed.wait(0.01)
        finally:
            with self._changed:
                self._waiters -= 1
        return True

    def tables_of(self, build: Build) -> Engine:
        """To read (or write) a build's tables as its schema version has them."""
        return self._database.read_models(build.place, version=build.version)

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

    def _advance(self, build: Build, pages: dict[int, list[Recorded]]) -> int:
        projection = self._projections.get(build.name)
        if projection is None or not can_keep(projection, build.version):
            return 0  # Another release keeps it.
        try:
            return self._project_page(projection, build, pages)
        except Superseded:
            return 0
        except Exception:  # noqa: BLE001 - found again below, at the event that it is about
            return self._project_singly(projection, build)

    def _project_page(
        self, projection: Projection, build: Build, pages: dict[int, list[Recorded]]
    ) -> int:
        with self._writing(build).begin() as connection:
            if not self._database.try_lock(connection, build.place):
                return 0
            (part,) = parts_of(connection)
            self._reached[build] = part.position
            if part.error:
                return 0
            page = pages.get(part.position)
            if page is None:
                page = pages[part.position] = self._log.read(part.position, PAGE)
            if not page:
                return 0
            apply_page(projection, connection, page)
            reached = page[-1].position
            move_part(connection, part.part, part.position, reached)
        self._reached[build] = reached
        return len(page)

    def _project_singly(self, projection: Projection, build: Build) -> int:
        """Go on event by event up to the one that fails, so that only it is left."""
        with self.tables_of(build).connect() as connection:
            position = position_of(connection)
        until = min(position + PAGE, self._log.head())
        try:
            for row in self._log.rows(position, until, Selection(projection.topics)):
                if not self._project_row(projection, build, position, row):
                    return 0
                position = row.position
            with self._writing(build).begin() as connection:
                move_part(connection, 0, position, until)
        except Superseded:
            pass  # By another process, which goes on.
        return 0

    def _project_row(
        self, projection: Projection, build: Build, position: int, row: LogRow
    ) -> bool:
        try:
            recorded = self._log.decode(row)
            with self._writing(build).begin() as connection:
                move_part(connection, 0, position, row.position)
                apply_page(projection, connection, [recorded])
        except (OperationalError, Superseded):
            raise  # The database, or another process, and not the event.
        except Exception as failed:  # noqa: BLE001 - whatever it is, it stops this projection
            self._stop_projection(build, row, failed)
            return False
        return True

    def _stop_projection(self, build: Build, row: LogRow, failed: Exception) -> None:
        error = failure_at(row, failed)
        logger.error("projection %s stopped at %s", build, error)
        with self._writing(build).begin() as connection:
            stop_part(connection, 0, row.position, error)

    def _position_of(self, build: Build) -> int:
        if not self._thread.is_alive():  # Another process keeps the read models.
            with self.tables_of(build).connect() as connection:
                self._reached[build] = position_of(connection)
        return self._reached.get(build, 0)

    def _writing(self, build: Build) -> Engine:
        return self.tables_of(build).execution_options(sqlite_begin="IMMEDIATE")


def failure_at(row: LogRow, failed: Exception) -> str:
    """What an operator is told of an event that could not be handled."""
    cause = failed.__cause__ if isinstance(failed, MapperDeserialisationError) else None
    what = " ".join(str(cause or failed).split())[:LONGEST_ERROR]
    return (
        f"position {row.position}, {row.topic} at version {row.originator_version} "
        f"of {row.originator_id}: {type(cause or failed).__name__}: {what}"
    )


def can_keep(projection: Projection, version: int) -> bool:
    """Whether this code writes tables of this schema version."""
    return projection.oldest <= version <= projection.version


def can_read(projection: Projection, record: BuildRecord) -> bool:
    """Whether this code reads a build: its own versions, and newer ones that say that it can."""
    version = record.build.version
    return can_keep(projection, version) or (
        version > projection.version and record.oldest <= projection.version
    )
