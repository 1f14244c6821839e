"""Claims as they are or were at a time: the claims read model's answers."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, Row, select

from domain.events import Fact
from domain.times import from_micros, to_micros
from projections.allocation_rows import AllocationRow, allocation_rows, shares_from_json
from projections.capacity_tables import counts_at
from projections.claims_tables import claim_providers, claims
from projections.schema_version import columns_in


class Holder(Fact):
    """A consumer; which group it is in, its request tells."""

    id: str
    type: str


class ClaimRow(Fact):
    """What a consumer holds, or, if it holds nothing any more, the last claim that it held."""

    consumer: Holder
    project_id: str
    user_id: str
    request_id: str
    status: Literal["held", "active", "released"]
    allocations: list[AllocationRow]
    held_until: datetime | None
    version: int
    changed_at: datetime


def read_claims(
    connection: Connection,
    at: datetime,
    *,
    project_id: str | None = None,
    user_id: str | None = None,
    consumer_type: str | None = None,
    provider_id: str | None = None,
    after: str | None = None,
    limit: int = 100,
) -> list[ClaimRow]:
    """What is held or active at a time, by consumer id, those after `after`."""
    moment = to_micros(at)
    statement = (
        select(*columns_in(connection, claims))
        .where(counts_at(claims, moment))
        .order_by(claims.c.consumer_id)
        .limit(limit)
    )
    equals = {"project_id": project_id, "user_id": user_id, "consumer_type": consumer_type}
    for name, value in equals.items():
        if value is not None:
            statement = statement.where(claims.c[name] == value)
    if provider_id is not None:
        there = select(claim_providers.c.from_position).where(
            claim_providers.c.provider_id == provider_id
        )
        statement = statement.where(claims.c.from_position.in_(there))
    if after is not None:
        statement = statement.where(claims.c.consumer_id > after)
    return [_claim_row(row, moment) for row in connection.execute(statement)]


def read_claim(connection: Connection, consumer_id: str, at: datetime) -> ClaimRow | None:
    """The consumer's claim at a time, or the last one it had; None if it never had one by then."""
    moment = to_micros(at)
    statement = (
        select(*columns_in(connection, claims))
        .where(claims.c.consumer_id == consumer_id, claims.c.from_at <= moment)
        .order_by(claims.c.from_position.desc())
        .limit(1)
    )
    row = connection.execute(statement).one_or_none()
    return None if row is None else _claim_row(row, moment)


def _claim_row(row: Row[Any], moment: int) -> ClaimRow:
    released = row.to_at is not None and row.to_at <= moment
    held_until = None if released or row.hold_until is None else from_micros(row.hold_until)
    return ClaimRow(
        consumer=Holder(id=row.consumer_id, type=row.consumer_type),
        project_id=row.project_id,
        user_id=row.user_id,
        request_id=row.request_id,
        status="released" if released else row.status,
        allocations=[] if released else allocation_rows(shares_from_json(row.shares)),
        held_until=held_until,
        version=(row.ended_version if released else None) or row.version,
        changed_at=from_micros(row.to_at if released else row.from_at),
    )
