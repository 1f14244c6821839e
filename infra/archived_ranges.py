"""Which ranges of the log are archived: a small table beside the log, synced as the log is.

The ranges join each other from position 1 on, and are pruned in this order: so one number, how far
the log is pruned, tells a reader what to take from files.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    MetaData,
    String,
    Table,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.schema import CreateTable


class ArchiveDamaged(Exception):
    """An archive file is missing, unreadable, or not what it was when it was written."""

    def __init__(self, path: Path, what: str) -> None:
        super().__init__(f"{path}: {what}")
        self.path = path


class Contents(NamedTuple):
    """What a file says that it holds."""

    first: int
    last: int
    events: int
    digest: str


RANGES = Table(
    "archived_ranges",
    MetaData(),
    Column("first", BigInteger, primary_key=True, autoincrement=False),
    Column("last", BigInteger, nullable=False),
    Column("file", String, nullable=False),
    Column("events", BigInteger, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("digest", String, nullable=False),
    # Microseconds since 1970.
    Column("archived_at", BigInteger, nullable=False),
    Column("verified_at", BigInteger),
    Column("pruned_at", BigInteger),
    Column("kept", BigInteger),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivedRange:
    """`file` is a name in the archive folder. From `pruned_at` on, readers take the range from it.

    `kept` is the number of its events that the database keeps, known once pruning has ended.
    """

    first: int
    last: int
    file: str
    events: int
    bytes: int
    digest: str
    archived_at: int
    verified_at: int | None = None
    pruned_at: int | None = None
    kept: int | None = None

    @property
    def contents(self) -> Contents:
        return Contents(self.first, self.last, self.events, self.digest)


def create_table(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(CreateTable(RANGES, if_not_exists=True))


def all_ranges(engine: Engine) -> list[ArchivedRange]:
    with engine.connect() as connection:
        rows = connection.execute(select(RANGES).order_by(RANGES.c.first)).mappings()
        return [ArchivedRange(**row) for row in rows]


def pruned_until(connection: Connection) -> int:
    """The last position that readers take from a file; 0 if there is none."""
    newest = select(func.max(RANGES.c.last)).where(RANGES.c.pruned_at.is_not(None))
    return connection.scalar(newest) or 0


def add_range(engine: Engine, one: ArchivedRange) -> None:
    values = {column.name: getattr(one, column.name) for column in RANGES.columns}
    with engine.begin() as connection:
        connection.execute(insert(RANGES).values(values))


def mark(engine: Engine, one: ArchivedRange, **values: int) -> None:
    """Set some of `verified_at`, `pruned_at` and `kept`."""
    with engine.begin() as connection:
        connection.execute(update(RANGES).where(RANGES.c.first == one.first).values(values))
