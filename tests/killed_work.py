"""Work in processes of its own that is killed, and begun again until it is done."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy import Connection, select

from infra.build_progress import position_of
from infra.builds import WORKED_ON, Build, Builds, State
from infra.database import Database
from projections.projection import Projection
from tests.cli_processes import ROOT, environment
from tests.databases import ScratchDatabase
from tests.small_pages import BEGINS

EVENTS_A_PAGE = 100
LONGEST_SECONDS = 120.0


@contextmanager
def begun(database: ScratchDatabase, *work: str) -> Iterator[subprocess.Popen[str]]:
    """The work, just begun, in a group of processes of its own; it ends with the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.small_pages", str(EVENTS_A_PAGE), *work],
        cwd=ROOT,
        env=environment(database),
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == BEGINS
            yield process
        finally:
            if process.poll() is None:
                kill(process, whole_group=True)


def kill(process: subprocess.Popen[str], *, whole_group: bool) -> bool:
    """Kill -9. True if the process was alive until then."""
    was_alive = process.poll() is None
    if whole_group:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            assert not was_alive
    else:
        process.kill()
    return process.wait() == -signal.SIGKILL and was_alive


@dataclass
class Kills:
    """How often a process was to be killed, and where its build stood when it really was."""

    attempts: int = 0
    positions: list[int] = field(default_factory=list)

    @property
    def hits(self) -> int:
        return len(self.positions)


@dataclass(frozen=True)
class KilledBuild:
    """One build, made by a job that is killed at random moments."""

    scratch: ScratchDatabase
    database: Database
    projection: Projection

    def new(self) -> Build:
        builds = Builds(self.database.builds)
        version, oldest = self.projection.version, self.projection.oldest
        return builds.add(self.projection.name, version, oldest, "building", "if_equal")

    def undisturbed(self) -> float:
        """Make a build, and measure how many seconds the job works."""
        build = self.new()
        with begun(self.scratch, *job_of(build)) as process:
            started = time.monotonic()
            assert process.wait(timeout=LONGEST_SECONDS) == 0
            took = time.monotonic() - started
        assert self._state(build) == "serving"
        return took

    def under_kills(self, chance: random.Random, longest: float, most: int, kills: Kills) -> None:
        """Make a build; kill its job within so many seconds of each beginning.

        One kill in three hits the job alone: the processes of its parts end by themselves, a little
        later, and may still write beside those of the next job.
        """
        build = self.new()
        deadline = time.monotonic() + LONGEST_SECONDS
        hits = 0
        while (state := self._state(build)) != "serving":
            assert state in WORKED_ON, f"{build} is {state}"
            assert time.monotonic() < deadline, f"{build} is never done"
            with begun(self.scratch, *job_of(build)) as process:
                if hits == most:
                    process.wait(timeout=LONGEST_SECONDS)
                    continue
                kills.attempts += 1
                if killed_within(process, chance.uniform(0, longest), chance.random() < 2 / 3):
                    hits += 1
                    kills.positions.append(position(self.database, build))

    def _state(self, build: Build) -> State:
        record = Builds(self.database.builds).get(build)
        assert record is not None
        return record.state


def job_of(build: Build) -> tuple[str, ...]:
    return ("rebuild", build.name, str(build.version), str(build.number))


def killed_within(process: subprocess.Popen[str], seconds: float, whole_group: bool) -> bool:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return kill(process, whole_group=whole_group)
    return False


def position(database: Database, build: Build) -> int:
    """Where the build's tables are; 0 while there are none."""
    with database.read_models(build.place).connect() as connection:
        if not connection.dialect.has_table(connection, "build_progress"):
            return 0
        return position_of(connection)


def serving_dump(database: Database, projection: Projection) -> list[str]:
    record = Builds(database.builds).serving(projection.name)
    assert record is not None
    engine = database.read_models(record.build.place, version=record.build.version)
    with engine.connect() as connection:
        return dump(connection, projection)


def dump(connection: Connection, projection: Projection) -> list[str]:
    """Every row of a projection's tables, written out and sorted."""
    return sorted(
        f"{table.name} {tuple(row)!r}"
        for table in projection.metadata.sorted_tables
        for row in connection.execute(select(table))
    )


def require_same(dumped: list[str], expected: list[str]) -> None:
    """Says the first row that differs; a comparison of all of them would take minutes to print."""
    if dumped != expected:
        first = next(
            (pair for pair in zip(dumped, expected, strict=False) if pair[0] != pair[1]), None
        )
        raise AssertionError(f"{len(dumped)} rows, {len(expected)} expected; first other: {first}")


def wait_for(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + LONGEST_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain until {what}"
        time.sleep(0.02)
