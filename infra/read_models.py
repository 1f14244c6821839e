"""The read models of a process: what serves, who follows the log, who builds beside it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from api.house import BuildAction, ProjectionHealth, SwitchRule, Unavailable
from infra.build_progress import position_of
from infra.build_status import build_statuses
from infra.builder import Builder
from infra.builds import WORKED_ON, Build, Builds
from infra.database import Database
from infra.event_log import EventLog
from infra.generations import count_generations
from infra.projector import NotServed, Projector
from infra.settings import Settings
from projections.all import projections
from projections.live_capacity import LiveCapacity
from projections.live_loading import load_live_capacity

T = TypeVar("T")

CAPACITY = "capacity"
"""The projection that the live view is loaded from."""
COUNTS_GENERATIONS = 3
"""The version of it since which it tells providers' generations."""
LOOK_AGAIN_SECONDS = 0.25
"""How long a read waits for one build before it looks which one serves."""


class ReadModels:
    def __init__(self, settings: Settings, database: Database, log: EventLog) -> None:
        self._database = database
        self._log = log
        self._wait_seconds = settings.read_wait_seconds
        self._builds = Builds(database.builds)
        self.projector = Projector(database, log, self._builds, projections())
        self._builder = Builder(settings, database, log, self._builds, projections())

    def declare(self) -> None:
        """Have a build of each projection: the first step, before anything is read."""
        self._builder.declare()

    def start(self) -> None:
        """Follow the log, and build what is to be built, in threads of their own."""
        self.projector.start()
        self._builder.start()

    def start_building(self) -> None:
        self._builder.start()

    def stop(self) -> None:
        self._builder.stop()
        self.projector.stop()

    def query(self, read: Callable[[Connection], T], of: str) -> T:
        """Read one projection's tables once they have reached the log's head. Raises Unavailable.

        All of an answer comes from one build: the one that serves as the reading begins.
        """
        head = self._log.head()
        build = self._reached(head, of)
        while True:
            try:
                with self.projector.tables_of(build).connect() as connection:
                    return read(connection)
            except DBAPIError:
                # It may have been dropped, after another had taken its place.
                before, build = build, self._reached(head, of)
                if build == before:
                    raise

    def statuses(self) -> list[ProjectionHealth]:
        return build_statuses(self._database, self._builds, self._log.head())

    def rebuild(self, name: str, switch: SwitchRule) -> ProjectionHealth:
        build = self._builder.rebuild(name, switch)
        return next(
            one for one in self.statuses() if (one.name, one.version) == (build.name, build.label)
        )

    def steer(self, name: str, version: str, action: BuildAction) -> None:
        self._builder.steer(name, version, action)

    def load_live_view(self) -> tuple[LiveCapacity, int]:
        """The live view as stored, and the log's position that it is of; an empty one at 0 while
        nothing serves."""
        try:
            build = self.projector.serving(CAPACITY)
        except NotServed:
            return LiveCapacity(), 0
        # SERIALIZABLE, as the rows and the position that they belong to are read together.
        engine = self.projector.tables_of(build)
        with engine.execution_options(isolation_level="SERIALIZABLE").connect() as connection:
            view, position = load_live_capacity(connection), position_of(connection)
        if build.version < COUNTS_GENERATIONS:
            count_generations(self._log, view, position)
        return view, position

    def _reached(self, head: int, name: str) -> Build:
        """The build that serves, once it has reached a position. Raises Unavailable."""
        deadline = time.monotonic() + self._wait_seconds
        while True:
            build = self._serving(name)
            left = deadline - time.monotonic()
            # Another build may take its place meanwhile, and then nobody keeps this one any more.
            if self.projector.wait_for(head, build, min(left, LOOK_AGAIN_SECONDS)):
                return build
            if left <= LOOK_AGAIN_SECONDS:
                raise Unavailable(f"the read model {name} has not reached position {head} yet")

    def _serving(self, name: str) -> Build:
        try:
            return self.projector.serving(name)
        except NotServed:
            raise Unavailable(self._why_not_served(name)) from None

    def _why_not_served(self, name: str) -> str:
        for record in self._builds.of(name):
            if record.state in WORKED_ON:
                done = record.progress.get("done", 0) / max(1, record.progress.get("of", 1))
                return f"the read model {name} is being built: {done:.0%}"
        return f"no version of the read model {name} is there that this release can read"
