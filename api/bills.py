"""Bills, rated from the read models as of a position of the log.

What a bill is made of is settled by its pin, so one that was rated a moment ago is as good as one
rated again: whoever reads it page by page waits for the first page only.
"""

from __future__ import annotations

import asyncio
from functools import cached_property
from typing import NamedTuple

from fastapi import Request
from starlette.concurrency import run_in_threadpool

from api.held import read_held
from api.reads import house_of
from domain.billing_time import Micros
from domain.charge import digest_of
from domain.rating import Bill, needed_since, rate
from projections.price_books import PriceBookRow

KEPT_SECONDS = 60.0
MOST_LINES_KEPT = 200_000
"""Of all bills together."""


class AsOf(NamedTuple):
    """Of which time (half-open) a bill tells, and what position of the log tells it."""

    start: Micros
    end: Micros
    position: int


class Pin(NamedTuple):
    """All that a bill depends on, as publications and the log up to a position never change."""

    project_id: str
    price_book: str
    number: int
    as_of: AsOf


class PinnedBill:
    """A bill as of a position. Nothing of it ever changes."""

    def __init__(self, pin: Pin, bill: Bill) -> None:
        self.pin = pin
        self.bill = bill

    @cached_property
    def digest(self) -> str:
        return digest_of(self.bill)


class RecentBills:
    """Bills that were rated in the last minute; the newest is kept whatever its size."""

    def __init__(self, most_lines: int = MOST_LINES_KEPT) -> None:
        self._most_lines = most_lines
        self._kept: dict[Pin, PinnedBill] = {}

    def find(self, pin: Pin) -> PinnedBill | None:
        return self._kept.get(pin)

    def keep(self, rated: PinnedBill) -> None:
        self._kept[rated.pin] = rated
        asyncio.get_running_loop().call_later(KEPT_SECONDS, self._kept.pop, rated.pin, None)
        lines = sum(len(one.bill.lines) for one in self._kept.values())
        for pin in list(self._kept)[:-1]:
            if lines > self._most_lines:
                lines -= len(self._kept.pop(pin).bill.lines)


async def rated_bill(
    request: Request, project_id: str, book: PriceBookRow, as_of: AsOf
) -> PinnedBill:
    """Raises Conflict where something has no price."""
    recent: RecentBills = request.app.state.recent_bills
    pin = Pin(project_id, book.name, book.number, as_of)
    found = recent.find(pin)
    if found is None:
        since = needed_since(book, as_of.start)
        held = await read_held(house_of(request), project_id, since, as_of.end, as_of.position)
        bill = await run_in_threadpool(rate, held, book, as_of.start, as_of.end)
        found = PinnedBill(pin, bill)
        recent.keep(found)
    return found
