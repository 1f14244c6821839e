"""The wishes that the demand of late is made of, read back from the log at the start."""

from __future__ import annotations

from collections.abc import Iterable

from domain.request import RequestSubmitted
from domain.wish import Wish
from infra.event_log import EventLog
from infra.log_rows import Selection
from projections.demand_mix import WINDOW, last_reading

SUBMITTED = Selection(frozenset({RequestSubmitted.TOPIC}))
PAGE = 10_000


def recent_wishes(log: EventLog, position: int) -> Iterable[tuple[int, Wish]]:
    """With their positions, in the log's order: those from the last reading before a position on,
    and so many before it as count."""
    reading = last_reading(position)
    rows = log.rows(max(0, reading - 1), position, SUBMITTED)
    counted = 0
    until = max(0, reading - 1)
    while until and counted < WINDOW:
        page = log.rows(max(0, until - PAGE), until, SUBMITTED)
        rows[:0] = page
        counted += len(page)
        until = max(0, until - PAGE)
    for row in rows[max(0, counted - WINDOW) :]:
        event = log.decode(row).event
        assert isinstance(event, RequestSubmitted)
        yield row.position, event.wish
