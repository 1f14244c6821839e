"""Building read models anew beside those that serve: compared, switched, gone back, dropped."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import pytest
from eventsourcing.persistence import StoredEvent
from sqlalchemy import func, select, text

from api.house import ProjectionHealth
from domain.claim import ClaimGranted
from domain.errors import Conflict, NotFound
from domain.events import Event
from infra.build_progress import position_of, stop_part
from infra.build_tables import make_tables
from infra.builds import Build, Builds
from infra.database import Database, open_database
from infra.event_log import EventLog
from infra.read_models import ReadModels
from projections.all import projections
from projections.claims_projection import ClaimsProjection
from projections.claims_tables import claims
from projections.requests_projection import RequestsProjection
from scripts.benchmarks.made_log import made_log
from tests.databases import ScratchDatabase
from tests.open_ledger import settings_from

LONG = 45_000
"""Long enough to be read in parts."""
AT_ONCE = 1_000


def label(name: str, number: int) -> str:
    """How that build of the projection's newest version is called."""
    version = next(one.version for one in projections() if one.name == name)
    return f"{version}.{number}"


class Followed:
    """A log, and the read models of one service over it."""

    def __init__(self, scratch: ScratchDatabase, events: int) -> None:
        settings = settings_from(scratch.settings_environment)
        self.database: Database = open_database(settings)
        self.database.create_tables()
        self.log = EventLog(self.database)
        self.more = made_log(1_000_000, hosts=20, held=500)
        self.append(events)
        self.read_models = ReadModels(settings, self.database, self.log)
        self.read_models.declare()
        self.read_models.start()

    def append(self, count: int) -> None:
        left = count
        while left > 0 and (batch := list(islice(self.more, min(left, AT_ONCE)))):
            self.log.append(batch)
            left -= len(batch)

    def build(self, name: str, version: str) -> ProjectionHealth:
        found = {(one.name, one.version): one for one in self.read_models.statuses()}
        return found[name, version]

    def until(self, name: str, version: str, is_so: Callable[[ProjectionHealth], bool]) -> None:
        deadline = time.monotonic() + 60
        while not is_so(self.build(name, version)):
            assert time.monotonic() < deadline, self.build(name, version)
            time.sleep(0.02)

    def count_claims(self) -> int:
        return self.read_models.query(
            lambda connection: connection.scalar(select(func.count()).select_from(claims)) or 0,
            "claims",
        )

    def close(self) -> None:
        self.read_models.stop()
        self.database.close()


@pytest.fixture
def short(database: ScratchDatabase) -> Iterator[Followed]:
    opened = Followed(database, 700)
    yield opened
    opened.close()


def is_serving(one: ProjectionHealth) -> bool:
    return one.serving


def test_a_long_log_is_built_in_parts_and_then_serves(database: ScratchDatabase) -> None:
    followed = Followed(database, LONG)
    try:
        followed.until("claims", label("claims", 1), is_serving)
        granted = [one for one in followed.log.read(0, LONG) if isinstance(one.event, ClaimGranted)]
        assert followed.count_claims() == len(granted) > 5_000
        followed.append(70)
        assert followed.count_claims() > len(granted)
    finally:
        followed.close()


def test_a_rebuild_serves_when_it_equals_what_served_and_writes_go_on(short: Followed) -> None:
    short.count_claims()
    short.read_models.rebuild("claims", "if_equal")
    while not short.build("claims", label("claims", 2)).serving:
        before = short.log.head()
        short.append(7)
        assert short.count_claims() > 0  # No read fails, whichever build it is from.
        assert short.log.head() == before + 7
    compared = short.build("claims", label("claims", 2)).comparison
    assert compared is not None
    assert (compared.equal, compared.against) == (True, "1.1")
    assert {one.table for one in compared.tables} == {"claims", "claim_providers"}
    assert short.build("claims", label("claims", 1)).state == "kept"


def test_a_tampered_column_is_named_and_the_new_build_waits(short: Followed) -> None:
    rows = short.count_claims()
    tables = short.database.read_models(Build("claims", 1, 1).place, version=1)
    with tables.begin() as connection:
        connection.execute(text("UPDATE claims SET user_id = 'mallory' WHERE from_position < 200"))
    short.read_models.rebuild("claims", "if_equal")
    short.until("claims", label("claims", 2), lambda one: one.state == "ready")
    waiting = short.build("claims", label("claims", 2))
    assert waiting.comparison is not None
    assert [one.differing for one in waiting.comparison.tables if one.differing] == [["user_id"]]
    assert waiting.to_go_on == "tally projections switch claims 1.2"
    assert mallorys(short) > 0
    short.read_models.steer("claims", label("claims", 2), "switch")
    short.until("claims", label("claims", 2), is_serving)
    assert (mallorys(short), short.count_claims()) == (0, rows)
    short.append(70)
    short.read_models.steer("claims", label("claims", 1), "switch")
    short.until("claims", label("claims", 1), is_serving)
    assert mallorys(short) > 0
    assert short.count_claims() > rows  # It caught up before it served.


