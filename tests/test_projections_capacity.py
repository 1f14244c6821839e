"""Providers and capacity: filters, pages and the roots of a refusal, against plain Python."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest
from sqlalchemy import Connection

from domain.provider import Provider
from domain.request import RequestRefused
from domain.streams import id_of
from projections.capacity import read_capacity, read_totals
from projections.catalog import (
    read_traits,
)
from projections.claims import read_claims
from projections.projection import Recorded
from projections.providers import expand_ranges, provider_names, read_provider, read_providers
from projections.requests import read_requests
from tests.databases import ENGINES
from tests.projected_log import TRAITS, random_log
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


# --- Providers and capacity -----------------------------------------------------------------------


def below(providers: dict[str, Provider], top: str) -> set[str]:
    found = {top} if providers[top].exists else set()
    while more := {p.id for p in providers.values() if p.exists and p.parent_id in found} - found:
        found |= more
    return found


def test_providers_are_filtered_by_name_trait_and_subtree(
    connection: Connection, log: list[Recorded]
) -> None:
    providers = states(log, Provider)
    alive = [provider for provider in providers.values() if provider.exists]
    trees = 0
    for top in providers:
        expected = [p.id for p in alive if p.id in below(providers, top)]
        assert [row.id for row in read_providers(connection, in_tree=top)] == expected
        rows = read_capacity(connection, end(log), in_tree=top, limit=MANY)
        assert {row.provider_id for row in rows} == {
            id for id in expected if providers[id].inventories
        }
        trees += len(expected) > 2
    assert trees, "the history has no tree of any size"
    for trait in (*TRAITS, "CUSTOM%"):
        expected = [p.id for p in alive if trait in p.traits]
        assert [row.id for row in read_providers(connection, trait=trait)] == expected
    for provider in providers.values():
        found = [row.id for row in read_providers(connection, name=provider.name)]
        assert found == [p.id for p in alive if p.name == provider.name]
        newest = read_provider(connection, provider.id)
        assert newest is not None
        assert (newest.version, newest.name) == (provider.version, provider.name)
        assert (newest.deleted_at == provider.at) == provider.deleted
    assert read_provider(connection, "nobody") is None
    assert provider_names(connection, [*providers, "nobody"]) == {
        provider.id: provider.name for provider in providers.values()
    }


def test_capacity_is_filtered_by_provider_class_and_trait(
    connection: Connection, log: list[Recorded]
) -> None:
    at = middle(log)
    everything = read_capacity(connection, at, limit=MANY)
    for name in {row.resource_class for row in everything}:
        of_class = [row for row in everything if row.resource_class == name]
        assert read_capacity(connection, at, resource_class=name, limit=MANY) == of_class
    for id in {row.provider_id for row in everything}:
        of_provider = [row for row in everything if row.provider_id == id]
        assert read_capacity(connection, at, provider_id=id) == of_provider
    for trait in TRAITS:
        having = {row.id for row in read_providers(connection, at, trait=trait, limit=MANY)}
        expected = [row for row in everything if row.provider_id in having]
        assert read_capacity(connection, at, trait=trait, limit=MANY) == expected
        for total in read_totals(connection, at, trait=trait, resource_class="VCPU"):
            of_class = [row for row in expected if row.resource_class == "VCPU"]
            assert total.usage == sum(row.usage for row in of_class)
            assert total.capacity == sum(row.capacity for row in of_class)


def test_pages_put_together_are_the_whole_list(connection: Connection, log: list[Recorded]) -> None:
    at = middle(log)
    capacity = partial(read_capacity, connection, at)
    pages = paged(capacity, "registered_position", "resource_class", limit=3)
    assert pages == capacity(limit=MANY)
    providers = partial(read_providers, connection, at)
    assert paged(providers, "registered_position", limit=2) == providers(limit=MANY)
    claims = partial(read_claims, connection, at)
    assert paged(claims, "consumer.id", limit=2) == claims(limit=MANY)
    requests = partial(read_requests, connection, at)
    assert paged(requests, "submitted_position", limit=7) == requests(limit=MANY)
    traits = partial(read_traits, connection)
    assert paged(traits, "name", limit=100) == traits(limit=MANY)


def test_a_reason_names_the_roots_of_its_time(connection: Connection, log: list[Recorded]) -> None:
    refusals = [one for one in log if isinstance(one.event, RequestRefused)]
    named = 0
    for refused in refusals:
        providers = states([one for one in log if one.position <= refused.position], Provider)
        registered = {
            id_of(one.event.originator_id): one.position
            for one in log
            if one.event.TOPIC == "provider.registered"
        }
        for reason in getattr(refused.event, "reasons", ()):
            expected = [
                (id, provider.name)
                for id, provider in providers.items()
                if provider.exists
                and provider.parent_id is None
                and any(first <= registered[id] <= last for first, last in reason.providers)
            ]
            roots = partial(expand_ranges, connection, reason.providers, refused.position)
            found = paged(roots, "registered_position", limit=2)
            assert [(row.provider_id, row.provider_name) for row in found] == expected
            assert len(found) == reason.count
            named += len(found)
    assert named > 5


def test_a_range_names_a_provider_from_its_registration_until_its_deletion(
    connection: Connection, log: list[Recorded]
) -> None:
    ends = 0
    for one in log:
        position, everyone = one.position, [(1, len(log))]
        before = expand_ranges(connection, everyone, position - 1, limit=MANY)
        now = expand_ranges(connection, everyone, position, limit=MANY)
        gone = {row.provider_id for row in before} - {row.provider_id for row in now}
        come = {row.provider_id for row in now} - {row.provider_id for row in before}
        if one.event.TOPIC == "provider.registered":
            assert come <= {id_of(one.event.originator_id)}
        if one.event.TOPIC == "provider.deleted":
            assert gone <= {id_of(one.event.originator_id)}
            ends += len(gone)
        assert not gone or one.event.TOPIC in ("provider.deleted", "provider.moved")
        assert not come or one.event.TOPIC in ("provider.registered", "provider.moved")
    assert ends
