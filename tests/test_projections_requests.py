"""Requests and claims: what became of them, and filters, against plain Python."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from operator import attrgetter
from typing import Any

import pytest
from sqlalchemy import Connection

from domain.allocation import Shares
from domain.provider import Provider
from domain.request import Request, RequestHeld, RequestRefused
from domain.streams import id_of
from projections.claims import read_claim, read_claims
from projections.projection import Recorded
from projections.requests import RequestRow, read_request, read_requests
from tests.databases import ENGINES, ScratchDatabase
from tests.projected_log import CONSUMERS, PROJECTS, USERS, random_log
from tests.projected_reads import MANY, end, middle, module_database, projected, states


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


# --- Claims and requests --------------------------------------------------------------------------


def test_claims_are_filtered_by_project_user_type_and_provider(
    connection: Connection, log: list[Recorded]
) -> None:
    at = middle(log)
    everything = read_claims(connection, at, limit=MANY)
    assert everything
    for name, values, path in (
        ("project_id", PROJECTS, "project_id"),
        ("user_id", USERS, "user_id"),
        ("consumer_type", ("a", "b"), "consumer.type"),
    ):
        for value in values:
            expected = [row for row in everything if attrgetter(path)(row) == value]
            filters: dict[str, Any] = {name: value}
            assert read_claims(connection, at, **filters) == expected
    for provider_id in states(log, Provider):
        expected = [
            row for row in everything if provider_id in {a.provider_id for a in row.allocations}
        ]
        assert read_claims(connection, at, provider_id=provider_id) == expected
    assert read_claim(connection, "nobody", at) is None


def test_requests_tell_what_became_of_them(connection: Connection, log: list[Recorded]) -> None:
    now = end(log)
    requests = states(log, Request)
    refusals = {
        id_of(one.event.originator_id): one.position
        for one in log
        if isinstance(one.event, RequestRefused)
    }
    found = read_requests(connection, now, limit=MANY)
    assert [row.id for row in found] == list(requests)
    assert {row.id: row.refused_position for row in found if row.refused_position} == refusals
    for row in found:
        state = requests[row.id]
        assert row == read_request(connection, row.id, now)
        assert row.status == ("expired" if state.overdue(now) else state.status)
        assert (row.version, row.changed_at) == (state.version, state.at)
        assert (row.considered, row.refusal) == (state.considered, state.reasons)
        assert [reason.count for reason in row.reasons] == [r.count for r in state.reasons]
        assert row.mappings == state.mappings
        assert given(row) == granted(state.shares)
        wish = state.submitted.wish
        assert (row.components, row.within) == (wish.components, wish.within)
        assert (row.required_traits, row.any_of_traits) == (
            wish.required_traits,
            wish.any_of_traits,
        )
        assert (row.submitted_at, row.hold_until) == (
            state.submitted.at,
            state.submitted.hold_until,
        )
        assert row.changes_claim == state.submitted.changes_claim
    assert read_request(connection, "nobody", now) is None


def given(row: RequestRow) -> set[tuple[Any, ...]]:
    return {(a.provider_id, a.resource_class, a.amount, str(a.units)) for a in row.allocations}


def granted(shares: Shares) -> set[tuple[Any, ...]]:
    return {
        (provider_id, name, amount, str(share.units.get(name)))
        for provider_id, share in shares.items()
        for name, amount in share.resources.items()
    }


def test_requests_are_filtered_by_status_project_user_and_consumer(
    connection: Connection, log: list[Recorded]
) -> None:
    now = end(log)
    everything = read_requests(connection, now, limit=MANY)
    assert {row.status for row in everything} >= {"placed", "refused", "withdrawn", "expired"}
    for status in ("held", "placed", "refused", "withdrawn", "expired"):
        expected = [row for row in everything if row.status == status]
        assert read_requests(connection, now, status=status, limit=MANY) == expected
    for name, values, path in (
        ("project_id", PROJECTS, "project_id"),
        ("user_id", USERS, "user_id"),
        ("consumer_id", CONSUMERS, "consumer.id"),
    ):
        for value in values:
            expected = [row for row in everything if attrgetter(path)(row) == value]
            filters: dict[str, Any] = {name: value}
            assert read_requests(connection, now, limit=MANY, **filters) == expected


def test_a_hold_expires_at_its_deadline_though_nothing_says_so(
    database: ScratchDatabase, log: list[Recorded]
) -> None:
    """The events of a lapse are written later, or by nobody: the answer depends on now alone."""
    first = next(one for one in log if isinstance(one.event, RequestHeld))
    assert isinstance(first.event, RequestHeld)
    until = first.event.hold_until
    seen = [one for one in log if one.position <= first.position]
    with projected(database, seen) as connection:
        for now, is_held in ((until - timedelta(microseconds=1), True), (until, False)):
            row = read_request(connection, id_of(first.event.originator_id), now)
            assert row is not None
            assert row.status == ("held" if is_held else "expired")
            for status in ("held", "expired"):
                listed = read_requests(connection, now, status=status)
                assert (row in listed) == (status == row.status)
            claim = read_claim(connection, row.consumer.id, now)
            assert claim is not None
            assert claim.status == ("held" if is_held else "released")
            assert (claim in read_claims(connection, now)) == is_held
