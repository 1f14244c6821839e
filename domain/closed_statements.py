"""The closed statements of one project by one price book: what was charged, and what corrected it.

A charge is never changed. Where the log tells later of something that happened in a closed period,
a correction takes the charge back (a credit) and makes a new one, in the same period. Periods that
meet are not both closed, so nothing is charged twice.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar

from pydantic import Field, StringConstraints

from domain.aggregate import Aggregate
from domain.charge import Charge
from domain.errors import Conflict, NotFound
from domain.events import Event
from domain.period import Period, period_of
from domain.values import OwnerId, PriceBookName

Reason = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]{1,500}$")]
"""Why a statement was corrected, as people say it."""


class StatementEvent(Event):
    project_id: OwnerId
    price_book: PriceBookName
    period: str
    charge: Charge


class StatementClosed(StatementEvent):
    """The project was charged for the period, for the first time."""

    TOPIC: ClassVar[str] = "statement.closed"


class StatementCorrected(StatementEvent):
    """The charge before is taken back by `credit`, and this one takes its place.

    `number` counts the period's charges, so the first correction has 2.
    """

    TOPIC: ClassVar[str] = "statement.corrected"
    number: Annotated[int, Field(ge=2)]
    credit: Decimal
    reason: Reason


class ClosedStatements(Aggregate):
    """One stream for each project and price book: `statement:BOOK/PROJECT`."""

    CATEGORY: ClassVar[str] = "statement"
    __slots__ = ("_charged",)

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self._charged: dict[str, list[StatementEvent]] = {}

    @staticmethod
    def id_of(price_book: str, project_id: str) -> str:
        return f"{price_book}/{project_id}"

    def _evolve(self, event: Any) -> None:
        self._charged.setdefault(event.period, []).append(event)

    def charged(self, period: str) -> list[StatementEvent]:
        """The period's closing and its corrections, in order. Raises NotFound."""
        if period not in self._charged:
            raise NotFound(
                "statement_not_found", f"the statement of {self.id} for {period} is not closed"
            )
        return self._charged[period]

    def close(
        self, at: datetime, project_id: str, price_book: str, period: str, charge: Charge
    ) -> list[Event]:
        bounds = period_of(period)
        if at < bounds.end:
            raise Conflict(
                "period_not_over", f"{period} ends at {bounds.end.isoformat()}; close it then"
            )
        self._require_open(period, bounds)
        return [
            self._next(
                StatementClosed,
                at,
                project_id=project_id,
                price_book=price_book,
                period=period,
                charge=charge,
            )
        ]

    def _require_open(self, period: str, bounds: Period) -> None:
        for closed in self._charged:
            start, end = period_of(closed)
            if start < bounds.end and bounds.start < end:
                how = "it can be corrected" if closed == period else f"{period} meets it"
                raise Conflict(
                    "period_closed", f"{closed} is closed for {self.id}; {how}", period=closed
                )

    def correct(self, at: datetime, period: str, charge: Charge, reason: str) -> list[Event]:
        """Charge anew. Raises Conflict where the charge is what was charged already."""
        charged = self.charged(period)
        last = charged[-1]
        before = last.charge
        is_same = (charge.currency, charge.digest) == (before.currency, before.digest)
        if is_same or charge.position < before.position:
            raise Conflict(
                "nothing_to_correct",
                f"the statement of {self.id} for {period} says what position "
                f"{charge.position} of the log says",
            )
        return [
            self._next(
                StatementCorrected,
                at,
                project_id=last.project_id,
                price_book=last.price_book,
                period=period,
                number=len(charged) + 1,
                credit=-before.total,
                charge=charge,
                reason=reason,
            )
        ]
