"""Webhooks as they are stored: a table beside the log, in the log's own database.

It cannot be built again from the log, so its commits are synced to the disk, as the log's are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Integer,
    MetaData,
    String,
    Table,
    delete,
    func,
    insert,
    select,
    update,
)

from domain.times import to_micros
from infra.database import Database

METADATA = MetaData()
WEBHOOKS = Table(
    "webhooks",
    METADATA,
    Column("name", String, primary_key=True),
    Column("url", String, nullable=False),
    Column("secret", String),
    Column("mode", String, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("state", String, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("last_error", String),
    Column("next_try_at", BigInteger),
    Column("updated_at", BigInteger, nullable=False),
    # Counts what operators changed. A delivery under an older number stores nothing any more.
    Column("revision", BigInteger, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Webhook:
    """A row. Times are microseconds since 1970."""

    name: str
    url: str
    secret: str | None
    mode: str
    position: int
    state: str
    failures: int
    last_error: str | None
    next_try_at: int | None
    updated_at: int
    revision: int


def now() -> int:
    return to_micros(datetime.now(UTC))


class WebhookTable:
    def __init__(self, database: Database) -> None:
        self._database = database
        # What is read before it is written is locked from the start; elsewhere this means nothing.
        self._changing = database.durable.execution_options(sqlite_begin="IMMEDIATE")

    def create(self) -> None:
        with self._database.turn():
            METADATA.create_all(self._database.durable)

    def all(self) -> list[Webhook]:
        with self._database.durable.connect() as connection:
            rows = connection.execute(select(WEBHOOKS).order_by(WEBHOOKS.c.name))
            return [Webhook(*row) for row in rows]

    def find(self, name: str) -> Webhook | None:
        with self._database.durable.connect() as connection:
            return _find(connection, name)

    def change(self, name: str, decide: Callable[[Webhook | None, int], Webhook | None]) -> None:
        """Store what comes of it, or nothing, under a new revision; by an operator.

        `decide` also gets the number of all webhooks.
        """
        with self._database.turn(), self._changing.begin() as connection:
            count = connection.scalar(select(func.count()).select_from(WEBHOOKS)) or 0
            changed = decide(_find(connection, name), count)
            connection.execute(delete(WEBHOOKS).where(WEBHOOKS.c.name == name))
            if changed is not None:
                # A time, so that no name that is used again meets a number of its old self.
                values = {**asdict(changed), "revision": now(), "updated_at": now()}
                connection.execute(insert(WEBHOOKS).values(values))

    def report(self, webhook: Webhook, **values: Any) -> bool:
        """By its delivery. False if an operator changed or removed it meanwhile."""
        mine = (WEBHOOKS.c.name == webhook.name) & (WEBHOOKS.c.revision == webhook.revision)
        with self._database.durable.begin() as connection:
            done = connection.execute(
                update(WEBHOOKS).where(mine).values({**values, "updated_at": now()})
            )
            return done.rowcount > 0


def _find(connection: Connection, name: str) -> Webhook | None:
    row = connection.execute(select(WEBHOOKS).where(WEBHOOKS.c.name == name)).one_or_none()
    return None if row is None else Webhook(*row)
