"""Use and utilization over time, against the aggregates' own states at every moment.

Between two moments at which anything happens or lapses nothing changes, so what is true at each of
them for as long as it lasts is all that there is to add up.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from functools import partial
from itertools import pairwise
from math import floor

import pytest
from sqlalchemy import Connection

from domain.steps import Edges
from domain.times import from_micros, to_micros
from projections.capacity import read_capacity
from projections.held import read_projects
from projections.levels import PARTS
from projections.projection import Recorded
from projections.sites import Site, read_sites
from projections.usage import Projects, UseTable, count_classes
from projections.utilization import SiteUtilization, read_totals, site_utilization
from tests.databases import ENGINES
from tests.projected_log import PROJECTS, claims_at, providers_at, random_log
from tests.projected_reads import MANY, end, middle, module_database, paged, projected

Sums = dict[tuple[str, str, str], list[int]]
"""Amount × microseconds of each step, by project, status and class."""


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> list[Recorded]:
    return random_log(tmp_path_factory.mktemp("log"), seed=5, steps=400, assigning=True)


@pytest.fixture(scope="module", params=ENGINES)
def connection(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, log: list[Recorded]
) -> Iterator[Connection]:
    with module_database(request, tmp_path_factory) as scratch, projected(scratch, log) as opened:
        yield opened


@pytest.fixture(scope="module")
def edges(log: list[Recorded]) -> Edges:
    """Uneven steps from within the history to its end; some moments are edges themselves."""
    first, last = (to_micros(one(recorded.event.at for recorded in log)) for one in (min, max))
    inside = [first + (last - first) * part // 7 for part in (1, 2, 3)]
    return (*sorted([*inside, to_micros(middle(log))]), last - 1, last + 1)


def stretches(log: list[Recorded], edges: Edges) -> Iterator[tuple[int, int, int]]:
    """Step, start and end of each time in which nothing changes."""
    told = {to_micros(recorded.event.at) for recorded in log}
    told |= {to_micros(u) for r in log if (u := getattr(r.event, "hold_until", None)) is not None}
    for step, (start, until) in enumerate(pairwise(edges)):
        for ends in pairwise(sorted({start, until, *(at for at in told if start < at < until)})):
            yield step, *ends


@pytest.fixture(scope="module")
def expected(log: list[Recorded], edges: Edges) -> Sums:
    found: Sums = {}
    for step, start, until in stretches(log, edges):
        at = from_micros(start)
        for claim in claims_at(log, at).values():
            if claim.hold_until is not None and claim.hold_until <= at:
                continue
            for share in claim.shares.values():
                for name, amount in share.resources.items():
                    sums = found.setdefault((claim.project_id, claim.status, name), [0] * 5)
                    sums[step] += amount * (until - start)
    return found


def test_use_is_what_each_consumer_held_for_as_long_as_it_did(
    connection: Connection, edges: Edges, expected: Sums
) -> None:
    assert {status for _, status, _ in expected} == {"held", "active"}
    table = UseTable(edges)
    count_classes(table, connection, edges, Projects())
    found = {
        (project, status, name): use.of(status).sums()
        for project in PROJECTS
        for name, use in table.by_name(project).items()
        for status in ("held", "active")
    }
    assert {key: sums for key, sums in found.items() if any(sums)} == expected


def test_the_use_of_all_together_and_of_each_alone_is_the_same(
    connection: Connection, edges: Edges
) -> None:
    together, apart = UseTable(edges, together=True), UseTable(edges)
    count_classes(together, connection, edges, Projects())
    for project in PROJECTS:
        count_classes(apart, connection, edges, Projects(project, project))
    for name, use in together.by_name().items():
        alone = [apart.by_name(project)[name].claims.sums() for project in PROJECTS]
        assert use.claims.sums() == [sum(step) for step in zip(*alone, strict=True)]
    whole = UseTable((edges[0], edges[-1]), together=True)
    count_classes(whole, connection, (edges[0], edges[-1]), Projects())
    for name, use in whole.by_name().items():
        assert use.holds.sums() == [sum(together.by_name()[name].holds.sums())]


def test_projects_that_held_something_are_listed_in_pages(
    connection: Connection, edges: Edges
) -> None:
    read = partial(read_projects, connection, edges[0], edges[-1], MANY)
    assert read(limit=10) == ["blue", "red"]
    pages = [read(after=after, limit=1) for after in (None, "blue", "red")]
    assert pages == [["blue"], ["red"], []]
    assert read_projects(connection, 0, 1, MANY, limit=10) == []


# --- Utilization ----------------------------------------------------------------------------------


def read_all(
    connection: Connection, edges: Edges, *, trees: bool
) -> list[tuple[Site, SiteUtilization]]:
    read = partial(read_sites, connection, edges[-1], edges, trees=trees, limit=2)
    return [(site, site_utilization(site, None)) for site in paged(read, "registered_position")]


def test_utilization_over_time_is_what_the_providers_streams_say(
    connection: Connection, log: list[Recorded], edges: Edges
) -> None:
    used: Counter[tuple[str, str, int]] = Counter()
    had: Counter[tuple[str, str, int]] = Counter()
    peaks: dict[tuple[str, str, int], Fraction] = {}
    for step, start, until in stretches(log, edges):
        at = from_micros(start)
        for provider in (one for _, one in providers_at(log, at) if one.exists):
            usage: Counter[str] = Counter()
            for holding in provider.holdings.values():
                if holding.hold_until is None or holding.hold_until > at:
                    usage.update(holding.share.resources)
            for name, inventory in provider.inventories.items():
                key = (provider.id, name, step)
                had[key] += inventory.capacity * (until - start)
                used[key] += usage[name] * (until - start)
                if inventory.capacity:
                    part = Fraction(usage[name], inventory.capacity)
                    peaks[key] = max(part, peaks.get(key, part))
    compared = 0
    for _, one in read_all(connection, edges, trees=False):
        for line in one.classes:
            assert line.course is not None
            for step, (mean, peak) in enumerate(
                zip(line.course.means, line.course.peaks, strict=True)
            ):
                key = (one.provider_id, line.resource_class, step)
                assert mean == (rounded(Fraction(used[key], had[key])) if had[key] else None)
                assert peak == (rounded(peaks[key]) if key in peaks else None)
                compared += mean is not None
    assert compared > 50


def rounded(part: Fraction) -> float:
    return floor(part * PARTS + Fraction(1, 2)) / PARTS


def test_now_is_what_the_capacity_of_the_moment_says_by_provider_and_by_tree(
    connection: Connection, log: list[Recorded], edges: Edges
) -> None:
    rows = read_capacity(connection, from_micros(edges[-1]), limit=MANY)
    expected = {(row.provider_id, row.resource_class): row for row in rows}
    alone = read_all(connection, edges, trees=False)
    told = {
        (one.provider_id, line.resource_class): line
        for site, one in alone
        for line in one.classes
        if line.resource_class in site.stocks[one.provider_id].inventories
    }
    assert list(told) == list(expected)
    for key, line in told.items():
        row = expected[key]
        assert (line.capacity, line.usage) == (row.capacity, row.usage)
        assert (line.units is None) == (row.units is None)
        if row.units is not None and line.units is not None:
            assert line.units.free == sum(unit.usage == 0 for unit in row.units)
    trees = read_all(connection, edges, trees=True)
    assert sum(one.providers for _, one in trees) == len(alone) > len(trees)
    whole = {site.provider_id for site, _ in alone if site.is_whole}
    assert whole == {one.provider_id for _, one in trees if one.providers == 1}
    for site, one in alone:
        assert all((line.stranded is not None) <= site.is_whole for line in one.classes)


def test_totals_are_the_sums_over_all_trees(
    connection: Connection, log: list[Recorded], edges: Edges
) -> None:
    moment = to_micros(end(log))
    totals = read_totals(connection, moment, None, None)
    trees = [one for _, one in read_all(connection, (edges[0], moment), trees=True)]
    assert (totals.trees, totals.providers) == (len(trees), sum(one.providers for one in trees))
    for total in totals.classes:
        lines = [
            line
            for one in trees
            for line in one.classes
            if line.resource_class == total.resource_class
        ]
        assert total.capacity == sum(line.capacity for line in lines)
        assert total.usage == sum(line.usage for line in lines)
        assert total.stranded == sum(line.stranded or 0 for line in lines)
    over_time = read_totals(connection, edges[-1], edges, None)
    assert all(line.course is not None for line in over_time.classes)
