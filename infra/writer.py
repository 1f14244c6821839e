"""The one writer of a process: gathers the commands in flight, decides them one after the other,
and appends all their events together (group commit).

It is a task on the event loop, and owns the books and the live view. Deciding is pure Python, so it
runs on the loop's own thread, where it never has to fight the handlers for the interpreter; what
waits for the database runs on a second thread, while the loop takes in the next commands.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any, TypeVar

from eventsourcing.persistence import PersistenceError, StoredEvent

from api.house import Answer, Busy, Command, Unavailable
from domain.books import Books
from domain.provider import Provider
from infra.clock import LedgerClock
from infra.database import Database
from infra.deciding import Decided, Poisoned, decide
from infra.event_log import Conflicted, EventLog
from infra.memory_books import MemoryBooks

logger = logging.getLogger(__name__)

T = TypeVar("T")

MOST_ATTEMPTS = 20
"""How often a batch is decided again because other processes were first."""
BATCHES_IN_TURN = 200
"""After a conflict, so many batches are appended in turn with the other processes."""


class Job:
    """A command or a question, and the future of who waits for it."""

    __slots__ = ("command", "error", "future", "mark", "outcome", "position", "question")

    def __init__(
        self,
        future: asyncio.Future[Any],
        command: Command | None = None,
        question: Callable[[Books], Any] | None = None,
    ) -> None:
        self.future = future
        self.command = command
        self.question = question
        self.outcome: Decided | None = None
        self.error: Exception | None = None
        self.mark = 0
        self.position = 0


class Writer:
    def __init__(
        self,
        database: Database,
        log: EventLog,
        open_books: Callable[[], MemoryBooks],
        clock: LedgerClock,
        *,
        queue_limit: int,
        batch_limit: int,
        snapshot_every: int,
    ) -> None:
        self._database = database
        self._log = log
        self._open_books = open_books
        self._clock = clock
        self._queue_limit = queue_limit
        self._batch_limit = batch_limit
        self._snapshot_every = snapshot_every
        self._queue: deque[Job] = deque()
        self._deciding = 0
        self._in_turn = 0
        self._stopping = False
        self.decided = 0
        """Commands, since the process began."""
        self.decided_again = 0
        """Those of them that had to be decided more than once, as other processes were first."""
        self._books: MemoryBooks | None = None
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="writer")

    @property
    def waiting(self) -> int:
        """Jobs that are queued or being decided."""
        return len(self._queue) + self._deciding

    async def start(self) -> None:
        """Open the books, which may take a while on a long log, and begin."""
        self._books = await self._in_thread(self._open_books)
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Finish what is queued, then end."""
        self._stopping = True
        self._wake.set()
        if self._task is not None:
            await self._task
        self._thread.shutdown()

    async def submit(self, command: Command) -> Answer:
        """Decide and append. Raises LedgerError, Busy or Unavailable."""
        answer: Answer = await self._put(command=command)
        return answer

    async def ask(self, question: Callable[[Books], T]) -> T:
        """Answer from the books at the log's head; nothing is recorded."""
        found: T = await self._put(question=question)
        return found

    def _put(self, **what: Any) -> asyncio.Future[Any]:
        if self.waiting >= self._queue_limit:
            raise Busy(retry_after_seconds=1)
        if self._stopping:
            raise Unavailable("the service is stopping")
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._queue.append(Job(future, **what))
        self._wake.set()
        return future

    async def _in_thread(self, work: Callable[..., T], *arguments: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)

    # --- Batch after batch ------------------------------------------------------------------------

    async def _run(self) -> None:
        while True:
            while not self._queue:
                if self._stopping:
                    return
                self._wake.clear()
                await self._wake.wait()
            batch = self._gather()
            self._deciding = len(batch)
            try:
                await self._process(batch)
            except PersistenceError as broken:
                logger.error("the event store cannot be reached: %s", broken)  # noqa: TRY400
                self._give_up(batch)
            except Exception:
                logger.exception("the writer failed; its books are opened anew")
                self._give_up(batch)
            self._deciding = 0
            for job in batch:
                _answer(job)

    def _gather(self) -> list[Job]:
        """All that is in flight, up to the limit. Two uses of one key never share a batch."""
        batch: list[Job] = []
        later: list[Job] = []
        keys: set[str] = set()
        while self._queue and len(batch) < self._batch_limit:
            job = self._queue.popleft()
            key = job.command.key if job.command else None
            if key is None:
                batch.append(job)
            elif key in keys:
                later.append(job)
            else:
                keys.add(key)
                batch.append(job)
        self._queue.extendleft(reversed(later))
        return batch

    async def _process(self, batch: list[Job]) -> None:
        if self._books is None:
            self._books = await self._in_thread(self._open_books)
        books = self._books
        for job in batch:
            for stream in job.command.makes if job.command else ():
                books.expect_new(stream)
        again = False
        for _ in range(MOST_ATTEMPTS):
            turn = ExitStack() if self._in_turn else None
            try:
                await self._look(books, batch, turn)
                self._decide(books, batch)
                await self._append(books, batch)
            except Conflicted:
                await self._in_thread(books.roll_back)
                self._in_turn = BATCHES_IN_TURN
                again = True
            except Poisoned as poisoned:
                await self._in_thread(books.roll_back)
                poisoned.job.error = poisoned.cause
            else:
                self._in_turn = max(0, self._in_turn - 1)
                self._count(batch, again=again)
                self._answer_questions(books, batch)
                return
            finally:
                if turn is not None:
                    await self._in_thread(turn.close)
        for job in batch:
            job.error = Unavailable("other processes were always first; try again")

    def _count(self, batch: list[Job], *, again: bool) -> None:
        commands = sum(job.command is not None for job in batch)
        self.decided += commands
        self.decided_again += commands * again

    async def _look(self, books: MemoryBooks, batch: list[Job], turn: ExitStack | None) -> None:
        if self._database.is_local:
            self._bring_up(books, batch, turn)
        else:
            await self._in_thread(self._bring_up, books, batch, turn)

    def _bring_up(self, books: MemoryBooks, batch: list[Job], turn: ExitStack | None) -> None:
        """Bring the books up to the log's head, with what the batch is known to touch.

        With `turn`, this is done when it is this process's turn, which lasts until it is closed.
        """
        if turn is not None:
            turn.enter_context(self._database.turn())
        # In this order: what was read ahead of the log's tail is brought level with the rest by it.
        books.prefetch(_known_streams(batch))
        books.catch_up()
        if books.newest is not None:
            self._clock.observe(books.newest)

    def _decide(self, books: MemoryBooks, batch: list[Job]) -> None:
        for job in batch:
            if job.error is not None:
                continue
            try:
                job.outcome = decide(books, self._log, job.command, self._clock)
            except Conflicted:
                raise
            except Exception as cause:
                logger.exception("a command failed; its neighbours are decided again without it")
                raise Poisoned(job, cause) from cause
            job.mark = len(books.pending)

    async def _append(self, books: MemoryBooks, batch: list[Job]) -> None:
        stored = self._log.encode(books.pending)
        if stored:
            outgrown = books.outgrown(self._snapshot_every)
            await self._in_thread(self._commit, books, stored, outgrown)
        for job in batch:
            # Its own events' last position; without any, the place of the neighbours before it.
            job.position = books.position - len(stored) + job.mark

    def _commit(
        self, books: MemoryBooks, stored: list[StoredEvent], outgrown: list[Provider]
    ) -> None:
        books.commit(self._log.append(books.pending, stored))
        for provider in outgrown:
            self._log.save_snapshot(provider)

    def _answer_questions(self, books: MemoryBooks, batch: list[Job]) -> None:
        for job in batch:
            if job.question is None:
                continue
            try:
                job.outcome = _answered(books, job.question)
            except Exception as failed:  # noqa: BLE001 - told to who asked, not to the others
                job.error = failed
            if books.pending:
                raise RuntimeError("a question recorded events")

    def _give_up(self, batch: Iterable[Job]) -> None:
        """The database is gone, or we are wrong: nobody is told that it worked.

        What is in memory may be ahead of or behind the log, so the books are opened anew.
        """
        self._books = None
        for job in batch:
            job.error = Unavailable("the event store cannot be reached; try again")


def _answered(books: MemoryBooks, question: Callable[[Books], Any]) -> Any:
    """Asked again where others appended meanwhile to what it looked at."""
    for _ in range(MOST_ATTEMPTS):
        try:
            return question(books)
        except Conflicted:
            books.catch_up()
    raise Unavailable("other processes were always first; try again")


def _answer(job: Job) -> None:
    if job.future.done():  # Who asked has gone.
        return
    if job.error is not None:
        job.future.set_exception(job.error)
    elif job.question is not None:
        job.future.set_result(job.outcome)
    elif isinstance(job.outcome, Exception):
        job.future.set_exception(job.outcome)
    else:
        assert job.outcome is not None
        job.future.set_result(Answer(job.outcome, job.position))


def _known_streams(batch: Iterable[Job]) -> Iterable[str]:
    for job in batch:
        if job.command is not None:
            yield from job.command.streams
            yield from job.command.makes
            if job.command.key is not None:
                yield f"idempotency_key:{job.command.key}"