def mallorys(followed: Followed) -> int:
    return followed.read_models.query(
        lambda connection: (
            connection.scalar(
                select(func.count()).select_from(claims).where(claims.c.user_id == "mallory")
            )
            or 0
        ),
        "claims",
    )


def test_a_build_is_dropped_but_never_the_one_that_serves(short: Followed) -> None:
    short.read_models.rebuild("requests", "always")
    short.until("requests", label("requests", 2), is_serving)
    place = Build("requests", RequestsProjection.version, 1).place
    assert short.database.size_of(place) > 0
    with pytest.raises(Conflict):
        short.read_models.steer("requests", label("requests", 2), "drop")
    short.read_models.steer("requests", label("requests", 1), "drop")
    assert short.database.size_of(place) == 0
    with pytest.raises(NotFound):
        short.read_models.steer("requests", label("requests", 1), "switch")


def test_a_paused_build_goes_on_and_only_one_is_under_way(short: Followed) -> None:
    short.read_models.rebuild("history", "always")
    short.read_models.steer("history", label("history", 2), "pause")
    with pytest.raises(Conflict):
        short.read_models.rebuild("history", "always")
    time.sleep(0.5)
    assert short.build("history", label("history", 2)).state == "paused"
    short.read_models.steer("history", label("history", 2), "resume")
    short.until("history", label("history", 2), is_serving)


def test_builds_are_filled_one_after_the_other(short: Followed) -> None:
    wanted = [(name, label(name, 2)) for name in ("claims", "requests", "capacity")]
    for name, _ in wanted:
        short.read_models.rebuild(name, "always")
    waited: set[str] = set()
    deadline = time.monotonic() + 60
    while under_way := [
        one for one in short.read_models.statuses() if one.state in ("building", "switching")
    ]:
        assert time.monotonic() < deadline, under_way
        waiting = {
            one.name for one in under_way if one.progress and one.progress.phase == "waiting"
        }
        assert len(under_way) - len(waiting) <= 1, under_way
        waited |= waiting
    assert waited >= {"requests", "capacity"}
    assert all(short.build(*one).serving for one in wanted)


def test_a_read_does_not_go_on_waiting_for_a_build_that_another_has_replaced(
    short: Followed,
) -> None:
    before = short.count_claims()
    builds = Builds(short.database.builds)
    stuck = short.database.read_models(Build("claims", 1, 1).place)
    with stuck.begin() as connection:
        stop_part(connection, 0, short.log.head() + 1, "stuck")
    short.append(70)
    other = builds.add("claims", 1, 1, "ready", "never")
    make_tables(short.database, ClaimsProjection(), other, all_indexes=True)
    with ThreadPoolExecutor(1) as pool:
        counting = pool.submit(short.count_claims)
        time.sleep(0.3)
        assert not counting.done()
        builds.switch(other)
        assert counting.result(timeout=5) > before


def test_an_event_that_cannot_be_handled_stops_only_those_that_handle_it(short: Followed) -> None:
    short.count_claims()
    while not isinstance(broken := next(short.more), ClaimGranted):
        short.log.append([broken])
    short.database.events.insert_events([unreadable(short.log, broken)])
    position = short.log.head()
    short.append(50)
    for name in ("capacity", "requests", "catalog"):
        short.until(name, label(name, 1), lambda one: one.lag_events == 0)
        assert short.build(name, label(name, 1)).state == "following"
    for name in ("claims", "history"):
        short.until(name, label(name, 1), lambda one: one.error is not None)
        stopped = short.build(name, label(name, 1))
        assert stopped.state == "stopped"
        assert f"position {position}, claim.granted at version 1" in str(stopped.error)
        assert stopped.to_go_on == f"tally projections resume {name} {label(name, 1)}"
        with short.database.read_models(Build(name, 1, 1).place).connect() as connection:
            assert position_of(connection) < position
    repair(short, broken)
    for name in ("claims", "history"):
        short.read_models.steer(name, label(name, 1), "resume")
        short.until(name, label(name, 1), lambda one: one.lag_events == 0)


def unreadable(log: EventLog, event: Event) -> StoredEvent:
    stored = log.encode([event])[0]
    return StoredEvent(
        originator_id=stored.originator_id,
        originator_version=stored.originator_version,
        topic=stored.topic,
        state=b'{"nonsense":1}',
    )


def repair(followed: Followed, event: Event) -> None:
    (stored,) = followed.log.encode([event])
    with followed.database.durable.begin() as connection:
        connection.execute(
            text("UPDATE stored_events SET state = :state WHERE originator_id = :stream"),
            {"state": stored.state, "stream": stored.originator_id},
        )
