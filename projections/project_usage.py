"""What the consumers of a project hold together, by their type and by class."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, select

from domain.times import to_micros
from projections.allocation_rows import shares_from_json
from projections.capacity_tables import counts_at
from projections.claims_tables import claims


@dataclass(slots=True)
class TypeUsage:
    consumers: int = 0
    amounts: Counter[str] = field(default_factory=Counter)
    """By class."""


def read_project_usage(
    connection: Connection, at: datetime, *, project_id: str, user_id: str | None = None
) -> dict[str, TypeUsage]:
    """By the consumers' type; at a time, holds included."""
    statement = select(claims.c.consumer_type, claims.c.shares).where(
        counts_at(claims, to_micros(at)), claims.c.project_id == project_id
    )
    if user_id is not None:
        statement = statement.where(claims.c.user_id == user_id)
    found: dict[str, TypeUsage] = {}
    for consumer_type, shares in connection.execute(statement):
        usage = found.setdefault(consumer_type, TypeUsage())
        usage.consumers += 1
        for share in shares_from_json(shares).values():
            usage.amounts.update(share.resources)
    return found
