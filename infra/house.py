"""The house behind the handlers: the writer for commands, the read models for reads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import datetime
from typing import TypeVar

from anyio import to_thread
from eventsourcing.persistence import PersistenceError
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from api.house import Answer, Command, Health, QueueHealth, Unavailable
from domain.errors import Forbidden
from infra.clock import LedgerClock
from infra.database import open_database
from infra.event_log import EventLog
from infra.memory_books import MemoryBooks
from infra.projector import Projector
from infra.settings import Settings
from infra.sqlite_database import own_folder
from infra.writer import Writer
from projections.all import projections
from projections.live_capacity import LiveCapacity
from projections.live_loading import load_live_capacity
from projections.projection import Recorded

T = TypeVar("T")

CAPACITY = "capacity"
"""The projection that the live view is loaded from."""


class TallystickHouse:
    """`api.house.House`. Open it within a running event loop, and close it when that ends."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._clock = LedgerClock()
        self._owned = ExitStack()
        self._database = open_database(settings)
        self._log = EventLog(self._database)
        self._projector = Projector(self._database, self._log, projections())
        self._writer = Writer(
            self._database,
            self._log,
            self._open_books,
            self._clock,
            queue_limit=settings.queue_limit,
            batch_limit=settings.batch_limit,
            snapshot_every=settings.snapshot_every,
        )

    async def open(self) -> None:
        if self._settings.engine == "sqlite":
            self._owned.enter_context(own_folder(self._settings.data))
        await to_thread.run_sync(self._database.create_tables)
        await to_thread.run_sync(self._projector.create_tables)
        await self._writer.start()
        if self._settings.run_projector:
            self._projector.start()

    async def close(self) -> None:
        await self._writer.stop()
        await to_thread.run_sync(self._projector.stop)
        self._database.close()
        self._owned.close()

    # --- For the handlers -------------------------------------------------------------------------

    def now(self) -> datetime:
        return self._clock.now()

    async def submit(self, command: Command) -> Answer:
        if command.at is not None and self._settings.client_time == "refuse":
            raise Forbidden(
                "client_time_refused",
                "this service keeps its own time: it runs with TALLYSTICK_CLIENT_TIME=refuse",
            )
        return await self._writer.submit(command)

    async def live(self, read: Callable[[LiveCapacity], T]) -> T:
        found: T = await self._writer.live(read)
        return found

    async def query(self, read: Callable[[Connection], T], of: str) -> T:
        """Read one projection's tables once it has reached the log's head."""
        return await self._in_thread(lambda: self._query(read, of))

    async def events(self, positions: Sequence[int]) -> list[Recorded]:
        found = await self._in_thread(lambda: self._log.at_positions(positions))
        by_position = {recorded.position: recorded for recorded in found}
        return [by_position[position] for position in positions]

    async def health(self) -> Health:
        queue = QueueHealth(waiting=self._writer.waiting, limit=self._settings.queue_limit)
        try:
            async with asyncio.timeout(self._settings.read_wait_seconds):
                statuses = await self._in_thread(self._projector.statuses)
                position = await self._in_thread(self._log.head)
        except (Unavailable, TimeoutError):
            return Health(
                status="degraded",
                engine=self._settings.engine,
                position=0,
                projections=[],
                queue=queue,
            )
        following = all(status.state == "following" for status in statuses)
        return Health(
            status="ok" if following else "degraded",
            engine=self._settings.engine,
            position=position,
            projections=statuses,
            queue=queue,
        )

    # --- In worker threads ------------------------------------------------------------------------

    @staticmethod
    async def _in_thread(work: Callable[[], T]) -> T:
        try:
            return await to_thread.run_sync(work)
        except (PersistenceError, DBAPIError) as broken:
            raise Unavailable("the database cannot be reached; try again") from broken

    def _query(self, read: Callable[[Connection], T], of: str) -> T:
        head = self._log.head()
        if not self._projector.wait_for(head, of, self._settings.read_wait_seconds):
            raise Unavailable(f"the read model {of} has not reached position {head} yet")
        with self._database.read_models.connect() as connection:
            return read(connection)

    def _open_books(self) -> MemoryBooks:
        """The live view from its stored form, and then the tail of the log."""
        # SERIALIZABLE, as the rows and the position that they belong to are read together.
        engine = self._database.read_models.execution_options(isolation_level="SERIALIZABLE")
        with engine.connect() as connection:
            position = self._projector.position_in(connection, CAPACITY)
            view = load_live_capacity(connection)
        books = MemoryBooks(self._log, view, position)
        books.catch_up()
        return books
