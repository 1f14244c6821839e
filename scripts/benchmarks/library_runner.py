"""The baseline of a rebuild: the `eventsourcing` library's own projection runner, same tables.

It handles one event at a time, in one transaction with its tracking. Its subscriptions need
PostgreSQL; on SQLite the same projection gets the events of the log one after the other.
"""

from __future__ import annotations

import time
from typing import Any

from eventsourcing.application import Application
from eventsourcing.persistence import Tracking, TrackingRecorder
from eventsourcing.projection import BaseProjectionRunner
from eventsourcing.projection import Projection as LibraryProjection
from sqlalchemy import Engine

from infra.build_progress import metadata as tracking_metadata
from infra.build_progress import move_part, position_of, start_parts
from infra.database import Database
from infra.event_log import EventLog
from infra.mapper import EventMapper
from projections.projection import Projection, Recorded, apply_page

LONGEST_SECONDS = 120.0


def runner_rate(database: Database, projection: Projection, events: int) -> float:
    """Events per second over the first so many of the log."""
    place = f"runner_{projection.name}"
    database.create_place(place)
    engine = database.read_models(place).execution_options(sqlite_begin="IMMEDIATE")
    with engine.begin() as connection:
        projection.metadata.create_all(connection)
        tracking_metadata.create_all(connection)
        start_parts(connection, 1, 0)
    view = _View(engine)
    one_by_one = _OneByOne(view)
    one_by_one.projection = projection
    started = time.perf_counter()
    if database.name == "postgresql":
        _run(database, view, one_by_one, events)
    else:
        for recorded in EventLog(database).read(0, events):
            tracking = Tracking("ledger", recorded.position)
            one_by_one.process_event(recorded.event, tracking)
    return view.max_tracking_id("ledger") / (time.perf_counter() - started)


def _run(database: Database, view: _View, projection: _OneByOne, events: int) -> None:
    class Ledger(Application[str]):
        name = "ledger"

        def construct_mapper(self) -> Any:
            return EventMapper()

        def construct_recorder(self) -> Any:
            return database.events

    runner = BaseProjectionRunner(
        projection=projection, application_class=Ledger, tracking_recorder=view, topics=()
    )
    try:
        runner.wait(events, timeout=LONGEST_SECONDS)
    finally:
        runner.stop()
        runner.run_forever()


class _View(TrackingRecorder):
    """The tables' own progress, as the library's runner asks for it."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def insert_tracking(self, tracking: Tracking) -> None:
        raise NotImplementedError("it is stored with the rows")

    def max_tracking_id(self, application_name: str) -> int:  # noqa: ARG002  there is one
        with self.engine.connect() as connection:
            return position_of(connection)


class _OneByOne(LibraryProjection[_View]):
    projection: Projection

    def process_event(self, domain_event: Any, tracking: Tracking) -> None:
        position = tracking.notification_id
        with self.view.engine.begin() as connection:
            move_part(connection, 0, position - 1, position)
            apply_page(self.projection, connection, [Recorded(position, domain_event)])
