"""No reader skips an event, though one writer's transaction stays open while others write.

A position is drawn before the commit that shows it. Were a later position shown first, a follower
that reads by position would pass the earlier one and never come back. So one transaction is held
open here between the two; the same test on a recorder without its lock shows what is then lost.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager, nullcontext
from datetime import UTC, datetime
from threading import Event as Signal
from typing import Any, Literal, cast

import pytest
from eventsourcing.persistence import StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder
from psycopg import Cursor
from psycopg.rows import DictRow
from sqlalchemy import text

from domain.catalog import ResourceClassDefined
from domain.events import Event
from infra.database import Database, open_database
from infra.event_log import Conflicted, EventLog, LogGap
from infra.postgres_database import PositionedRecorder
from infra.sqlite_database import BatchRecorder
from projections.projection import Recorded
from tests.databases import Engine, ScratchDatabase
from tests.open_ledger import settings_from

PATIENCE_SECONDS = 20
"""When a test gives up on what should happen. Nothing takes as long."""
WAITING_SECONDS = 0.2
"""How long it is watched that something does not happen."""

FIRST, HELD = "resource_class:CUSTOM_FIRST", "resource_class:CUSTOM_HELD"
OTHERS = [f"resource_class:CUSTOM_{number}" for number in range(3)]


def defined(stream: str, version: int) -> Event:
    """An event without any facts, on a stream that no aggregate will read."""
    return ResourceClassDefined(
        originator_id=stream, originator_version=version, at=datetime(2026, 1, 1, tzinfo=UTC)
    )


def eventually(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.002)


class UnlockedRecorder(PostgresApplicationRecorder):
    """The stock recorder, its positions from the sequence, and whoever comes may write."""

    def _lock_table(self, curs: Cursor[DictRow]) -> None:
        pass


OpenOne = Callable[[], Database]
Read = Callable[[int, int], list[Recorded]]


@contextmanager
def opened(
    scratch: ScratchDatabase, recorder: type[Any] | None = None
) -> Iterator[tuple[OpenOne, ThreadPoolExecutor]]:
    """What opens the database once more, as another process would, and threads to use it.

    With another recorder than the database's own, if one is named.
    """
    with ExitStack() as stack:

        def open_one() -> Database:
            database: Any = open_database(settings_from(scratch.settings_environment))
            stack.callback(database.close)
            if recorder is not None:
                database.events = recorder(database._datastore)
            return cast(Database, database)

        open_one().create_tables()
        with ThreadPoolExecutor(8) as threads:  # They end before the databases are closed.
            yield open_one, threads


def by_log(database: Database) -> Read:
    """As the house reads: a position that is missing is noticed."""
    return EventLog(database).read


def by_rows(database: Database) -> Read:
    """As a plain reader does: whatever rows come after its position."""
    log = EventLog(database)
    return lambda after, limit: [
        log.decode(row) for row in database.select_range(after, after + limit)
    ]


class Gate:
    """Holds a database's one append, from drawing its positions to the commit."""

    # What the recorders call last inside the transaction. On PostgreSQL the pipeline was synced
    # before, so the rows are inserted there; on SQLite they are when the hook returns.
    HOOKS = ("_fetch_ids_after_insert_events", "_insert_events")

    def __init__(self, database: Database) -> None:
        self._log = EventLog(database)
        self._drawn, self._open = Signal(), Signal()
        recorder = database.events
        hook = self.HOOKS[0 if isinstance(recorder, PostgresApplicationRecorder) else 1]
        draw = getattr(recorder, hook)

        def draw_and_wait(cursor: Any, stored: Sequence[StoredEvent], **facts: Any) -> Any:
            positions = draw(cursor, stored, **facts)
            self._drawn.set()
            assert self._open.wait(PATIENCE_SECONDS), "nobody opened the gate"
            return positions

        setattr(recorder, hook, draw_and_wait)

    def open(self) -> None:
        self._open.set()

    @contextmanager
    def closed(self, threads: ThreadPoolExecutor) -> Iterator[Future[Sequence[int]]]:
        """One transaction is open while this is; its future has the positions afterwards."""
        appending = threads.submit(self._log.append, [defined(HELD, 1), defined(HELD, 2)])
        try:
            assert self._drawn.wait(PATIENCE_SECONDS), "the writer never came to the gate"
            yield appending
        finally:
            self.open()


