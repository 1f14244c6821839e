"""The house behind the handlers: the writer for commands, the read models for reads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import datetime
from typing import TypeVar, cast

from anyio import to_thread
from eventsourcing.persistence import PersistenceError
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from api.house import (
    Answer,
    BuildAction,
    Command,
    Health,
    ProjectionHealth,
    QueueHealth,
    SwitchRule,
    Unavailable,
)
from domain.books import Books
from domain.errors import Forbidden
from infra.clock import LedgerClock
from infra.database import open_database
from infra.event_log import EventLog
from infra.log_watch import LogWatch
from infra.memory_books import MemoryBooks
from infra.proofs import LedgerProofs
from infra.read_models import ReadModels
from infra.recent_wishes import recent_wishes
from infra.seal_rounds import SealRounds
from infra.sealer import Sealer
from infra.settings import Settings
from infra.sqlite_database import own_folder
from infra.webhook_rounds import WebhookRounds
from infra.webhook_table import WebhookTable
from infra.webhooks import OperatorsWebhooks
from infra.writer import Writer
from projections.live_capacity import LiveCapacity
from projections.projection import Recorded

T = TypeVar("T")


class TallystickHouse:
    """`api.house.House`. Open it within a running event loop, and close it when that ends."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._clock = LedgerClock()
        self._owned = ExitStack()
        self._database = open_database(settings)
        self._log = EventLog(self._database)
        self._read_models = ReadModels(settings, self._database, self._log)
        self._writer = Writer(
            self._database,
            self._log,
            self._open_books,
            self._clock,
            queue_limit=settings.queue_limit,
            batch_limit=settings.batch_limit,
            snapshot_every=settings.snapshot_every,
        )
        self._watch = LogWatch(self._log.head)
        self._webhook_table = WebhookTable(self._database)
        self._webhook_rounds = WebhookRounds(
            self._database, self._log, self._watch, self._webhook_table, settings
        )
        self.webhooks = OperatorsWebhooks(
            self._webhook_table, self._log.head, self._in_thread, self._webhook_rounds.look
        )
        self.event_source = settings.event_source
        self._seal_rounds = SealRounds(
            Sealer(settings, self._database, self._log), settings.seal_seconds
        )
        self.proofs = LedgerProofs(settings, self._database, self._log, self._in_thread)

    async def open(self) -> None:
        if self._settings.engine == "sqlite":
            self._owned.enter_context(own_folder(self._settings.data))
        await to_thread.run_sync(self._database.create_tables)
        await to_thread.run_sync(self._read_models.declare)
        await self._writer.start()
        if self._settings.run_projector:
            self._read_models.start()
        await to_thread.run_sync(self._webhook_table.create)
        self._webhook_rounds.start()
        self._seal_rounds.start()

    async def close(self) -> None:
        await self._webhook_rounds.stop()
        await self._watch.close()
        await self._writer.stop()
        await to_thread.run_sync(self._seal_rounds.stop)
        await to_thread.run_sync(self._read_models.stop)
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
        return await self.ask(lambda books: read(cast(MemoryBooks, books).view))

    async def ask(self, question: Callable[[Books], T]) -> T:
        found: T = await self._writer.ask(question)
        return found

    async def query(self, read: Callable[[Connection], T], of: str) -> T:
        """Read one projection's tables once it has reached the log's head."""
        return await self._in_thread(lambda: self._read_models.query(read, of))

    async def projections(self) -> list[ProjectionHealth]:
        return await self._in_thread(self._read_models.statuses)

    async def rebuild(self, name: str, switch: SwitchRule) -> ProjectionHealth:
        return await self._in_thread(lambda: self._read_models.rebuild(name, switch))

    async def steer_build(self, name: str, version: str, action: BuildAction) -> None:
        await self._in_thread(lambda: self._read_models.steer(name, version, action))

    async def events(self, positions: Sequence[int]) -> list[Recorded]:
        found = await self._in_thread(lambda: self._log.at_positions(positions))
        by_position = {recorded.position: recorded for recorded in found}
        return [by_position[position] for position in positions]

    async def log(self, after: int, limit: int) -> list[Recorded]:
        return await self._in_thread(lambda: self._log.read(after, limit))

    async def head(self) -> int:
        return await self._in_thread(self._log.head)

    async def beyond(self, position: int, seconds: float) -> int:
        return await self._watch.beyond(position, seconds)

    def hang_up(self) -> None:
        self._watch.stop()

    async def health(self) -> Health:
        queue = QueueHealth(
            waiting=self._writer.waiting,
            limit=self._settings.queue_limit,
            decided=self._writer.decided,
            decided_again=self._writer.decided_again,
        )
        try:
            async with asyncio.timeout(self._settings.read_wait_seconds):
                statuses = await self._in_thread(self._read_models.statuses)
                position = await self._in_thread(self._log.head)
        except (Unavailable, TimeoutError):
            return Health(
                status="degraded",
                engine=self._settings.engine,
                position=0,
                projections=[],
                queue=queue,
            )
        following = all(one.state == "following" for one in statuses if one.serving)
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

    def _open_books(self) -> MemoryBooks:
        """The live view from its stored form, and then the tail of the log."""
        view, position = self._read_models.load_live_view()
        view.mix.begin(position, recent_wishes(self._log, position))
        books = MemoryBooks(self._log, view, position, self._settings.preference)
        books.catch_up()
        return books
