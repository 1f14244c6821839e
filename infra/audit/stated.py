"""What bills are said to come to: by the log itself, where they were charged, or by the service."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from domain.period import Period, period_of
from domain.times import from_micros
from infra.audit.replay import Asked, Publication, Replay


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """Where the log says what was charged. `number` counts the charges of a statement, from 1; the
    second and further ones give back, by their `credit`, what the charge `before` them said."""

    position: int
    stream: str
    at: datetime
    number: int
    rating: int
    credit: Decimal | None
    before: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """A bill for start <= time < end, from the log up to a position. The log says it where it is
    `recorded`, else the service does."""

    project_id: str
    period: str
    start: datetime
    end: datetime
    publication: Publication
    position: int
    currency: str
    total: Decimal
    lines: int
    digest: str
    recorded: Recorded | None = None

    @property
    def asked(self) -> Asked:
        return Asked(self.project_id, self.position)


def recorded_charges(replay: Replay, period: Period) -> list[Stated]:
    """All that was charged for the period, or for a part of it, in the order of the log."""
    found = replay.connection.execute(
        "SELECT *, row_number() OVER (PARTITION BY project, period, price_book "
        "ORDER BY event_position) AS nth FROM charges ORDER BY event_position"
    )
    names = [column[0] for column in found.description or ()]
    rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    charges = [(_charge(row, period_of(row["period"]))) for row in rows]
    return [one for one in charges if period.start <= one.start and one.end <= period.end]


def _charge(row: dict[str, Any], bounds: Period) -> Stated:
    return Stated(
        project_id=row["project"],
        period=row["period"],
        start=bounds.start,
        end=bounds.end,
        publication=Publication(row["price_book"], row["number"]),
        position=row["position"],
        currency=row["currency"],
        total=Decimal(row["total"]),
        lines=row["lines"],
        digest=row["digest"],
        recorded=Recorded(
            position=row["event_position"],
            stream=row["stream"],
            at=from_micros(row["recorded_at"]),
            number=row["nth"],
            rating=row["rating"],
            credit=_amount(row["credit"]),
            before=_amount(row["total_before"]) if row["is_correction"] else None,
        ),
    )


def _amount(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
