"""Sealing as the log grows: a thread of the service that gives way to those who write."""

from __future__ import annotations

import logging
import time
from threading import Event, Thread

from eventsourcing.persistence import PersistenceError
from sqlalchemy.exc import SQLAlchemyError

from infra.sealer import MOST_EVENTS, Sealer

logger = logging.getLogger(__name__)

PAGE = 500
"""Events between two rests: some milliseconds of work."""
REST_FOR_WORK = 2.0
LONGEST_REST_SECONDS = 0.5


class SealRounds:
    def __init__(self, sealer: Sealer, every_seconds: float) -> None:
        self._sealer = sealer
        self._every_seconds = every_seconds
        self._stopping = Event()
        self._began = 0.0
        self._thread = Thread(target=self._run, name="sealer", daemon=True)

    def start(self) -> None:
        if self._every_seconds > 0:
            self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(self._every_seconds):
            try:
                self._seal_all()
            except (PersistenceError, SQLAlchemyError) as broken:
                logger.warning("sealing waits for the database: %s", broken)
            except Exception as broken:
                logger.exception("the log cannot be sealed: %s", broken)  # noqa: TRY401

    def _seal_all(self) -> None:
        """Up to the head; a round that is not full has reached it."""
        sealed = MOST_EVENTS
        while sealed == MOST_EVENTS and not self._stopping.is_set():
            self._began = time.monotonic()
            sealed = self._sealer.seal(page=PAGE, rest=self._rest)

    def _rest(self) -> None:
        worked = time.monotonic() - self._began
        self._stopping.wait(min(LONGEST_REST_SECONDS, REST_FOR_WORK * worked))
        self._began = time.monotonic()
