"""The SQL read models tell exactly what the aggregates tell, at every moment, however they are fed.

The history is random but valid: the domain's own decisions made it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, create_engine
from sqlalchemy.pool import StaticPool

from domain.allocation import Shares
from domain.catalog import TraitDefined
from domain.inventory import DiscreteInventory
from domain.provider import Provider
from domain.streams import event_types
from domain.times import EPOCH
from infra.database import open_database
from projections.capacity import read_capacity, read_totals
from projections.claims import ClaimRow, read_claim, read_claims
from projections.history import read_history
from projections.open_capacity import (
    open_holds,
    open_inventories,
    open_providers,
    open_units,
    open_usage,
)
from projections.projection import Recorded
from projections.providers import ProviderRow, read_provider, read_providers
from tests.databases import ScratchDatabase
from tests.open_ledger import NOON, settings_from
from tests.projected_log import (
    claims_at,
    contents,
    cut,
    engine_of,
    project,
    providers_at,
    random_log,
)
from tests.projected_reads import paged

EVERYTHING = 1_000_000
LATER = timedelta(days=1)


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> list[Recorded]:
    return random_log(tmp_path_factory.mktemp("log"), seed=22, steps=500, assigning=True)


@pytest.fixture
def engine(database: ScratchDatabase) -> Iterator[Engine]:
    opened = open_database(settings_from(database.settings_environment))
    yield engine_of(opened)
    opened.close()


def in_memory() -> Engine:
    return create_engine("sqlite://", poolclass=StaticPool)


def moments(log: Sequence[Recorded]) -> list[datetime]:
    """When anything happened or lapsed, just before and just after; and before all of it."""
    told = {recorded.event.at for recorded in log}
    told |= {until for r in log if (until := getattr(r.event, "hold_until", None)) is not None}
    step = timedelta(microseconds=1)
    return sorted({EPOCH, *told, *(at - step for at in told), max(told) + LATER})


def test_the_random_history_has_an_event_of_every_type(log: list[Recorded]) -> None:
    """Otherwise the tests below would prove less than they say."""
    found = {recorded.event.TOPIC for recorded in log}
    assert set(event_types()) - found == {"provider.snapshot"}  # Kept beside the log.


# --- However it is cut ----------------------------------------------------------------------------


@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_any_cutting_into_pages_gives_the_same_tables(log: list[Recorded], data: Any) -> None:
    places = data.draw(st.lists(st.integers(1, len(log) - 1), max_size=60, unique=True))
    engine = in_memory()
    project(engine, [log])
    with engine.connect() as connection:
        whole = contents(connection)
    project(engine, cut(log, places))
    with engine.connect() as connection:
        assert contents(connection) == whole


@pytest.mark.parametrize("as_document", [False, True])
@pytest.mark.parametrize("size", [1, 7, EVERYTHING])
def test_both_engines_and_both_ways_to_write_give_the_same_tables(
    engine: Engine, log: list[Recorded], size: int, as_document: bool
) -> None:
    reference = in_memory()
    project(reference, [log])
    project(engine, cut(log, range(0, len(log), size)), as_document=as_document)
    with reference.connect() as expected, engine.connect() as found:
        assert contents(found) == contents(expected)


@given(places=st.lists(st.integers(1, 299), max_size=20, unique=True), descending=st.booleans())
@settings(max_examples=25, deadline=None)
def test_many_neighbours_of_one_moment_are_each_found_once(
    places: list[int], descending: bool
) -> None:
    """They are kept together as runs, which are only so long, wherever a page begins."""
    log = [
        Recorded(
            number,
            TraitDefined(originator_id=f"trait:CUSTOM_{number}", originator_version=1, at=NOON),
        )
        for number in range(1, 301)
    ]
    engine = in_memory()
    project(engine, [log])
    with engine.connect() as connection:
        whole = contents(connection)
    project(engine, cut(log, places))
    with engine.connect() as connection:
        assert contents(connection) == whole
        read = partial(read_history, connection, descending=descending, limit=7)
        found = [row.position for row in paged(read, "position", name="after_position")]
        assert found == sorted(range(1, 301), reverse=descending)


# --- At every moment ------------------------------------------------------------------------------


def test_capacity_at_every_moment_is_what_the_providers_streams_say(
    engine: Engine, log: list[Recorded]
) -> None:
    project(engine, cut(log, range(0, len(log), 50)))
    with engine.connect() as connection:
        for at in moments(log):
            expected = [
                line
                for position, provider in sorted(providers_at(log, at), key=lambda p: p[0])
                if provider.exists
                for line in capacity_lines(position, provider, at)
            ]
            found = read_capacity(connection, at, limit=EVERYTHING)
            assert [told(row) for row in found] == expected, at
            totals = {row.resource_class: row for row in read_totals(connection, at)}
            assert list(totals) == sorted({line[2] for line in expected})
            for name, row in totals.items():
                lines = [line for line in expected if line[2] == name]
                sums = [sum(line[n] for line in lines) for n in (3, 4, 5)]
                assert [row.total, row.capacity, row.usage] == sums
                assert (row.providers, row.available) == (len(lines), sums[1] - sums[2])


def told(row: Any) -> tuple[Any, ...]:
    units = row.units and {unit.name: unit.usage for unit in row.units}
    assert row.available == row.capacity - row.usage
    return (
        *(row.registered_position, row.provider_id, row.resource_class),
        *(row.total, row.capacity, row.usage, row.provider_name, units),
    )


def capacity_lines(position: int, provider: Provider, at: datetime) -> Iterator[tuple[Any, ...]]:
    usage: Counter[str] = Counter()
    unit_usage: Counter[tuple[str, str]] = Counter()
    for holding in provider.holdings.values():
        if holding.hold_until is None or holding.hold_until > at:
            usage.update(holding.share.resources)
            for name, parts in holding.share.units.items():
                unit_usage.update({(name, unit): amount for unit, amount in parts.items()})
    for name, one in sorted(provider.inventories.items()):
        units, total = None, one.capacity
        if isinstance(one, DiscreteInventory):
            units = {unit.name: unit_usage[name, unit.name] for unit in one.units}
        else:
            total = one.total
        yield position, provider.id, name, total, one.capacity, usage[name], provider.name, units


def test_providers_at_every_moment_are_what_their_streams_say(
    engine: Engine, log: list[Recorded]
) -> None:
    project(engine, cut(log, range(0, len(log), 50)))
    with engine.connect() as connection:
        for at in moments(log)[::5]:
            states = sorted(providers_at(log, at), key=lambda p: p[0])
            found = read_providers(connection, at, limit=EVERYTHING)
            assert [described(row) for row in found] == [
                described_state(provider) for _, provider in states if provider.exists
            ]
            for _, provider in states:
                one = read_provider(connection, provider.id, at)
                assert one is not None
                assert (one.deleted_at is not None) == provider.deleted
                assert provider.deleted or described(one) == described_state(provider)


def described(row: ProviderRow) -> tuple[Any, ...]:
    inventories, at = row.inventories, row.registered_at
    return row.id, row.name, row.parent_id, frozenset(row.traits), inventories, at


def described_state(provider: Provider) -> tuple[Any, ...]:
    return (
        *(provider.id, provider.name, provider.parent_id, provider.traits),
        *(provider.inventories, provider.registered_at),
    )


def test_claims_at_every_moment_are_what_the_consumers_streams_say(
    engine: Engine, log: list[Recorded]
) -> None:
    project(engine, cut(log, range(0, len(log), 50)))
    with engine.connect() as connection:
        for at in moments(log):
            states = sorted(claims_at(log, at).items())
            expected = []
            for consumer_id, claim in states:
                holds = claim.shares and (claim.hold_until is None or claim.hold_until > at)
                one = read_claim(connection, consumer_id, at)
                assert one is not None
                assert (one.status != "released") == bool(holds)
                if holds:
                    assert allocations(one) == flat(claim.shares)
                    assert (one.status, one.version) == (claim.status, claim.version)
                    assert (one.held_until, one.request_id) == (claim.hold_until, claim.request_id)
                    assert (one.project_id, one.user_id) == (claim.project_id, claim.user_id)
                    expected.append(one)
                else:
                    assert one.allocations == []
            assert read_claims(connection, at, limit=EVERYTHING) == expected


def allocations(row: ClaimRow) -> list[tuple[Any, ...]]:
    return [(a.provider_id, a.resource_class, a.amount, a.units) for a in row.allocations]


def flat(shares: Shares) -> list[tuple[Any, ...]]:
    return [
        (provider_id, name, amount, share.units.get(name))
        for provider_id, share in sorted(shares.items())
        for name, amount in sorted(share.resources.items())
    ]


# --- What the view in memory starts from ----------------------------------------------------------


def test_what_is_open_now_is_what_the_providers_streams_say(
    engine: Engine, log: list[Recorded]
) -> None:
    """At each of several places of the log: some have open holds, some none."""
    for end in (len(log) // 3, len(log) // 2, len(log)):
        seen = log[:end]
        project(engine, cut(seen, range(0, end, 50)))
        states = sorted(providers_at(seen, max(r.event.at for r in seen)), key=lambda p: p[0])
        alive = [(position, provider) for position, provider in states if provider.exists]
        holds = {
            (holding.request_id, holding.hold_until)
            for _, provider in alive
            for holding in provider.holdings.values()
            if holding.hold_until is not None
        }
        with engine.connect() as connection:
            assert [
                (
                    one.registered_position,
                    one.provider_id,
                    one.name,
                    one.version,
                    frozenset(one.traits),
                )
                for one in open_providers(connection)
            ] == [(n, p.id, p.name, p.version, p.traits) for n, p in alive]
            assert [
                (one.provider_id, one.resource_class, one.inventory)
                for one in open_inventories(connection)
            ] == [(p.id, *item) for _, p in alive for item in sorted(p.inventories.items())]
            used = {(u.provider_id, u.resource_class): u.amount for u in open_usage(connection)}
            assert used == {(p.id, c): n for _, p in alive for c, n in p.usage.items() if n}
            units = {(u.provider_id, u.resource_class): u.units for u in open_units(connection)}
            assert units == in_use_by_unit([provider for _, provider in alive])
            assert set(open_holds(connection)) == holds


def in_use_by_unit(providers: list[Provider]) -> dict[tuple[str, str], dict[str, int]]:
    found = {}
    for provider in providers:
        for name, used in provider.unit_usage.items():
            if parts := {unit: amount for unit, amount in used.items() if amount}:
                found[provider.id, name] = parts
    return found