class Follower:
    """Reads on from where it is, in a loop, as another process would."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._stop = Signal()
        self.rounds = 0
        self.position = 0
        self.seen: list[tuple[int, str, int]] = []

    @contextmanager
    def following(self, threads: ThreadPoolExecutor) -> Iterator[Follower]:
        self._running = threads.submit(self._follow)
        try:
            yield self
        finally:
            self._stop.set()
        self._running.result(PATIENCE_SECONDS)

    def _follow(self) -> None:
        while not self._stop.wait(0.001):
            for recorded in self._read(self.position, 100):
                event = recorded.event
                self.seen.append((recorded.position, event.originator_id, event.originator_version))
                self.position = recorded.position
            self.rounds += 1

    def reads_on(self) -> None:
        """Wait for one whole round that begins from now."""
        enough = self.rounds + 2
        self._gets_to(lambda: self.rounds >= enough, "the follower reads on")

    def reaches(self, position: int) -> None:
        self._gets_to(lambda: self.position >= position, f"the follower reaches {position}")
        self.reads_on()

    def _gets_to(self, condition: Callable[[], bool], what: str) -> None:
        eventually(lambda: condition() or self._running.done(), what)
        if self._running.done():
            self._running.result()  # It ends early only by an error: this raises it.


Outcome = Literal["sees all", "skips", "finds a gap"]


def case(engine: Engine, recorder: type[Any], read: Any, outcome: Outcome) -> Any:
    name = f"{recorder.__name__} {read.__name__} {outcome}"
    return pytest.param(engine, recorder, read, outcome, id=name.replace(" ", "-"))


@pytest.mark.parametrize(
    ("database", "recorder", "read", "outcome"),
    [
        case("sqlite", BatchRecorder, by_log, "sees all"),
        case("postgresql", PositionedRecorder, by_log, "sees all"),
        case("postgresql", PositionedRecorder, by_rows, "sees all"),
        case("postgresql", PostgresApplicationRecorder, by_rows, "sees all"),
        case("postgresql", UnlockedRecorder, by_rows, "skips"),
        case("postgresql", UnlockedRecorder, by_log, "finds a gap"),
    ],
    indirect=["database"],
)
def test_a_follower_passes_no_open_transaction(
    database: ScratchDatabase,
    recorder: type[Any],
    read: Callable[[Database], Read],
    outcome: Outcome,
) -> None:
    in_order = outcome == "sees all"
    follower_fails = pytest.raises(LogGap) if outcome == "finds a gap" else nullcontext()
    with opened(database, recorder) as (open_one, threads):
        EventLog(open_one()).append([defined(FIRST, 1)])
        gate, follower = Gate(open_one()), Follower(read(open_one()))
        writers = [EventLog(open_one()) for _ in OTHERS]
        with follower_fails, follower.following(threads), gate.closed(threads) as held:
            follower.reaches(1)
            others = [
                threads.submit(writer.append, [defined(stream, 1)])
                for writer, stream in zip(writers, OTHERS, strict=True)
            ]
            done, _ = wait(others, WAITING_SECONDS if in_order else PATIENCE_SECONDS)
            assert len(done) == (0 if in_order else len(OTHERS))
            follower.reaches(1 if in_order else 6)
            assert not held.done()
            gate.open()
            assert list(held.result(PATIENCE_SECONDS)) == [2, 3]
            wait(others, PATIENCE_SECONDS)
            follower.reaches(6)
    assert sorted(other.result()[0] for other in others) == [4, 5, 6]
    seen = [position for position, _, _ in follower.seen]
    assert seen == sorted(set(seen))
    if outcome == "sees all":
        assert seen == [1, 2, 3, 4, 5, 6]
    elif outcome == "finds a gap":
        assert seen == [1]
    else:  # It came to the end. Without the lock, the others may have overtaken each other too.
        assert seen[-1] == 6
        assert not {2, 3} & set(seen)


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_readers_go_on_while_the_table_is_locked(database: ScratchDatabase) -> None:
    locks = text(
        "SELECT granted FROM pg_locks "
        "WHERE relation = 'stored_events'::regclass AND mode = 'ExclusiveLock'"
    )
    with opened(database) as (open_one, threads):
        events = open_one()
        gate, log, other = Gate(open_one()), EventLog(events), EventLog(open_one())
        other.append([defined(FIRST, 1)])

        def granted() -> Counter[bool]:
            with events.durable.connect() as connection:
                return Counter(connection.scalars(locks))

        with gate.closed(threads):
            threads.submit(other.append, [defined(OTHERS[0], 1)])
            eventually(lambda: granted() == {True: 1, False: 1}, "the other writer waits")
            reads = (
                threads.submit(log.head),
                threads.submit(lambda: len(log.read(0, 10))),
                threads.submit(lambda: log.load(FIRST).version),
                threads.submit(lambda: len(log.load_many([FIRST, HELD]))),
            )
            assert [read.result(PATIENCE_SECONDS) for read in reads] == [1, 1, 1, 2]
            assert granted() == {True: 1, False: 1}


# --- Many writers ---------------------------------------------------------------------------------

SHARED = "resource_class:CUSTOM_SHARED"
BUSY_SECONDS = 0.7


class BusyWriter:
    """Appends random batches until a deadline; some want a version that is, or is being, taken."""

    def __init__(self, database: Database, number: int) -> None:
        self._database = database
        self._log = EventLog(database)
        self._random = random.Random(number)
        self._streams = [f"resource_class:CUSTOM_{number}_{letter}" for letter in "ABC"]
        self._versions: Counter[str] = Counter()
        self.written: list[tuple[int, str, int]] = []
        self.conflicts = 0

    def write(self, deadline: float) -> None:
        while time.monotonic() < deadline:
            versions = self._versions.copy()
            batch = self._batch(versions)
            try:
                positions = self._log.append(batch)
            except Conflicted:
                self.conflicts += 1
                continue
            self._versions = versions
            self.written += [
                (position, event.originator_id, event.originator_version)
                for position, event in zip(positions, batch, strict=True)
            ]

    def _batch(self, versions: Counter[str]) -> list[Event]:
        """Events of this writer's own streams, of which it knows the versions, and of all's."""
        batch = []
        for stream in self._random.choices(self._streams, k=self._random.randint(1, 8)):
            versions[stream] += 1
            batch.append(defined(stream, versions[stream]))
        if self._random.random() < 0.4:
            newest = self._database.events.select_events(SHARED, desc=True, limit=1)
            batch.append(defined(SHARED, newest[0].originator_version + 1 if newest else 1))
        if self._random.random() < 0.1:
            batch.append(defined(batch[0].originator_id, 1))
        return batch


def test_a_follower_of_many_writers_misses_nothing(database: ScratchDatabase) -> None:
    with opened(database) as (open_one, threads):
        follower = Follower(by_log(open_one()))
        writers = [BusyWriter(open_one(), number) for number in range(4)]
        with follower.following(threads):
            deadline = time.monotonic() + BUSY_SECONDS
            for writing in [threads.submit(writer.write, deadline) for writer in writers]:
                writing.result(PATIENCE_SECONDS)
            follower.reaches(EventLog(open_one()).head())
    seen = follower.seen
    assert seen == sorted(fact for writer in writers for fact in writer.written)
    assert [position for position, _, _ in seen] == list(range(1, len(seen) + 1))
    counted: Counter[str] = Counter()
    for _, stream, version in seen:
        counted[stream] += 1
        assert version == counted[stream], stream
    assert sum(1 for writer in writers if writer.written) > 1
    assert any(writer.conflicts for writer in writers), "no append failed, so no gap was tempted"
