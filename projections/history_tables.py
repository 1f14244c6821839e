"""The tables of the history projection: where in the log each consumer and provider is spoken of.

Neighbouring events of one moment that concern the same consumer, project and request are one run,
for one row. What an event says (its type, too) is in the log, and is read from there.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import BigInteger, Column, Index, MetaData, Table, Text

from projections.bulk import LOOKED_UP, POSITION, Rows

LONGEST_RUN = 64
"""So that a page that starts in the middle of a run knows how far back to look for its start."""

metadata = MetaData()

runs = Table(
    "runs",
    metadata,
    Column("first_position", POSITION, primary_key=True, autoincrement=False),
    Column("last_position", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("consumer_id", Text),
    Column("project_id", Text),
    Column("request_id", Text),
)
Index("runs_by_time", runs.c.at)
Index("runs_by_consumer", runs.c.consumer_id, runs.c.first_position)
Index("runs_by_project", runs.c.project_id, runs.c.first_position)
Index("runs_by_request", runs.c.request_id, runs.c.first_position, info=LOOKED_UP)

provider_runs = Table(
    "provider_runs",
    metadata,
    Column("first_position", POSITION, primary_key=True, autoincrement=False),
    Column("last_position", BigInteger, nullable=False),
    Column("run_position", BigInteger, nullable=False, doc="first_position of the run it is in"),
    Column("provider_id", Text, nullable=False),
)
"""Neighbours within a run that are also on the same provider's stream."""
Index(
    "provider_runs_by_provider",
    provider_runs.c.provider_id,
    provider_runs.c.first_position,
)


@dataclass(slots=True)
class Run:
    first_position: int
    last_position: int
    at: int
    consumer_id: str | None
    project_id: str | None
    request_id: str | None


@dataclass(slots=True)
class ProviderRun:
    first_position: int
    last_position: int
    run_position: int
    provider_id: str


RUNS = Rows(runs, Run, changing=("last_position",))
PROVIDER_RUNS = Rows(provider_runs, ProviderRun, changing=("last_position",))
