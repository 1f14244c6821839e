"""Periods of bills: a year, a month or a day in UTC, as people write them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from domain.errors import Invalid

WRITTEN = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?")


class Period(NamedTuple):
    """Half-open: `end` is the first moment after it."""

    start: datetime
    end: datetime


def period_of(text: str) -> Period:
    """`2026`, `2026-01` or `2026-01-31`. Raises Invalid."""
    found = WRITTEN.fullmatch(text)
    if found is None:
        raise _no_period(text)
    year, month, day = (None if part is None else int(part) for part in found.groups())
    assert year is not None
    try:
        start = datetime(year, month or 1, day or 1, tzinfo=UTC)
        if day is not None:
            return Period(start, start + timedelta(days=1))
        if month is not None:
            return Period(start, (start + timedelta(days=32)).replace(day=1))
        return Period(start, start.replace(year=year + 1))
    except (ValueError, OverflowError) as wrong:
        raise _no_period(text) from wrong


def _no_period(text: str) -> Invalid:
    return Invalid("bad_period", f"{text!r} is no period such as 2026, 2026-01 or 2026-01-31")
