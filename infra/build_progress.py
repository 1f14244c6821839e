"""How far a build's tables have followed the log: kept beside the tables, in the same transaction.

A build that is filled by several processes has a row for each part of the streams; one that
follows the log has one.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Integer,
    MetaData,
    Table,
    Text,
    delete,
    func,
    insert,
    inspect,
    select,
    update,
)

from infra.builds import now_micros

metadata = MetaData()
progress = Table(
    "build_progress",
    metadata,
    Column("part", Integer, primary_key=True, autoincrement=False),
    Column("position", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False, doc="microseconds since the epoch"),
    Column("error_position", BigInteger),
    Column("error", Text),
)


class Superseded(Exception):
    """Another process has moved this part on, or taken the build away."""


@dataclass(frozen=True, slots=True)
class PartProgress:
    part: int
    position: int
    updated_at: int
    error_position: int | None
    error: str | None


def parts_of(connection: Connection, *, to_change: bool = False) -> list[PartProgress]:
    """`to_change`: nobody else moves them on until the end of the transaction."""
    statement = select(progress).order_by(progress.c.part)
    found = connection.execute(statement.with_for_update() if to_change else statement)
    return [PartProgress(*row) for row in found]


def position_of(connection: Connection) -> int:
    """Where the build is as a whole: where its slowest part is."""
    return int(connection.scalar(select(func.min(progress.c.position))) or 0)


def start_parts(connection: Connection, count: int, position: int) -> None:
    """All parts, and no others, are at this position."""
    connection.execute(delete(progress))
    rows = [
        {"part": part, "position": position, "updated_at": now_micros()} for part in range(count)
    ]
    connection.execute(insert(progress), rows)


def move_part(connection: Connection, part: int, before: int, after: int) -> None:
    """Move a part on from where its reader found it. Raises Superseded."""
    moved = connection.execute(
        update(progress)
        .where(progress.c.part == part, progress.c.position == before, progress.c.error.is_(None))
        .values(position=after, updated_at=now_micros())
    )
    if moved.rowcount != 1:
        raise Superseded(f"part {part} is no longer at {before}")


def stop_part(connection: Connection, part: int, position: int, error: str) -> None:
    connection.execute(
        update(progress)
        .where(progress.c.part == part)
        .values(error_position=position, error=error, updated_at=now_micros())
    )


def clear_errors(connection: Connection) -> None:
    """Let it go on. A build that was stopped before it had tables has no errors either."""
    if not inspect(connection).has_table(progress.name):
        return
    connection.execute(update(progress).values(error_position=None, error=None))
