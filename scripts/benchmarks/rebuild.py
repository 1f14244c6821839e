"""How fast read models are built anew from a long log, and what that takes of memory.

The real job builds each projection, as a process of its own; the library's own runner does the same
over the log's beginning, in the same run.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from domain.events import Event
from infra.builds import Build, Builds
from infra.database import Database, open_database
from infra.event_log import EventLog
from infra.settings import Settings
from projections.all import projections
from scripts.benchmarks.library_runner import runner_rate
from scripts.benchmarks.made_log import made_log
from scripts.benchmarks.resident import resident_mebibytes

REBUILT = ("capacity", "claims", "requests", "history")
AT_ONCE = 1_000
LOOK_SECONDS = 0.05
MARK_PER_SECOND = 100_000
MARK_RATIO = 100


class RebuildFailed(Exception):
    """A build did not come to serve."""


@dataclass(frozen=True, kw_only=True)
class Rebuilt:
    """`per_second` are events of the whole log over the job's whole time, its start included."""

    names: tuple[str, ...]
    events: int
    seconds: float
    mebibytes: float
    runner_per_second: float | None = None

    @property
    def per_second(self) -> float:
        return self.events / self.seconds


def measure(
    settings: Settings, events: int, runner_events: int, seed: int, say: Callable[[str], None]
) -> list[Rebuilt]:
    """Each projection alone, then all at once; claims first over the first half of the log."""
    database = open_database(settings)
    try:
        database.create_tables()
        Builds(database.builds).create_tables()
        log = EventLog(database)
        making = made_log(events, seed=seed)
        fill(log, making, events // 2, say)
        half = _rebuild(settings, database, ["claims"], say)
        fill(log, making, events, say)
        found = [half]
        for name in REBUILT:
            rebuilt = _rebuild(settings, database, [name], say)
            say(f"the library's runner: {name}")
            projection = next(one for one in projections() if one.name == name)
            rate = runner_rate(database, projection, runner_events)
            found.append(replace(rebuilt, runner_per_second=rate))
        found.append(_rebuild(settings, database, REBUILT, say))
        return found
    finally:
        database.close()


def fill(log: EventLog, making: Iterator[Event], until: int, say: Callable[[str], None]) -> None:
    while (head := log.head()) < until and (batch := list(islice(making, AT_ONCE))):
        log.append(batch)
        if head % 50_000 < AT_ONCE:
            say(f"making the log: {head:,} of {until:,}")


def _rebuild(
    settings: Settings, database: Database, names: Sequence[str], say: Callable[[str], None]
) -> Rebuilt:
    builds = Builds(database.builds)
    events = EventLog(database).head()
    say(f"rebuilding {', '.join(names)} over {events:,} events")
    declared = [one for one in projections() if one.name in names]
    made = [builds.add(one.name, one.version, one.oldest, "building", "never") for one in declared]
    started = time.perf_counter()
    jobs = [_job(settings, build) for build in made]
    most = 0.0
    while any(job.poll() is None for job in jobs):
        most = max(most, resident_mebibytes([job.pid for job in jobs]))
        time.sleep(LOOK_SECONDS)
    seconds = time.perf_counter() - started
    for build in made:
        record = builds.get(build)
        if record is None or record.state != "ready":
            raise RebuildFailed(f"{build} is {record and record.state}")
        builds.remove(build)
        database.drop_place(build.place)
    return Rebuilt(names=tuple(names), events=events, seconds=seconds, mebibytes=most)


def _job(settings: Settings, build: Build) -> subprocess.Popen[bytes]:
    which = [build.name, str(build.version), str(build.number)]
    return subprocess.Popen(
        [sys.executable, "-m", "infra.rebuild", *which],
        cwd=Path(__file__).resolve().parents[2],
        env=os.environ | settings.environment(),
    )
