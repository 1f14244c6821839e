"""Which webhooks this process delivers: all of the active ones, or none.

A lock of the database lets one process at a time deliver. It is held by a transaction that writes
nothing, so it is free again the moment its process is gone, however that ended. A process that lost
its connection may deliver what is in flight while the next one begins: those events come twice.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx
from anyio import to_thread
from eventsourcing.persistence import PersistenceError
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from api.house import Stopping
from infra.database import Database
from infra.event_log import EventLog
from infra.log_watch import LogWatch
from infra.settings import Settings
from infra.webhook_delivery import Changed, Delivery, Ways
from infra.webhook_table import Webhook, WebhookTable

logger = logging.getLogger(__name__)

ROUND_SECONDS = 1.0
"""How soon another process's change, or its end, is noticed."""
LOCK = "webhooks"


@dataclass(slots=True)
class Running:
    delivery: Delivery
    task: asyncio.Task[None]


class WebhookRounds:
    def __init__(
        self,
        database: Database,
        log: EventLog,
        watch: LogWatch,
        table: WebhookTable,
        settings: Settings,
    ) -> None:
        self._database = database
        self._log = log
        self._watch = watch
        self._table = table
        self._settings = settings
        self._client: httpx.AsyncClient | None = None
        self._lock: Connection | None = None
        self._running: dict[str, Running] = {}
        self._changed = asyncio.Event()
        self._stopping = False
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="webhooks")

    async def stop(self) -> None:
        """Stopped in good order it keeps every position, and so repeats nothing."""
        self._stopping = True
        self._changed.set()
        if self._task is not None:
            # Not cancelled: that would leave its thread behind, at work on a closed database.
            await self._task
        await self._end(list(self._running))
        await to_thread.run_sync(self._release)
        if self._client is not None:
            await self._client.aclose()

    def look(self) -> None:
        """An operator changed something here: do not wait for the next round."""
        self._changed.set()

    async def _run(self) -> None:
        while not self._stopping:
            self._changed.clear()
            try:
                active = await to_thread.run_sync(self._ours)
                await self._match({one.name: one for one in active})
            except (PersistenceError, SQLAlchemyError) as broken:
                logger.warning("webhooks wait for the database: %s", broken)
                await self._end(list(self._running))
            except Exception:
                logger.exception("the webhooks could not be delivered; it is tried again")
            try:
                async with asyncio.timeout(ROUND_SECONDS):
                    await self._changed.wait()
            except TimeoutError:
                pass

    # --- In a thread ------------------------------------------------------------------------------

    def _ours(self) -> list[Webhook]:
        """The active webhooks, if this process is the one that delivers."""
        active = [one for one in self._table.all() if one.state == "active"]
        if not active:
            self._release()
            return []
        try:
            if self._lock is None:
                self._lock = self._database.durable.connect()
                self._lock.begin()
            # Asked again in every round, which a transaction that has it already is granted: so it
            # is found out if the connection, and with it the lock, is lost.
            if self._database.try_lock(self._lock, LOCK):
                return active
        except SQLAlchemyError:
            self._release()
            raise
        self._release()
        return []

    def _release(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    # --- Deliveries -------------------------------------------------------------------------------

    async def _match(self, active: dict[str, Webhook]) -> None:
        """Let those run that should, as they are now, and no others."""
        await self._end(
            name
            for name, running in list(self._running.items())
            if running.task.done()
            or name not in active
            or active[name].revision != running.delivery.webhook.revision
        )
        for name in active.keys() - self._running.keys():
            delivery = Delivery(await self._ways(), active[name])
            task = asyncio.create_task(delivery.run(), name=f"webhook {name}")
            self._running[name] = Running(delivery, task)

    async def _end(self, names: Iterable[str]) -> None:
        for name in names:
            running = self._running.pop(name)
            running.task.cancel()
            (ended,) = await asyncio.gather(running.task, return_exceptions=True)
            if isinstance(ended, Exception) and not isinstance(ended, Changed | Stopping):
                logger.warning("webhook %s broke off, and goes on: %r", name, ended)
            try:
                await running.delivery.store()
            except (Changed, PersistenceError, SQLAlchemyError) as lost:
                logger.info("webhook %s will repeat some events: %r", name, lost)

    async def _ways(self) -> Ways:
        if self._client is None:
            self._client = await to_thread.run_sync(_client)  # It reads all certificates.
        return Ways(
            log=self._log,
            watch=self._watch,
            table=self._table,
            client=self._client,
            event_source=self._settings.event_source,
            timeout_seconds=self._settings.webhook_timeout_seconds,
        )


def _client() -> httpx.AsyncClient:
    """Keeps connections, but no cookies, and follows nobody elsewhere. A POST has its own limit of
    time. The environment's proxies are for these calls."""
    no_cookies = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
    return httpx.AsyncClient(timeout=None, cookies=no_cookies)  # noqa: S113 - see above.
