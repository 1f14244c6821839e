"""Folds the log into the history read model: every event is in one run, whatever it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import Connection, MetaData, select

from domain.events import Event
from domain.provider import Provider
from domain.request import Request, RequestSubmitted
from domain.streams import event_types, id_of
from domain.times import to_micros
from projections.bulk import Rows, key_part, key_table
from projections.history_tables import (
    LONGEST_RUN,
    PROVIDER_RUNS,
    RUNS,
    ProviderRun,
    Run,
    metadata,
    runs,
)
from projections.projection import Changes, Recorded
from projections.schema_version import columns_in

R = TypeVar("R")

Concerned = tuple[str | None, str | None, str | None]
"""The ids of a consumer, a project and a request."""
Asked = dict[str, Concerned]
"""Whom each request concerns, by stream: only its first event says it."""


class HistoryProjection:
    name: str = "history"
    version: int = 1
    oldest: int = 1
    metadata: MetaData = metadata
    topics: frozenset[str] | None = None
    by_stream: bool = False  # A run joins neighbours in the log, of whatever streams.

    def fold(self, connection: Connection, page: Sequence[Recorded]) -> Changes:
        asked = _who_asked(connection, page)
        lines = _Lines(connection, page[0].position)
        lines.add(page, asked)
        return [(RUNS, lines.runs), (PROVIDER_RUNS, lines.provider_runs)]


class _Lines:
    """The runs of a page. The first may go on with the one that the page before ended in."""

    def __init__(self, connection: Connection, position: int) -> None:
        self.runs = _ended_before(connection, RUNS, position)
        self.provider_runs = _ended_before(connection, PROVIDER_RUNS, position)

    def add(self, page: Sequence[Recorded], asked: Asked) -> None:
        """Every event of the log comes through here, so this is written to be fast."""
        readers = _readers()
        run = self.runs[-1] if self.runs else _NO_RUN
        concerns = (run.at, run.consumer_id, run.project_id, run.request_id)
        for recorded in page:
            event, position = recorded.event, recorded.position
            concerned = (to_micros(event.at), *readers[type(event)](event, asked))
            if (
                concerned == concerns
                and run.last_position == position - 1
                and position - run.first_position < LONGEST_RUN
            ):
                run.last_position = position
            else:
                run, concerns = Run(position, position, *concerned), concerned
                self.runs.append(run)
            if event.originator_id.startswith(_PROVIDER):
                self._add_provider(position, id_of(event.originator_id), run.first_position)

    def _add_provider(self, position: int, provider_id: str, run_position: int) -> None:
        last = self.provider_runs[-1] if self.provider_runs else None
        if (
            last is not None
            and last.last_position == position - 1
            and last.run_position == run_position
            and last.provider_id == provider_id
        ):
            last.last_position = position
        else:
            self.provider_runs.append(ProviderRun(position, position, run_position, provider_id))


_NO_RUN = Run(0, -1, 0, None, None, None)


def _ended_before(connection: Connection, rows: Rows[R], position: int) -> list[R]:
    """The run, if any, that ends just before this position."""
    table = rows.table
    near = table.c.first_position >= position - LONGEST_RUN
    ends = table.c.last_position == position - 1
    found = select(*columns_in(connection, table)).where(near, ends)
    return [rows.kind(*row) for row in connection.execute(found)]


def _who_asked(connection: Connection, page: Sequence[Recorded]) -> Asked:
    """Whom the page's requests concern: most are submitted in it, the others were before it."""
    asked: Asked = {}
    before: dict[str, None] = {}
    for recorded in page:
        event = recorded.event
        stream = event.originator_id
        if isinstance(event, RequestSubmitted):
            asked[stream] = (event.consumer.id, event.project_id, id_of(stream))
        elif stream.startswith(_REQUEST) and stream not in asked:
            before[stream] = None
    keyed = key_table((id_of(stream),) for stream in before)
    if keyed is not None:
        statement = (
            select(runs.c.consumer_id, runs.c.project_id, runs.c.request_id)
            .select_from(keyed)
            .where(runs.c.request_id == key_part(keyed, 0))
            .distinct()
        )
        for consumer_id, project_id, request_id in connection.execute(statement):
            asked[_REQUEST + request_id] = (consumer_id, project_id, request_id)
    return asked


# --- Whom an event concerns, by its type ----------------------------------------------------------

_PROVIDER = Provider.stream_of("")
_REQUEST = Request.stream_of("")


def _of_consumer_and_request(event: Any, _: Asked) -> Concerned:
    return event.consumer_id, event.project_id, event.request_id


def _of_consumer(event: Any, _: Asked) -> Concerned:
    return event.consumer_id, event.project_id, None


def _of_project(event: Any, _: Asked) -> Concerned:
    return None, event.project_id, None


def _of_request(event: Event, asked: Asked) -> Concerned:
    return asked[event.originator_id]


def _of_nobody(_: Event, __: Asked) -> Concerned:
    return None, None, None


@cache
def _readers() -> dict[type[Event], Callable[[Any, Asked], Concerned]]:
    return {kind: _reader(topic, kind) for topic, kind in event_types().items()}


def _reader(topic: str, kind: type[Event]) -> Callable[[Any, Asked], Concerned]:
    """By the stream's category, and by what the event carries."""
    if topic.partition(".")[0] == Request.CATEGORY:
        return _of_request
    if "consumer_id" in kind.model_fields:
        return _of_consumer_and_request if "request_id" in kind.model_fields else _of_consumer
    return _of_project if "project_id" in kind.model_fields else _of_nobody
