"""Requests, whatever became of them: the requests read model's answers."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field
from sqlalchemy import ColumnElement, Connection, Row, and_, false, or_, select

from domain.allocation import Shares
from domain.component import Consumer
from domain.decision import Decision, Relaxation
from domain.events import Fact
from domain.request import Reason
from domain.times import from_micros, to_micros
from domain.wish import Wish
from projections.allocation_rows import AllocationRow, allocation_rows
from projections.requests_tables import requests
from projections.schema_version import columns_in, is_in, version_of

RequestStatus = Literal["held", "placed", "refused", "withdrawn", "expired"]


class Outcome(BaseModel):
    """What the row keeps of the event that decided: each has some of it, and its time too."""

    shares: Shares = {}
    mappings: tuple[tuple[str, ...], ...] = ()
    reasons: tuple[Reason, ...] = ()
    considered: int = 0
    relaxations: tuple[Relaxation, ...] = ()
    decision: Decision | None = None

    @property
    def option(self) -> int:
        """Which option of the wish was placed."""
        return 0 if self.decision is None else self.decision.option


class ReasonRow(Fact):
    option: int = 0
    code: str
    resource_class: str | None
    detail: str
    count: int


class RequestRow(Wish):
    """A request. `refusal` are its reasons with the ranges of providers, for `expand_ranges`."""

    id: str
    status: RequestStatus
    consumer: Consumer
    project_id: str
    user_id: str
    hold_until: datetime | None
    gang_id: str | None
    submitted_at: datetime
    allocations: list[AllocationRow]
    reasons: list[ReasonRow]
    relaxations: tuple[Relaxation, ...]
    decision: Decision | None
    version: int
    submitted_position: int = Field(exclude=True)
    refused_position: int | None = Field(exclude=True)
    refusal: tuple[Reason, ...] = Field(exclude=True)
    considered: int = Field(exclude=True)
    mappings: tuple[tuple[str, ...], ...] = Field(exclude=True)
    changes_claim: bool = Field(exclude=True)
    changed_at: datetime = Field(exclude=True)


def read_requests(
    connection: Connection,
    now: datetime,
    *,
    status: RequestStatus | None = None,
    project_id: str | None = None,
    user_id: str | None = None,
    consumer_id: str | None = None,
    gang_id: str | None = None,
    after: int | None = None,
    limit: int = 100,
) -> list[RequestRow]:
    """In the order in which they were submitted, those after the submitted position `after`."""
    moment = to_micros(now)
    statement = (
        select(*columns_in(connection, requests))
        .order_by(requests.c.submitted_position)
        .limit(limit)
    )
    if status is not None:
        statement = statement.where(_has_status(status, moment))
    equals = {"project_id": project_id, "user_id": user_id, "consumer_id": consumer_id}
    for name, value in equals.items():
        if value is not None:
            statement = statement.where(requests.c[name] == value)
    if gang_id is not None:
        known = is_in(requests.c.gang_id, version_of(connection))
        statement = statement.where(requests.c.gang_id == gang_id if known else false())
    if after is not None:
        statement = statement.where(requests.c.submitted_position > after)
    return [_request_row(row, moment) for row in connection.execute(statement)]


def read_request(connection: Connection, request_id: str, now: datetime) -> RequestRow | None:
    row = connection.execute(
        select(*columns_in(connection, requests)).where(requests.c.id == request_id)
    ).one_or_none()
    return None if row is None else _request_row(row, to_micros(now))


def outcome_of(text: str) -> Outcome:
    return Outcome.model_validate_json(text)


def _has_status(status: RequestStatus, moment: int) -> ColumnElement[bool]:
    """A hold whose deadline passed has expired, also before an event says so."""
    if status == "held":
        return and_(requests.c.status == "held", requests.c.hold_until > moment)
    recorded: ColumnElement[bool] = requests.c.status == status
    if status == "expired":
        lapsed = and_(requests.c.status == "held", requests.c.hold_until <= moment)
        return or_(recorded, lapsed)
    return recorded


def _request_row(row: Row[Any], moment: int) -> RequestRow:
    wish = Wish.model_validate_json(row.wish)
    lapsed = row.status == "held" and row.hold_until <= moment
    outcome = outcome_of(row.outcome)
    return RequestRow(
        id=row.id,
        status="expired" if lapsed else row.status,
        consumer=Consumer(id=row.consumer_id, type=row.consumer_type, group=row.consumer_group),
        project_id=row.project_id,
        user_id=row.user_id,
        **dict(wish),
        gang_id=row.gang_id,
        hold_until=None if row.hold_until is None else from_micros(row.hold_until),
        submitted_at=from_micros(row.submitted_at),
        allocations=allocation_rows(outcome.shares),
        reasons=[
            ReasonRow(
                option=reason.option,
                code=reason.code,
                resource_class=reason.resource_class,
                detail=reason.detail,
                count=reason.count,
            )
            for reason in outcome.reasons
        ],
        relaxations=outcome.relaxations,
        decision=outcome.decision,
        version=row.version,
        submitted_position=row.submitted_position,
        refused_position=row.refused_position,
        refusal=outcome.reasons,
        considered=outcome.considered,
        mappings=outcome.mappings,
        changes_claim=bool(row.changes_claim),
        changed_at=from_micros(row.changed_at),
    )
