"""History and catalog: all that the log says, found again by whom it concerns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Connection

from domain.catalog import standard_resource_classes, standard_traits
from domain.flavor import Flavor
from domain.provider import Provider
from domain.request import RequestSubmitted
from projections.catalog import (
    read_flavor,
    read_flavors,
    read_name,
    read_resource_classes,
    read_traits,
)
from projections.history import HistoryRow, read_history
from projections.projection import Recorded
from tests.databases import ENGINES
from tests.open_ledger import NOON
from tests.projected_log import PROJECTS, random_log
from tests.projected_reads import MANY, end, middle, module_database, paged, projected, states


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> list[Recorded]:
    return random_log(tmp_path_factory.mktemp("log"), seed=11, steps=400)


@pytest.fixture(scope="module", params=ENGINES)
def connection(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, log: list[Recorded]
) -> Iterator[Connection]:
    """The read models over the log, built once: the tests here only read."""
    with module_database(request, tmp_path_factory) as scratch, projected(scratch, log) as opened:
        yield opened


# --- History --------------------------------------------------------------------------------------


def concerned(log: Sequence[Recorded]) -> dict[int, dict[str, str | None]]:
    """Whom each event concerns, by its position."""
    asked = {
        one.event.originator_id: {
            "consumer_id": one.event.consumer.id,
            "project_id": one.event.project_id,
        }
        for one in log
        if isinstance(one.event, RequestSubmitted)
    }
    found = {}
    for one in log:
        category, _, id = one.event.originator_id.partition(":")
        names = ("consumer_id", "project_id", "request_id")
        who = {name: getattr(one.event, name, None) for name in names}
        who["provider_id"] = id if category == "provider" else None
        if category == "request":
            who |= {"request_id": id, **asked[one.event.originator_id]}
        found[one.position] = who
    return found


def history_pages(connection: Connection, **filters: Any) -> list[HistoryRow]:
    return paged(partial(read_history, connection), "position", name="after_position", **filters)


def test_the_whole_history_is_the_log_in_both_directions(
    connection: Connection, log: list[Recorded]
) -> None:
    places = [(one.position, one.event.at) for one in log]
    for descending in (False, True):
        found = history_pages(connection, limit=11, descending=descending)
        assert [(row.position, row.at) for row in found] == (places[::-1] if descending else places)


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("by", ["provider_id", "consumer_id", "project_id", "request_id"])
def test_history_is_found_by_whom_it_concerns(
    connection: Connection, log: list[Recorded], by: str, descending: bool
) -> None:
    who = concerned(log)
    values = {one[by] for one in who.values() if one[by] is not None}
    assert len(values) > 1
    for value in values:
        expected = [position for position, one in who.items() if one[by] == value]
        filters: dict[str, Any] = {by: value}
        found = history_pages(connection, limit=3, descending=descending, **filters)
        assert [row.position for row in found] == (expected[::-1] if descending else expected)


def test_filters_of_history_narrow_each_other(connection: Connection, log: list[Recorded]) -> None:
    who = concerned(log)
    since, until = middle(log), end(log) - timedelta(minutes=5)
    for provider_id in states(log, Provider):
        for project_id in PROJECTS:
            expected = [
                one.position
                for one in log
                if who[one.position]["provider_id"] == provider_id
                and who[one.position]["project_id"] == project_id
                and since <= one.event.at < until
            ]
            found = read_history(
                connection,
                provider_id=provider_id,
                project_id=project_id,
                from_at=since,
                to_at=until,
                limit=MANY,
            )
            assert [row.position for row in found] == expected
    assert read_history(connection, to_at=NOON - timedelta(hours=1)) == []
    pairs = {(one["provider_id"], one["request_id"]) for one in who.values()}
    for provider, request in pairs:
        if provider and request:
            expected = [
                position
                for position, one in who.items()
                if (one["provider_id"], one["request_id"]) == (provider, request)
            ]
            found = read_history(connection, provider_id=provider, request_id=request)
            assert [row.position for row in found] == expected


# --- Catalog --------------------------------------------------------------------------------------


def test_the_catalog_has_standard_and_custom_names(
    connection: Connection, log: list[Recorded]
) -> None:
    custom = {"trait": set[str](), "resource_class": set[str]()}
    for one in log:
        category, _, name = one.event.originator_id.partition(":")
        if category in custom:
            verb = one.event.TOPIC.partition(".")[2]
            (custom[category].add if verb == "defined" else custom[category].discard)(name)
    found = {row.name: row.standard for row in read_traits(connection, limit=MANY)}
    assert {name for name, standard in found.items() if standard} == set(standard_traits())
    assert {name for name, standard in found.items() if not standard} == custom["trait"]
    found = {row.name: row.standard for row in read_resource_classes(connection, limit=MANY)}
    assert [*found] == sorted([*standard_resource_classes(), *custom["resource_class"]])
    for name in ("VCPU", "CUSTOM_C", "CUSTOM_LICENSE", "NOTHING"):
        row = read_name(connection, "resource_class", name)
        assert (row is not None) == (name in found)


def test_flavors_tell_every_definition_while_they_are_offered(
    connection: Connection, log: list[Recorded]
) -> None:
    flavors = states(log, Flavor)
    offered = [flavor for _, flavor in sorted(flavors.items()) if flavor.offered]
    found = read_flavors(connection, limit=MANY)
    assert [(row.name, row.number, row.version) for row in found] == [
        (flavor.id, len(flavor.definitions), flavor.version) for flavor in offered
    ]
    for flavor in flavors.values():
        for definition in flavor.definitions:
            row = read_flavor(connection, flavor.id, definition.number)
            assert (row is not None) == flavor.offered
            if row is not None:
                assert (row.resources, row.defined_at) == (
                    definition.expansion.resources,
                    definition.at,
                )
        assert read_flavor(connection, flavor.id, 99) is None
