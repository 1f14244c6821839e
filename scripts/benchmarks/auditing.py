"""How fast bills are audited by DuckDB: from the log, in its Parquet archive or its database, to
intervals, and from these to totals and digests.

Each run is a process of its own, so that its memory can be told: over half of the log, and over all
of it.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, closing
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from pathlib import Path

from infra.audit.log_source import ArchiveSource, DatabaseSource, LogSource
from infra.audit.replay import Asked, Publication, open_replay
from infra.database import Database, open_database
from infra.event_log import EventLog
from infra.settings import Settings
from scripts.benchmarks.billed_log import BOOK, fill_database, write_archive
from scripts.benchmarks.billing import END, START, projects_of

MARK_PER_SECOND = 1_000_000
"""Of intervals rated, once they are read."""
IN_DATABASE = 10
"""One of so many intervals is also audited from a database."""


@dataclass(frozen=True, kw_only=True)
class Audited:
    """`read_seconds`: from the log to intervals; `rate_seconds`: from these to all bills. `totals`
    by project."""

    source: str
    events: int
    intervals: int
    lines: int
    read_seconds: float
    rate_seconds: float
    mebibytes: float
    totals: Mapping[str, Decimal] = field(repr=False)

    @property
    def seconds(self) -> float:
        return self.read_seconds + self.rate_seconds

    @property
    def per_second(self) -> float:
        return self.intervals / self.seconds

    @property
    def rated_per_second(self) -> float:
        return self.intervals / self.rate_seconds

    @property
    def total(self) -> Decimal:
        return sum(self.totals.values(), Decimal(0))


def measure_audits(
    intervals: int, seed: int, folder: Path | None, say: Callable[[str], None]
) -> list[Audited]:
    """From a database a part of the intervals; from an archive half of them, and all."""
    projects = projects_of(intervals)
    runs: list[tuple[str, Callable[[Path, int, int], None], int]] = [
        ("database", _fill_database, IN_DATABASE),
        ("archive", write_archive, 2),
        ("archive", write_archive, 1),
    ]
    found = []
    for source, write, part in runs:
        some = -(-projects // part)
        with tempfile.TemporaryDirectory(prefix="tallystick-", dir=folder) as own:
            log = Path(own) / source
            log.mkdir()
            say(f"writing the log of {some:,} projects")
            write(log, some, seed)
            say(f"auditing {some:,} projects from the {source}")
            found.append(_measure(source, log))
    return found


def _fill_database(folder: Path, projects: int, seed: int) -> None:
    with _database(folder) as database:
        database.create_tables()
        fill_database(database, projects, seed)


def _database(folder: Path) -> AbstractContextManager[Database]:
    return closing(open_database(Settings(data=folder)))


def _measure(source: str, folder: Path) -> Audited:
    done = subprocess.run(
        [sys.executable, "-m", "scripts.benchmarks.auditing", source, str(folder)],
        stdout=subprocess.PIPE,
        check=True,
    )
    told = json.loads(done.stdout)
    totals = {project_id: Decimal(total) for project_id, total in told.pop("totals").items()}
    return Audited(totals=totals, **told)


def audit_all(source: str, folder: Path) -> Audited:
    if source == "archive":
        return _audit(source, ArchiveSource.of(folder), folder)
    with _database(folder) as database:
        return _audit(source, DatabaseSource(EventLog(database)), folder)


def _audit(name: str, source: LogSource, folder: Path) -> Audited:
    with open_replay(folder.parent) as replay:
        began = time.perf_counter()
        replay.load(source, lambda *_: None)
        read = time.perf_counter()
        asked = [Asked(one, source.head) for one in replay.projects(START, END, source.head)]
        bills = [
            one
            for some in replay.recompute(Publication(BOOK, 1), START, END, asked)
            for one in some.values()
        ]
        rated = time.perf_counter()
        counted = replay.connection.execute("SELECT count(*) FROM intervals").fetchone()
    assert counted is not None
    return Audited(
        source=name,
        events=source.head,
        intervals=counted[0],
        lines=sum(one.lines for one in bills),
        read_seconds=read - began,
        rate_seconds=rated - read,
        mebibytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        totals={one.asked.project_id: Decimal(one.total) for one in bills},
    )


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asdict(audit_all(sys.argv[1], Path(sys.argv[2]))), default=str))
