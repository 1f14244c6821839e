"""Where in the log somebody is spoken of. What the events say is read from the log itself."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Select, select

from domain.events import Fact
from domain.times import from_micros, to_micros
from projections.history_tables import LONGEST_RUN, provider_runs, runs


class HistoryRow(Fact):
    """One event's place. The log has the event."""

    position: int
    at: datetime


def read_history(
    connection: Connection,
    *,
    provider_id: str | None = None,
    consumer_id: str | None = None,
    project_id: str | None = None,
    request_id: str | None = None,
    from_at: datetime | None = None,
    to_at: datetime | None = None,
    after_position: int | None = None,
    descending: bool = False,
    limit: int = 100,
) -> list[HistoryRow]:
    """Events by position, from `from_at` on and before `to_at`.

    They go on after `after_position`: upwards, or where descending downwards.
    """
    statement, first, last = _spans(provider_id)
    equals = {"consumer_id": consumer_id, "project_id": project_id, "request_id": request_id}
    for name, value in equals.items():
        if value is not None:
            statement = statement.where(runs.c[name] == value)
    if from_at is not None:
        statement = statement.where(runs.c.at >= to_micros(from_at))
    if to_at is not None:
        statement = statement.where(runs.c.at < to_micros(to_at))
    if after_position is not None and descending:
        statement = statement.where(first < after_position)
    elif after_position is not None:
        statement = statement.where(last > after_position, first > after_position - LONGEST_RUN)
    statement = statement.order_by(first.desc() if descending else first).limit(limit)
    found: list[HistoryRow] = []
    for span_first, span_last, at in connection.execute(statement):
        places = range(span_first, span_last + 1)
        found += [
            HistoryRow(position=position, at=from_micros(at))
            for position in (reversed(places) if descending else places)
            if _is_beyond(position, after_position, descending=descending)
        ]
    return found[:limit]


def _spans(
    provider_id: str | None,
) -> tuple[Select[int, int, int], ColumnElement[int], ColumnElement[int]]:
    """Runs of neighbours with their time; of one provider's stream only, if one is named."""
    if provider_id is None:
        first, last = runs.c.first_position, runs.c.last_position
        return select(first, last, runs.c.at), first, last
    first, last = provider_runs.c.first_position, provider_runs.c.last_position
    statement = (
        select(first, last, runs.c.at)
        .join(runs, runs.c.first_position == provider_runs.c.run_position)
        .where(provider_runs.c.provider_id == provider_id)
    )
    return statement, first, last


def _is_beyond(position: int, after: int | None, *, descending: bool) -> bool:
    if after is None:
        return True
    return position < after if descending else position > after
