"""Pushing the log to one webhook's receiver: in order, at least once, from where it is.

The position is stored after the receiver's 2xx, but not at every POST: its commits share the disk
with the log's. Whatever was delivered after the last stored position is delivered again by the
process that takes over from one that was killed; a receiver tells repetitions by their ids.
"""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass

import httpx
from anyio import to_thread
from eventsourcing.persistence import MapperDeserialisationError

from infra.event_log import EventLog
from infra.log_watch import LogWatch
from infra.webhook_post import Outcome, Parcel, parcels, post
from infra.webhook_table import Webhook, WebhookTable, now

BATCH = 100
STORE_SECONDS = 0.2
"""The least time between two commits of the position."""
IDLE_SECONDS = 60.0
FIRST_RETRY_SECONDS = 0.25
LONGEST_RETRY_SECONDS = 300.0


class Changed(Exception):
    """An operator changed, paused or removed the webhook: this delivery of it is over."""


@dataclass(frozen=True, slots=True)
class Ways:
    """What every delivery of a process shares."""

    log: EventLog
    watch: LogWatch
    table: WebhookTable
    client: httpx.AsyncClient
    event_source: str
    timeout_seconds: float


class Delivery:
    def __init__(self, ways: Ways, webhook: Webhook) -> None:
        self.webhook = webhook
        self._ways = ways
        self._position = webhook.position
        self._failures = webhook.failures
        self._has_news = False
        self._stored_at = 0.0

    async def run(self) -> None:
        """Until it is cancelled, the receiver is Gone, or one of Changed and Stopping is raised."""
        if self.webhook.next_try_at is not None:
            await asyncio.sleep((self.webhook.next_try_at - now()) / 1_000_000)
        while True:
            patience = STORE_SECONDS if self._has_news else IDLE_SECONDS
            await self._ways.watch.beyond(self._position, patience)
            for parcel in await self._next_parcels():
                if not await self._deliver(parcel):
                    return
                await self._store_if_due()
            await self._store_if_due()

    async def store(self) -> None:
        """Keep what the receiver has accepted. Raises Changed."""
        if self._has_news:
            self._has_news = False
            self._stored_at = time.monotonic()
            await self._report(
                position=self._position, failures=0, last_error=None, next_try_at=None
            )

    async def _store_if_due(self) -> None:
        if time.monotonic() - self._stored_at >= STORE_SECONDS:
            await self.store()

    async def _next_parcels(self) -> list[Parcel]:
        while True:
            try:
                return await to_thread.run_sync(self._read)
            except MapperDeserialisationError as unreadable:
                await self._failed(Outcome(str(unreadable)))

    def _read(self) -> list[Parcel]:
        """In a thread, as the writer needs the loop's own: reading, and writing as JSON."""
        events = self._ways.log.read(self._position, BATCH)
        return parcels(events, self.webhook.mode, self._ways.event_source)

    async def _deliver(self, parcel: Parcel) -> bool:
        """Try until the receiver has it. False if it wants no more, ever."""
        webhook, ways = self.webhook, self._ways
        while True:
            outcome = await post(
                ways.client, webhook.url, webhook.secret, parcel, ways.timeout_seconds
            )
            if outcome.error is None:
                self._position = parcel.position
                self._failures = 0
                self._has_news = True
                return True
            if outcome.is_gone:
                self._has_news = False
                error = f"paused, as the receiver said: {outcome.error}"
                await self._report(position=self._position, state="paused", last_error=error)
                return False
            await self._failed(outcome)

    async def _failed(self, outcome: Outcome) -> None:
        """Say so, and wait before the next try."""
        self._failures += 1
        wait = max(retry_seconds(self._failures), outcome.retry_after_seconds)
        self._has_news = False
        await self._report(
            position=self._position,
            failures=self._failures,
            last_error=outcome.error,
            next_try_at=now() + round(wait * 1_000_000),
        )
        await asyncio.sleep(wait)

    async def _report(self, **values: object) -> None:
        if not await to_thread.run_sync(lambda: self._ways.table.report(self.webhook, **values)):
            raise Changed


def retry_seconds(failures: int) -> float:
    """Doubles with every failure up to five minutes; a random part of it, so that receivers that
    failed together are not called together."""
    longest = FIRST_RETRY_SECONDS * 2.0 ** min(failures - 1, 30)
    return min(longest, LONGEST_RETRY_SECONDS) * random.uniform(0.5, 1.0)
