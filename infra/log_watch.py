"""Waiting for the log to grow: one look at its head for all who wait in this process."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

from anyio import to_thread
from eventsourcing.persistence import PersistenceError

from api.house import Stopping

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.05
"""How often the head is looked at while anybody waits; it is not while nobody does."""
POLL_SECONDS_WITHOUT_DATABASE = 1.0


class LogWatch:
    """Belongs to the event loop that it is used on; the head is read in a thread."""

    def __init__(self, head: Callable[[], int]) -> None:
        self._read_head = head
        self._head = 0
        self._waiting = 0
        self._stopped = False
        self._moved = asyncio.Event()
        self._looking: asyncio.Task[None] | None = None

    async def beyond(self, position: int, seconds: float) -> int:
        """`api.house.House.beyond`."""
        if self._stopped:
            raise Stopping
        deadline = time.monotonic() + seconds
        self._waiting += 1
        try:
            while self._head <= position and not self._stopped:
                if self._looking is None:
                    self._looking = asyncio.create_task(self._look(), name="log watch")
                try:
                    async with asyncio.timeout(deadline - time.monotonic()):
                        await self._moved.wait()
                except TimeoutError:
                    break
        finally:
            self._waiting -= 1
        if self._stopped:
            raise Stopping
        return self._head

    def stop(self) -> None:
        """Send away all who wait, and who come later."""
        self._stopped = True
        self._wake()

    async def close(self) -> None:
        self.stop()
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)

    def _wake(self) -> None:
        self._moved.set()
        self._moved = asyncio.Event()

    async def _look(self) -> None:
        try:
            while self._waiting and not self._stopped:
                rest = await self._look_once()
                await asyncio.sleep(rest)
        finally:
            self._looking = None

    async def _look_once(self) -> float:
        """Returns how long to rest before the next look."""
        try:
            head = await to_thread.run_sync(self._read_head)
        except PersistenceError as broken:
            logger.warning("the log's head cannot be read: %s", broken)
            return POLL_SECONDS_WITHOUT_DATABASE
        if head > self._head:
            self._head = head
            self._wake()
        return POLL_SECONDS
