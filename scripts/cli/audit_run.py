"""Runs an audit: opens the log where it lies, and holds to it what is stated."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import duckdb

from domain.errors import Invalid
from domain.period import Period, period_of
from infra.archived_ranges import ArchiveDamaged
from infra.audit.kept_lines import KeptLines
from infra.audit.log_source import ArchiveSource, DatabaseSource, LogIncomplete, LogSource
from infra.audit.replay import Replay, open_replay
from infra.audit.report import AuditReport, audit
from infra.audit.stated import Stated
from infra.database import open_database
from infra.event_log import EventLog, LogGap
from scripts.cli.audit_service import told_lines, told_totals
from scripts.cli.client import ServiceClient
from scripts.cli.failure import Failure
from scripts.cli.preflight import require_ledger
from scripts.cli.progress import progress_as_told
from scripts.cli.settings import settings_from

Asked = tuple[str, str, int | None]
"""A period, a price book, and a publication of it (None: the newest)."""


def read_period(text: str) -> Period:
    try:
        return period_of(text)
    except Invalid as wrong:
        raise Failure(str(wrong)) from None


@contextmanager
def loaded_log(archive: Path | None, data: Path | None) -> Iterator[tuple[Replay, int]]:
    """A replay that has read the log, and the log's last position."""
    try:
        with open_replay() as replay, _source(archive, data) as source:
            with progress_as_told("read the log") as tell:
                replay.load(source, tell)
            yield replay, source.head
    except LogIncomplete as incomplete:
        raise Failure(
            str(incomplete), "Name the folder that `tally archive create` wrote all of the log to."
        ) from None
    except duckdb.Error as wrong:
        raise Failure(f"the log cannot be audited: {wrong}", "`tally verify` says more.") from None
    except (LogGap, ArchiveDamaged) as damaged:
        raise Failure(str(damaged), "`tally verify` says more.") from None


@contextmanager
def _source(archive: Path | None, data: Path | None) -> Iterator[LogSource]:
    if archive is not None:
        yield ArchiveSource.of(archive)
        return
    settings = settings_from(data=data)
    require_ledger(settings)
    database = open_database(settings)
    try:
        database.create_tables()
        yield DatabaseSource(EventLog(database))
    finally:
        database.close()


def run_audit(
    replay: Replay, stated: Sequence[Stated], client: ServiceClient, kept: KeptLines | None
) -> AuditReport:
    with progress_as_told("audit") as tell:
        return audit(replay, stated, lambda one: told_lines(client, one), tell, kept)


def told_bills(replay: Replay, client: ServiceClient, asked: Asked, position: int) -> list[Stated]:
    """What the service tells, also of projects that it has nothing to tell of, but the log has."""
    told, untold = told_totals(client, *asked, position)
    known = {one.project_id for one in told}
    held = replay.projects(untold.start, untold.end, position)
    return told + [replace(untold, project_id=one) for one in held if one not in known]
