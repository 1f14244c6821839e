"""The table of the requests projection: one row for each request, with what became of it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import BigInteger, Column, Index, MetaData, Table, Text

from projections.bulk import LOOKED_UP, POSITION, Rows

metadata = MetaData()

requests = Table(
    "requests",
    metadata,
    Column("submitted_position", POSITION, primary_key=True, autoincrement=False),
    Column("id", Text, nullable=False),
    Column("status", Text, nullable=False, doc="as recorded: a hold that lapsed may be held here"),
    Column("version", BigInteger, nullable=False),
    Column("submitted_at", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    Column("hold_until", BigInteger),
    Column("consumer_id", Text, nullable=False),
    Column("consumer_type", Text, nullable=False),
    Column("project_id", Text, nullable=False),
    Column("user_id", Text, nullable=False),
    Column("changes_claim", BigInteger, nullable=False, doc="1 if it re-decides a claim, else 0"),
    Column("wish", Text, nullable=False, doc="JSON"),
    Column("outcome", Text, nullable=False, doc="JSON of the event that held, placed or refused"),
    Column("refused_position", BigInteger),
    Column("gang_id", Text, info={"since": 2}),
    Column("consumer_group", Text, info={"since": 2}),
)
Index("requests_by_id", requests.c.id, unique=True, info=LOOKED_UP)
Index("requests_by_status", requests.c.status, requests.c.submitted_position)
Index("requests_by_consumer", requests.c.consumer_id, requests.c.submitted_position)
Index("requests_by_project", requests.c.project_id, requests.c.submitted_position)
Index("requests_by_gang", requests.c.gang_id, requests.c.submitted_position)
Index("requests_by_user", requests.c.user_id, requests.c.submitted_position)


@dataclass(slots=True)
class RequestState:
    submitted_position: int
    id: str
    status: str
    version: int
    submitted_at: int
    changed_at: int
    hold_until: int | None
    consumer_id: str
    consumer_type: str
    project_id: str
    user_id: str
    changes_claim: int
    wish: str
    outcome: str
    refused_position: int | None
    gang_id: str | None
    consumer_group: str | None


REQUESTS = Rows(
    requests,
    RequestState,
    changing=("status", "version", "changed_at", "outcome", "refused_position"),
)
