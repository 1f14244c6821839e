"""How the writer decides one command: its time, its idempotency key, its outcome."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from api.house import Command, Reply
from domain.aggregate import Aggregate
from domain.errors import LedgerError
from domain.idempotency import IdempotencyKey, raise_recorded
from domain.ledger import expire_overdue
from infra.clock import LedgerClock
from infra.event_log import EventLog
from infra.memory_books import MemoryBooks

Decided = Reply | LedgerError


class Poisoned(Exception):
    """A command broke off in the middle; the books hold half of it and have to be rolled back."""

    def __init__(self, job: Any, cause: Exception) -> None:
        super().__init__(str(cause))
        self.job = job
        self.cause = cause


def decide(
    books: MemoryBooks, log: EventLog, command: Command | None, clock: LedgerClock
) -> Decided | None:
    """Record the command's events in the books and return its reply, or the error it deserves.

    None for a question, which only wants lapsed holds to be gone.
    """
    if command is None:
        expire_overdue(books, clock.now())
        return None
    at = command.at or clock.now()
    while True:
        expire_overdue(books, at)
        before = len(books.pending)
        try:
            return _with_key(books, log, command, at)
        except LedgerError as error:
            if len(books.pending) != before:
                raise RuntimeError(f"{error.code} came after events were recorded") from error
            if error.code == "time_runs_backwards" and command.at is None:
                # Another host's clock is ahead of ours: the stream's time goes on from there.
                at = datetime.fromisoformat(str(error.extras["newest"]))
                continue
            return error


def _with_key(books: MemoryBooks, log: EventLog, command: Command, at: datetime) -> Decided:
    if command.key is None:
        about, created = _run(books, command, at)
        return command.render(about, created)
    key = books.get(IdempotencyKey, command.key)
    earlier = key.earlier(command.fingerprint)
    if earlier is not None:
        if earlier.error is not None:
            raise_recorded(earlier.error)
        assert earlier.stream is not None
        assert earlier.version is not None
        return command.render(log.load_version(earlier.stream, earlier.version), earlier.created)
    before = len(books.pending)
    try:
        about, created = _run(books, command, at)
    except LedgerError as error:
        if len(books.pending) != before or error.code == "time_runs_backwards":
            raise
        books.record([key.failed(at, command.fingerprint, error)])
        return error
    books.record([key.done(at, command.fingerprint, about, created=created)])
    return command.render(about, created)


def _run(books: MemoryBooks, command: Command, at: datetime) -> tuple[Aggregate, bool]:
    before = len(books.pending)
    about = command.use_case(books, at)
    started = any(
        event.originator_version == 1 and event.originator_id == about.stream
        for event in books.pending[before:]
    )
    return about, started
