"""How full providers are, now or over time, and what of the rest cannot be sold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import ColumnElement, Connection, Table, or_, select

from domain.billing_time import Micros
from domain.component import Expansion
from domain.events import Fact
from domain.steps import Edges
from domain.stranded import FreeByClass, Stock, UnitCount, count_units, in_proportion, room_for
from projections.capacity_tables import allocations, inventories
from projections.in_use import rows_of
from projections.json_text import from_text
from projections.levels import Levels, levels_of, part_of
from projections.sites import Site, read_sites

SITES_AT_ONCE = 1_000


class UnitsRow(Fact):
    """Units of a discrete class, by whether nothing, some or all of each is in use."""

    free: int
    partly_used: int
    used: int


class CourseRow(Fact):
    """Utilization over the period and in each of its steps: the average over time, and the peak.
    Null where there was no capacity."""

    mean: float | None
    peak: float | None
    means: list[float | None]
    peaks: list[float | None]


class ClassUtilization(Fact):
    """One class. `utilization` is usage / capacity. `stranded` is what is free but cannot be sold,
    because another class has run out; null where the shape does not ask for the class."""

    resource_class: str
    capacity: int
    usage: int
    available: int
    utilization: float | None
    stranded: int | None
    units: UnitsRow | None
    course: CourseRow | None


class SiteUtilization(Fact):
    """A tree of providers, told by its root, or one provider. `room` is how often the flavor still
    fits: null without a flavor, and where it would not fit if nothing were in use."""

    provider_id: str
    provider_name: str
    providers: int
    room: int | None
    classes: list[ClassUtilization]


def site_utilization(site: Site, flavor: Expansion | None) -> SiteUtilization:
    """What is stranded is told of whole trees only: a shape is placed across its tree."""
    stocks = list(site.stocks.values())
    free, room = _free(stocks, flavor) if site.is_whole else ({}, None)
    names = {name for stock in stocks for name in stock.inventories} | set(site.levels)
    return SiteUtilization(
        provider_id=site.provider_id,
        provider_name=site.provider_name,
        providers=len(stocks),
        room=room,
        classes=[
            _class(name, stocks, free, course_of(site.levels.get(name))) for name in sorted(names)
        ],
    )


def _free(stocks: Sequence[Stock], flavor: Expansion | None) -> tuple[FreeByClass, int | None]:
    if flavor is None:
        return in_proportion(stocks), None
    room = room_for(flavor, stocks)
    return ({}, None) if room is None else (room.free, room.flavors)


def _class(
    name: str, stocks: Sequence[Stock], free: FreeByClass, course: CourseRow | None
) -> ClassUtilization:
    having = [stock for stock in stocks if name in stock.inventories]
    capacity = sum(stock.inventories[name].capacity for stock in having)
    usage = sum(stock.usage.get(name, 0) for stock in having)
    return ClassUtilization(
        resource_class=name,
        capacity=capacity,
        usage=usage,
        available=capacity - usage,
        utilization=part_of(usage, capacity),
        stranded=free[name].stranded if name in free else None,
        units=units_row(count_units(having, name)),
        course=course,
    )


def course_of(levels: Levels | None) -> CourseRow | None:
    if levels is None:
        return None
    peaks = levels.peaks()
    return CourseRow(
        mean=levels.mean(),
        peak=max((one for one in peaks if one is not None), default=None),
        means=levels.means(),
        peaks=peaks,
    )


def units_row(count: UnitCount | None) -> UnitsRow | None:
    return None if count is None else UnitsRow(**count._asdict())


# --- All of them together -------------------------------------------------------------------------


class UtilizationTotals(Fact):
    """`trees` and `providers` at the end of the period; each class over all of them. `room` is how
    often the flavor still fits anywhere, null without one."""

    trees: int
    providers: int
    room: int | None
    classes: list[ClassUtilization]


class _Sum:
    def __init__(self) -> None:
        self.capacity = self.usage = 0
        self.stranded: int | None = None
        self.units: UnitCount | None = None

    def add(self, one: ClassUtilization) -> None:
        self.capacity += one.capacity
        self.usage += one.usage
        if one.stranded is not None:
            self.stranded = (self.stranded or 0) + one.stranded
        if one.units is not None:
            so_far = self.units or UnitCount(0, 0, 0)
            self.units = UnitCount(
                so_far.free + one.units.free,
                so_far.partly_used + one.units.partly_used,
                so_far.used + one.units.used,
            )


def read_totals(
    connection: Connection, moment: Micros, edges: Edges | None, flavor: Expansion | None
) -> UtilizationTotals:
    """Over all trees as of the moment, and over all providers that there were between the edges."""
    sums: dict[str, _Sum] = {}
    trees = providers = 0
    room: int | None = None if flavor is None else 0
    for site in _all_trees(connection, moment):
        told = site_utilization(site, flavor)
        trees += 1
        providers += told.providers
        if told.room is not None:
            room = (room or 0) + told.room
        for one in told.classes:
            sums.setdefault(one.resource_class, _Sum()).add(one)
    levels = {} if edges is None else _all_levels(connection, edges)
    return UtilizationTotals(
        trees=trees,
        providers=providers,
        room=room,
        classes=[
            _total(name, sums.get(name, _Sum()), course_of(levels.get(name)))
            for name in sorted({*sums, *levels})
        ],
    )


def _total(name: str, found: _Sum, course: CourseRow | None) -> ClassUtilization:
    return ClassUtilization(
        resource_class=name,
        capacity=found.capacity,
        usage=found.usage,
        available=found.capacity - found.usage,
        utilization=part_of(found.usage, found.capacity),
        stranded=found.stranded,
        units=units_row(found.units),
        course=course,
    )


def _all_trees(connection: Connection, moment: Micros) -> Iterator[Site]:
    after: int | None = None
    while True:
        sites = read_sites(connection, moment, None, trees=True, after=after, limit=SITES_AT_ONCE)
        yield from sites
        if len(sites) < SITES_AT_ONCE:
            return
        after = sites[-1].registered_position


def _all_levels(connection: Connection, edges: Edges) -> dict[str, Levels]:
    """Those of every class, of providers that are gone by now, too."""
    levels: dict[str, Levels] = {}
    table = inventories.c
    had = select(table.resource_class, table.capacity, table.from_at, table.to_at)
    for name, capacity, from_at, to_at in rows_of(
        connection, had.where(_within(inventories, edges))
    ):
        levels_of(levels, name, edges).add_capacity(capacity, from_at, to_at)
    used = select(allocations.c.resources, allocations.c.from_at, allocations.c.to_at)
    for text, from_at, to_at in rows_of(connection, used.where(_within(allocations, edges))):
        for name, amount in from_text(text).items():
            levels_of(levels, name, edges).add_usage(amount, from_at, to_at)
    return levels


def _within(table: Table, edges: Edges) -> ColumnElement[bool]:
    begun: ColumnElement[bool] = table.c.from_at < edges[-1]
    return begun & or_(table.c.to_at.is_(None), table.c.to_at > edges[0])
