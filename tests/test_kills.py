"""Kill -9 at any moment: a rebuild, or the follower, goes on with the next start, and in the end
every row is as if nobody had disturbed it.

The long versions, 50 kills of each kind on each engine: `scripts/test -m kills`.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
from itertools import cycle, pairwise
from threading import Thread

import pytest
from eventsourcing.persistence import StoredEvent
from sqlalchemy import create_engine

from infra.builds import Builds
from infra.database import Database, open_database
from infra.event_log import EventLog
from infra.mapper import EventMapper
from projections.all import projections
from projections.claims_projection import ClaimsProjection
from projections.projection import Projection, Recorded
from tests.databases import ScratchDatabase
from tests.killed_work import (
    KilledBuild,
    Kills,
    begun,
    dump,
    kill,
    position,
    require_same,
    serving_dump,
    wait_for,
)
from tests.long_log import append_stored, long_log
from tests.open_ledger import settings_from
from tests.projected_log import project

SEED = 20_260_101
MANY = 50

Dumps = dict[str, list[str]]


@pytest.fixture(scope="module")
def short_log(tmp_path_factory: pytest.TempPathFactory) -> list[StoredEvent]:
    return long_log(tmp_path_factory.mktemp("short"), seed=SEED, steps=300, copies=6)


@pytest.fixture(scope="module")
def much_longer_log(tmp_path_factory: pytest.TempPathFactory) -> list[StoredEvent]:
    return long_log(tmp_path_factory.mktemp("long"), seed=SEED, steps=700, copies=15)


@pytest.fixture
def opened(database: ScratchDatabase) -> Iterator[Database]:
    opened = open_database(settings_from(database.settings_environment))
    opened.create_tables()
    Builds(opened.builds).create_tables()
    yield opened
    opened.close()


def undisturbed_dumps(log: Sequence[StoredEvent], of: Sequence[Projection]) -> Dumps:
    """What the tables are like when they are made of the log in one page."""
    mapper = EventMapper()
    page = [
        Recorded(place, mapper.to_domain_event(event)) for place, event in enumerate(log, start=1)
    ]
    engine = create_engine("sqlite://")
    project(engine, [page])
    with engine.connect() as connection:
        return {one.name: dump(connection, one) for one in of}


# --- The job that rebuilds ------------------------------------------------------------------------


def rebuild_under_kills(
    scratch: ScratchDatabase,
    opened: Database,
    log: list[StoredEvent],
    *,
    of: Sequence[Projection],
    count: int,
) -> Kills:
    """Kill jobs until so many were hit, a share of them in builds of each projection. Each build
    must become what it would have been."""
    append_stored(EventLog(opened), log)
    expected = undisturbed_dumps(log, of)
    works = {one.name: KilledBuild(scratch, opened, one) for one in of}
    seconds = {name: work.undisturbed() for name, work in works.items()}
    chance, kills = random.Random(SEED), Kills()
    for projection in cycle(of):
        name = projection.name
        require_same(serving_dump(opened, projection), expected[name])
        if kills.hits == count:
            break
        most = min(count - kills.hits, -(-count // len(of)))
        works[name].under_kills(chance, 0.7 * seconds[name], most, kills)
        require_same(serving_dump(opened, projection), expected[name])
    return kills


@pytest.mark.slow
def test_a_rebuild_that_is_killed_again_and_again_is_done_in_the_end(
    database: ScratchDatabase, opened: Database, short_log: list[StoredEvent]
) -> None:
    kills = rebuild_under_kills(database, opened, short_log, of=[ClaimsProjection()], count=2)
    assert kills.hits == 2


@pytest.mark.kills
@pytest.mark.slow
def test_rebuilds_are_killed_at_fifty_moments(
    database: ScratchDatabase, opened: Database, much_longer_log: list[StoredEvent]
) -> None:
    kills = rebuild_under_kills(database, opened, much_longer_log, of=projections(), count=MANY)
    assert kills.hits == MANY
    assert kills.attempts < 2 * MANY, "most kills hit a living process"
    head = len(much_longer_log)
    assert_spread(kills, [0, head // 3, 2 * head // 3, head + 1])


def assert_spread(kills: Kills, bounds: list[int]) -> None:
    """Each stretch of the log saw some of the kills."""
    for first, end in pairwise(bounds):
        assert any(first <= position < end for position in kills.positions), kills.positions


# --- The follower ---------------------------------------------------------------------------------


def follow_under_kills(
    scratch: ScratchDatabase, opened: Database, log: list[StoredEvent], count: int
) -> Kills:
    """Append the log while the follower is killed so many times, then let it reach the head."""
    expected = undisturbed_dumps(log, projections())
    kills, chance = Kills(), random.Random(SEED)
    pause = undisturbed_seconds(scratch, opened, log[: len(log) // (count + 1)])
    segments = [log[turn * len(log) // (count + 1) :] for turn in range(1, count + 1)]
    for turn, rest in enumerate(segments):
        until = len(rest) if turn == count - 1 else len(rest) - len(segments[turn + 1])
        writer = Thread(target=append_slowly, args=(opened, rest[:until], SEED + turn))
        with begun(scratch, "follow") as process:
            writer.start()
            time.sleep(chance.uniform(0, 1.5 * pause))
            kills.attempts += 1
            if kill(process, whole_group=chance.random() < 2 / 3):
                kills.positions.append(slowest(opened))
        writer.join()
    with begun(scratch, "follow"):
        wait_for(lambda: slowest(opened) == len(log), "the follower has reached the head")
    for projection in projections():
        require_same(serving_dump(opened, projection), expected[projection.name])
    return kills


def undisturbed_seconds(
    scratch: ScratchDatabase, opened: Database, events: list[StoredEvent]
) -> float:
    """How long it takes to append some events and to follow them, from the follower's start."""
    with begun(scratch, "follow"):
        started = time.monotonic()
        append_slowly(opened, events, SEED)
        wait_for(lambda: slowest(opened) == len(events), "the follower has reached the head")
        return time.monotonic() - started


def append_slowly(opened: Database, events: list[StoredEvent], seed: int) -> None:
    """A few at a time, as a writer does."""
    log, chance = EventLog(opened), random.Random(seed)
    start = 0
    while start < len(events):
        end = start + chance.randint(1, 60)
        append_stored(log, events[start:end])
        start = end


def slowest(opened: Database) -> int:
    """How far all of the read models have followed."""
    serving = [Builds(opened.builds).serving(one.name) for one in projections()]
    return min(0 if one is None else position(opened, one.build) for one in serving)


@pytest.mark.slow
def test_a_follower_that_is_killed_repeats_and_skips_nothing(
    database: ScratchDatabase, opened: Database, short_log: list[StoredEvent]
) -> None:
    assert follow_under_kills(database, opened, short_log, count=2).hits == 2


@pytest.mark.kills
@pytest.mark.slow
def test_the_follower_is_killed_at_fifty_moments(
    database: ScratchDatabase, opened: Database, much_longer_log: list[StoredEvent]
) -> None:
    kills = follow_under_kills(database, opened, much_longer_log, count=MANY)
    assert kills.hits > 0.9 * MANY
    head = len(much_longer_log)
    assert_spread(kills, [0, head // 3, 2 * head // 3, head + 1])
