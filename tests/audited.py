"""A log audited, and the same bills as rating makes them from the read models."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine

from domain.currency import scale_of
from domain.period import Period
from domain.price_book import Prices
from domain.rating import Bill, needed_since, rate
from domain.times import to_micros
from infra.audit.log_source import DatabaseSource
from infra.audit.replay import Replay, open_replay
from infra.event_log import EventLog
from projections.held import held_from, read_flavors, read_intervals, read_units

Line = tuple[Any, ...]


@contextmanager
def loaded(log: EventLog) -> Iterator[Replay]:
    with open_replay() as replay:
        replay.load(DatabaseSource(log), lambda done, of: None)
        yield replay


def rated(
    engine: Engine,
    project_id: str,
    prices: Prices,
    period: Period,
    position: int,
) -> Bill:
    """As the service makes it from its read models, as of a position of the log."""
    start, end = map(to_micros, period)
    since = needed_since(prices, start)
    with engine.connect() as connection:
        intervals = read_intervals(connection, project_id, since, end, position)
        flavors = read_flavors(connection, [one.request_id for one in intervals])
        units = read_units(connection, intervals, position)
    return rate(list(held_from(intervals, flavors, units)), prices, start, end)


def lines_of(bill: Bill) -> list[Line]:
    """What the digest reads of each line."""
    return [
        (
            line.held.position,
            line.from_at,
            line.to_at,
            line.part.price.name,
            line.part.provider_id,
            line.part.resource_class or "",
            line.part.unit or "",
            line.part.flavor or "",
            line.part.amount,
            f"{line.unit_price.normalize():f}",
            f"{line.amount:.{scale_of(bill.currency)}f}",
        )
        for line in bill.lines
    ]
