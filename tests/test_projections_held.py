"""What projects held as of a position is what a log says that ends there, whatever came after."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection

from domain.claim import ClaimReleased
from domain.held import Held
from domain.times import to_micros
from projections.held import (
    held_from,
    read_flavors,
    read_intervals,
    read_projects,
    read_units,
)
from projections.projection import Recorded
from tests.databases import ENGINES, sqlite_database
from tests.projected_log import PROJECTS, random_log
from tests.projected_reads import MANY, end, module_database, projected

Bounds = tuple[int, int]


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> list[Recorded]:
    return random_log(tmp_path_factory.mktemp("log"), seed=9, steps=500, assigning=True)


@pytest.fixture(scope="module", params=ENGINES)
def connection(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, log: list[Recorded]
) -> Iterator[Connection]:
    with module_database(request, tmp_path_factory) as scratch, projected(scratch, log) as opened:
        yield opened


def held(connection: Connection, project_id: str, bounds: Bounds, position: int) -> list[Held]:
    intervals = read_intervals(connection, project_id, *bounds, position)
    flavors = read_flavors(connection, [one.request_id for one in intervals])
    units = read_units(connection, intervals, position)
    return sorted(held_from(intervals, flavors, units), key=lambda one: (one.position, one.from_at))


def before_late_news(log: list[Recorded]) -> list[int]:
    """The places in the log at which an event comes next that ends a claim earlier than what the
    log told last; and the log's end."""
    newest, found = log[0].event.at, []
    for place, recorded in enumerate(log):
        if isinstance(recorded.event, ClaimReleased) and recorded.event.at < newest:
            found.append(place)
        newest = max(newest, recorded.event.at)
    return [*found[:: len(found) // 4], len(log)]


def test_what_was_held_as_of_a_position_is_what_the_log_up_to_it_says(
    connection: Connection, log: list[Recorded], tmp_path_factory: pytest.TempPathFactory
) -> None:
    compared = 0
    for place in before_late_news(log):
        some = log[:place]
        position, bounds = some[-1].position, (to_micros(end(some)), to_micros(end(log)) + 1)
        alone = sqlite_database(tmp_path_factory.mktemp("alone"))
        with projected(alone, some) as ended:
            projects = read_projects(ended, *bounds, MANY, limit=10)
            assert read_projects(connection, *bounds, position, limit=10) == projects
            for project in PROJECTS:
                expected = held(ended, project, bounds, MANY)
                assert held(connection, project, bounds, position) == expected
                compared += len(expected)
    assert compared > 20
