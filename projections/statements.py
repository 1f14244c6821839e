"""The statements read model: every charge that was ever made, with its place in the log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import Field
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Index,
    MetaData,
    Row,
    Table,
    Text,
    func,
    select,
    tuple_,
)

from domain.charge import Charge
from domain.closed_statements import StatementClosed, StatementCorrected, StatementEvent
from domain.events import Fact
from domain.streams import topics_of
from domain.times import from_micros, to_micros
from projections.bulk import POSITION, Rows
from projections.projection import Changes, Recorded
from projections.schema_version import columns_in

metadata = MetaData()

charges = Table(
    "charges",
    metadata,
    Column("recorded_position", POSITION, primary_key=True, autoincrement=False),
    Column("recorded_at", BigInteger, nullable=False),
    Column("project_id", Text, nullable=False),
    Column("price_book", Text, nullable=False),
    Column("period", Text, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("charge", Text, nullable=False, doc="JSON"),
    Column("credit", Text, doc="minus what was charged before"),
    Column("reason", Text),
)
Index(
    "charges_by_statement",
    *(charges.c.project_id, charges.c.price_book, charges.c.period, charges.c.number),
    unique=True,
)
STATEMENT = (charges.c.project_id, charges.c.price_book, charges.c.period)
"""What a statement is known by."""


@dataclass(slots=True)
class RecordedCharge:
    recorded_position: int
    recorded_at: int
    project_id: str
    price_book: str
    period: str
    number: int
    charge: str
    credit: str | None
    reason: str | None


CHARGES = Rows(charges, RecordedCharge)


class StatementsProjection:
    name: str = "statements"
    version: int = 1
    oldest: int = 1
    metadata: MetaData = metadata
    topics: frozenset[str] | None = topics_of(StatementClosed, StatementCorrected)
    by_stream: bool = True

    def fold(self, connection: Connection, page: Sequence[Recorded]) -> Changes:  # noqa: ARG002
        found = [
            _recorded(one.position, one.event)
            for one in page
            if isinstance(one.event, StatementEvent)
        ]
        return [(CHARGES, found)]


def _recorded(position: int, event: StatementEvent) -> RecordedCharge:
    correction = event if isinstance(event, StatementCorrected) else None
    return RecordedCharge(
        recorded_position=position,
        recorded_at=to_micros(event.at),
        project_id=event.project_id,
        price_book=event.price_book,
        period=event.period,
        number=correction.number if correction else 1,
        charge=event.charge.model_dump_json(),
        credit=str(correction.credit) if correction else None,
        reason=correction.reason if correction else None,
    )


# --- Reading --------------------------------------------------------------------------------------


class ChargeRow(Fact):
    """One charge of a closed statement. `recorded_position` is that of the event that made it."""

    project_id: str
    price_book: str
    period: str
    number: int
    recorded_position: int
    recorded_at: datetime
    charge: Charge
    credit: str | None = Field(description="Minus what the charge before came to.")
    reason: str | None


def read_charges(
    connection: Connection, project_id: str, price_book: str, period: str
) -> list[ChargeRow]:
    """All charges of one statement, in order; none if it is not closed."""
    statement = (
        select(*columns_in(connection, charges))
        .where(
            charges.c.project_id == project_id,
            charges.c.price_book == price_book,
            charges.c.period == period,
        )
        .order_by(charges.c.number)
    )
    return [_row(row) for row in connection.execute(statement)]


def read_newest_charges(
    connection: Connection,
    *,
    project_id: str | None = None,
    price_book: str | None = None,
    period: str | None = None,
    after: tuple[str, str, str] | None = None,
    limit: int,
) -> list[ChargeRow]:
    """Of each closed statement its newest charge; by project, price book and period."""
    newest = select(*STATEMENT, func.max(charges.c.number).label("number")).group_by(*STATEMENT)
    for column, wanted in zip(STATEMENT, (project_id, price_book, period), strict=True):
        if wanted is not None:
            newest = newest.where(column == wanted)
    if after is not None:
        newest = newest.where(tuple_(*STATEMENT) > after)
    some = newest.order_by(*STATEMENT).limit(limit).subquery()
    statement = (
        select(*columns_in(connection, charges))
        .join(
            some,
            (some.c.project_id == charges.c.project_id)
            & (some.c.price_book == charges.c.price_book)
            & (some.c.period == charges.c.period)
            & (some.c.number == charges.c.number),
        )
        .order_by(*STATEMENT)
    )
    return [_row(row) for row in connection.execute(statement)]


def _row(row: Row[Any]) -> ChargeRow:
    return ChargeRow(
        project_id=row.project_id,
        price_book=row.price_book,
        period=row.period,
        number=row.number,
        recorded_position=row.recorded_position,
        recorded_at=from_micros(row.recorded_at),
        charge=Charge.model_validate_json(row.charge),
        credit=row.credit,
        reason=row.reason,
    )
