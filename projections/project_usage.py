"""What the consumers of a project hold together, by their type and by class."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Select,
    Text,
    cast,
    func,
    literal_column,
    null,
    select,
    true,
    union_all,
)

from domain.times import to_micros
from projections.capacity_tables import counts_at
from projections.claims_tables import claims


@dataclass(slots=True)
class TypeUsage:
    consumers: int = 0
    amounts: Counter[str] = field(default_factory=Counter)
    """By class."""


def read_project_usage(
    connection: Connection,
    at: datetime,
    *,
    project_id: str,
    user_id: str | None = None,
    consumer_type: str | None = None,
) -> dict[str, TypeUsage]:
    """By the consumers' type; at a time, holds included. The database adds up."""
    held = [counts_at(claims, to_micros(at)), claims.c.project_id == project_id]
    for column, value in ((claims.c.user_id, user_id), (claims.c.consumer_type, consumer_type)):
        if value is not None:
            held.append(column == value)
    found: dict[str, TypeUsage] = {}
    # One statement, so that both are of the same moment.
    for row in connection.execute(union_all(_consumers(held), _amounts(held))):
        usage = found.setdefault(row.consumer_type, TypeUsage())
        if row.resource_class is None:
            usage.consumers = int(row.total)
        else:
            usage.amounts[row.resource_class] = int(row.total)
    return found


def _consumers(held: list[ColumnElement[bool]]) -> Select[Any]:
    no_class = cast(null(), Text).label("resource_class")
    counted = select(claims.c.consumer_type, no_class, func.count().label("total"))
    return counted.where(*held).group_by(claims.c.consumer_type)


def _amounts(held: list[ColumnElement[bool]]) -> Select[Any]:
    """`json(text)` and the rest mean the same in SQLite and in PostgreSQL."""
    shares = func.json_each(func.json(claims.c.shares)).table_valued("key", "value", name="share")
    resources = shares.c.value.op("->")(literal_column("'resources'"))
    amounts = func.json_each(resources).table_valued("key", "value", name="amount")
    amount = cast(cast(amounts.c.value, Text), BigInteger)
    return (
        select(claims.c.consumer_type, amounts.c.key, func.sum(amount))
        .select_from(claims.join(shares, true()).join(amounts, true()))
        .where(*held)
        .group_by(claims.c.consumer_type, amounts.c.key)
    )
