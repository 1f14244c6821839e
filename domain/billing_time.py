"""Times as bills count them: whole microseconds since the epoch, and calendar months in UTC."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from domain.price import MonthRule, TimeUnit
from domain.times import from_micros, to_micros

Micros = int
"""Since the epoch, or how long something took."""

SECOND = 1_000_000
LENGTHS: dict[str, Micros] = {
    "second": SECOND,
    "minute": 60 * SECOND,
    "hour": 3_600 * SECOND,
    "day": 86_400 * SECOND,
    "730_hours": 730 * 3_600 * SECOND,
    "30_days": 30 * 86_400 * SECOND,
}


class Month(NamedTuple):
    """A calendar month in UTC, half-open."""

    start: Micros
    end: Micros


def month_of(time: Micros) -> Month:
    start = from_micros(time).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return Month(to_micros(start), to_micros(_next_month(start)))


def months(start: Micros, end: Micros) -> Iterator[Month]:
    """Every calendar month that has a part in start <= time < end."""
    while start < end:
        month = month_of(start)
        yield month
        start = month.end


def length_of(unit: TimeUnit, rule: MonthRule, month: Month) -> Micros:
    """How long a price's unit of time is in this month."""
    if unit != "month":
        return LENGTHS[unit]
    return month.end - month.start if rule == "calendar" else LENGTHS[rule]


def _next_month(start: datetime) -> datetime:
    return (start + timedelta(days=32)).replace(day=1)
