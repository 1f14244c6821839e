"""Moments as the API reads them: RFC 3339 with an offset, always told in UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Query
from pydantic import BeforeValidator, WithJsonSchema

from api.problems import BadCall, BadTime

FIRST_YEAR, LAST_YEAR = 1970, 9998
"""Within these, every offset and every arithmetic on microseconds stays within datetime's range."""

# A plus sign in a query that nobody escaped arrives as a blank; there is no other reading of it.
RFC_3339 = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]([0-9]{2}:[0-9]{2}:[0-9]{2})"
    r"(?:\.([0-9]{1,9}))?(?:([Zz])|([+\- ])([0-9]{2}:[0-9]{2}))"
)


def parse_time(text: str) -> datetime:
    """The moment in UTC, cut to microseconds. Raises BadTime with a sentence for people."""
    found = RFC_3339.fullmatch(text)
    if found is None:
        raise BadTime("write it as RFC 3339 with an offset, like 2026-11-23T14:32:00Z")
    day, clock, fraction, zulu, sign, offset = found.groups()
    micros = (fraction or "")[:6].ljust(6, "0")
    zone = "+00:00" if zulu else f"{'-' if sign == '-' else '+'}{offset}"
    try:
        moment = datetime.fromisoformat(f"{day}T{clock}.{micros}{zone}")
    except ValueError as wrong:
        raise BadTime(str(wrong)) from wrong
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise BadTime(f"the year has to be {FIRST_YEAR} to {LAST_YEAR}")
    return moment.astimezone(UTC)


def _validated(value: object) -> object:
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str):
        raise BadTime("write a time as text in RFC 3339")
    return parse_time(value)


Time = Annotated[
    datetime,
    BeforeValidator(_validated),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]

At = Annotated[
    Time | None,
    Query(
        description="Answer as of this moment of the past (RFC 3339 with an offset).",
        examples=["2026-11-23T14:32:00Z"],
    ),
]


def require_past(now: datetime, *moments: datetime | None) -> None:
    """Nobody can tell yet what will be true in the future."""
    for moment in moments:
        if moment is not None and moment > now:
            raise BadCall("at_in_future", f"{moment.isoformat()} is later than the ledger's clock")
