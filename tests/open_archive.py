"""A random log with most of it archived, and ways to look below it."""

import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import text

from infra.archive import Archive
from infra.log_rows import LogRow
from projections.projection import Recorded
from tests.open_ledger import OpenLedger
from tests.projected_log import random_log

SEED = 11
STEPS = 350
PER_FILE = 100
LEFT = 55
"""Events at the end that are not archived."""


@cache
def random_events() -> list[Recorded]:
    with tempfile.TemporaryDirectory() as folder:
        return random_log(Path(folder), SEED, STEPS)


def fill(ledger: OpenLedger) -> list[Recorded]:
    """Append the random log to an empty one."""
    events = random_events()
    ledger.log.append([recorded.event for recorded in events])
    return events


def archive_most(ledger: OpenLedger) -> Archive:
    made = Archive(ledger.database)
    made.create(ledger.log.head() - LEFT, PER_FILE, quiet)
    return made


def quiet(done: int, of: int) -> None: ...


def stored(ledger: OpenLedger) -> list[LogRow]:
    """The database's own rows."""
    return ledger.database.select_range(0, 1_000_000)


def execute(ledger: OpenLedger, statement: str, **values: Any) -> None:
    """With the engine's own word for the position."""
    written = statement.replace("POSITION", ledger.database.position_column)
    with ledger.database.durable.begin() as connection:
        connection.execute(text(written), values)
