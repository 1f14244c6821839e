"""How fast bills are audited: the log, from its Parquet archive to totals and digests, by DuckDB.

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
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from pathlib import Path

from infra.audit.log_source import ArchiveSource
from infra.audit.replay import Asked, Publication, open_replay
from scripts.benchmarks.billed_log import BOOK, write_log
from scripts.benchmarks.billing import END, START, projects_of

MARK_PER_SECOND = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Audited:
    """`read_seconds`: from the files to intervals; `rate_seconds`: from these to all bills.
    `totals` by project."""

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
    def total(self) -> Decimal:
        return sum(self.totals.values(), Decimal(0))


def measure_audits(
    intervals: int, seed: int, folder: Path | None, say: Callable[[str], None]
) -> list[Audited]:
    """Over half of the intervals, and over all of them."""
    found = []
    for projects in (-(-projects_of(intervals) // 2), projects_of(intervals)):
        with tempfile.TemporaryDirectory(prefix="tallystick-", dir=folder) as own:
            archive = Path(own) / "archive"
            archive.mkdir()
            say(f"writing the log of {projects:,} projects")
            write_log(archive, projects, seed)
            say(f"auditing {projects:,} projects")
            found.append(_measure(archive))
    return found


def _measure(folder: Path) -> Audited:
    done = subprocess.run(
        [sys.executable, "-m", "scripts.benchmarks.auditing", str(folder)],
        stdout=subprocess.PIPE,
        check=True,
    )
    told = json.loads(done.stdout)
    totals = {project_id: Decimal(total) for project_id, total in told.pop("totals").items()}
    return Audited(totals=totals, **told)


def audit_archive(folder: Path) -> Audited:
    source = ArchiveSource.of(folder)
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
        events=source.head,
        intervals=counted[0],
        lines=sum(one.lines for one in bills),
        read_seconds=read - began,
        rate_seconds=rated - read,
        mebibytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        totals={one.asked.project_id: Decimal(one.total) for one in bills},
    )


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asdict(audit_archive(Path(sys.argv[1]))), default=str))
