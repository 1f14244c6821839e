"""The builder: has builds of read models made, each by a process of its own, and steers them.

It runs as a thread beside the projector. What is to be built is in the registry, so whoever
starts next goes on with it.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Event, Thread

from api.house import BuildAction, SwitchRule
from domain.errors import Conflict, NotFound
from infra.build_progress import clear_errors
from infra.build_tables import make_tables
from infra.builds import STATES, WORKED_ON, Build, BuildRecord, Builds, State
from infra.database import Database
from infra.event_log import EventLog
from infra.projector import can_keep
from infra.settings import Settings
from projections.projection import Projection

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.25
AGAIN_AFTER_SECONDS = 5.0
"""A process that came to grief is started again after this."""
DROPPABLE: Sequence[State] = [state for state in STATES if state != "serving"]
SHORT_LOG = 20_000
"""Up to here, a first build just follows the log: that takes a second."""


class Builder:
    def __init__(
        self,
        settings: Settings,
        database: Database,
        log: EventLog,
        builds: Builds,
        projections: Sequence[Projection],
    ) -> None:
        self._settings = settings
        self._database = database
        self._log = log
        self._builds = builds
        self._projections = {one.name: one for one in projections}
        self._processes: dict[Build, subprocess.Popen[bytes]] = {}
        self._again_at: dict[Build, float] = {}
        self._stopping = Event()
        self._thread = Thread(target=self._run, name="builder", daemon=True)

    def declare(self) -> None:
        """Have a build of each projection's newest version, if there is none."""
        with self._database.turn():  # Services that start together do this one after the other.
            self._builds.create_tables()
            for projection in self._projections.values():
                self._declare(projection)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()
        for build in list(self._processes):
            self._end(build)

    # --- For operators ----------------------------------------------------------------------------

    def rebuild(self, name: str, switch: SwitchRule) -> Build:
        """Begin a further build of the newest version. Raises NotFound, Conflict."""
        projection = self._projections.get(name)
        if projection is None:
            raise NotFound("projection_not_found", f"there is no projection {name}")
        for record in self._builds.of(name):
            if record.state in (*WORKED_ON, "paused", "stopped"):
                raise Conflict(
                    "rebuild_under_way",
                    f"{record.build} is {record.state} already: resume it, or drop it",
                    version=record.build.label,
                )
        return self._builds.add(name, projection.version, projection.oldest, "building", switch)

    def steer(self, name: str, version: str, action: BuildAction) -> None:
        """Raises NotFound, Conflict."""
        record = self._find(name, version)
        if action == "drop":
            self._drop(record)
        elif action == "resume":
            self._resume(record)
        elif action == "pause":
            self._require(
                self._builds.change(record.build, "paused", only_from=["building"]), record, action
            )
        elif record.state != "serving":
            moved = self._builds.change(record.build, "switching", only_from=["ready", "kept"])
            self._require(moved, record, action)

    def _find(self, name: str, version: str) -> BuildRecord:
        """By its label; or by the schema version alone, which means the newest build of that."""
        for record in reversed(self._builds.of(name)):
            if version in (record.build.label, str(record.build.version)):
                return record
        raise NotFound("build_not_found", f"projection {name} has no build {version}")

    def _resume(self, record: BuildRecord) -> None:
        """Go on: with a paused build, or past an event that is handled now."""
        if record.state in ("paused", "stopped", "serving"):
            engine = self._database.read_models(record.build.place)
            with engine.execution_options(sqlite_begin="IMMEDIATE").begin() as connection:
                clear_errors(connection)
        if record.state != "serving":
            moved = self._builds.change(record.build, "building", only_from=["paused", "stopped"])
            self._require(moved, record, "resume")

    def _drop(self, record: BuildRecord) -> None:
        idle = self._builds.change(record.build, "paused", only_from=DROPPABLE)
        self._require(idle, record, "drop")
        self._end(record.build)
        self._database.drop_place(record.build.place)
        self._builds.remove(
            record.build
        )  # Last: what is still in the registry can be dropped again.

    @staticmethod
    def _require(moved: object, record: BuildRecord, action: BuildAction) -> None:
        if not moved:
            raise Conflict(
                "build_not_in_that_state",
                f"cannot {action} {record.build}: it is {record.state}",
                state=record.state,
            )

    # --- Which builds there must be ---------------------------------------------------------------

    def _declare(self, projection: Projection) -> None:
        records = self._builds.of(projection.name)
        if any(record.build.version == projection.version for record in records):
            return
        serving = next((one for one in records if one.state == "serving"), None)
        if serving is not None and serving.build.version > projection.version:
            return  # A newer release was here before.
        version = (projection.name, projection.version, projection.oldest)
        build = self._builds.add(*version, "building", "always")
        if serving is None and self._log.head() <= SHORT_LOG:
            make_tables(self._database, projection, build, all_indexes=True)
            self._builds.switch(build)

    # --- Processes --------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._stopping.wait(POLL_SECONDS):
            try:
                self._look()
            except Exception:
                logger.exception("the builder could not work; it tries again")

    def _look(self) -> None:
        wanted = {one.build: one for one in self._builds.all() if one.state in WORKED_ON}
        for build in [build for build in self._processes if build not in wanted]:
            self._end(build)
        for build, process in list(self._processes.items()):
            if process.poll() is not None:
                del self._processes[build]
                if process.returncode:
                    logger.error("building %s came to grief (%s)", build, process.returncode)
                self._again_at[build] = time.monotonic() + AGAIN_AFTER_SECONDS
        for record in sorted(wanted.values(), key=lambda one: one.created_at):
            if record.build not in self._processes and self._may_begin(record, wanted):
                self._processes[record.build] = self._begin(record.build)

    def _may_begin(self, record: BuildRecord, wanted: Mapping[Build, BuildRecord]) -> bool:
        """One is filled at a time, by as many processes as are good for it; to switch is short."""
        is_filling = any(wanted[build].state == "building" for build in self._processes)
        return self._is_ours(record.build) and not (record.state == "building" and is_filling)

    def _is_ours(self, build: Build) -> bool:
        projection = self._projections.get(build.name)
        known = projection is not None and can_keep(projection, build.version)
        return known and time.monotonic() >= self._again_at.get(build, 0.0)

    def _begin(self, build: Build) -> subprocess.Popen[bytes]:
        home = str(Path(__file__).resolve().parents[1])
        which = [build.name, str(build.version), str(build.number)]
        return subprocess.Popen(
            [sys.executable, "-m", "infra.rebuild", *which],
            env=os.environ | self._settings.environment() | {"PYTHONPATH": home},
            stdin=subprocess.DEVNULL,
        )

    def _end(self, build: Build) -> None:
        process = self._processes.pop(build, None)
        if process is not None and process.poll() is None:
            process.terminate()
            process.wait()
