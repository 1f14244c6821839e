"""Closing statements, and correcting them: what was charged is an event, and stays one."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from api.asked_statement import Asked, PeriodText, reckon
from api.openapi import noun, reads, writes
from api.paging import Cursor, CursorText, Limit, Page
from api.price_books import find_price_book
from api.reads import OfProject, house_of, json_response
from api.statement_views import State
from api.writes import Render, Write, shows
from domain import billing
from domain.books import Books
from domain.charge import Charge, charge_for
from domain.closed_statements import (
    ClosedStatements,
    Reason,
    StatementCorrected,
    StatementEvent,
)
from domain.errors import Conflict
from domain.period import period_of
from domain.values import LARGEST, OwnerId, PriceBookName
from projections.statements import ChargeRow, read_charges, read_newest_charges

router = noun("statements")


class ClosedStatementView(BaseModel):
    """A closed statement with its newest charge. All of its charges, and the bill, are told by
    `/v1/statements/{period}`."""

    project_id: str
    price_book: str
    period: str
    state: State
    charge: Charge
    number: int
    credit: str | None
    reason: str | None
    recorded_at: datetime


class Closing(BaseModel):
    """Whose statement is closed, and by which prices; `number` is a publication of the book, left
    out the newest or, of a correction, the one that was charged."""

    model_config = ConfigDict(extra="forbid")

    project_id: OwnerId
    price_book: PriceBookName
    number: Annotated[int | None, Field(ge=1, le=LARGEST)] = None


class Correction(Closing):
    reason: Reason


# --- Reading --------------------------------------------------------------------------------------

_cursor: Cursor[tuple[str, str, str]] = Cursor("statements", tuple[str, str, str])


@router.get("/v1/statements", response_model=Page[ClosedStatementView], **reads(paged=True))
async def list_statements(
    request: Request,
    *,
    project_id: OfProject = None,
    price_book: Annotated[
        PriceBookName | None, Query(description="Only by this price book.")
    ] = None,
    period: Annotated[str | None, Query(description="Only for this very period.")] = None,
    limit: Limit = 100,
    cursor: CursorText = None,
) -> Response:
    """The closed statements, by project, price book and period."""
    after = _cursor.find(cursor)
    rows = await house_of(request).query(
        lambda connection: read_newest_charges(
            connection,
            project_id=project_id,
            price_book=price_book,
            period=period,
            after=after,
            limit=limit + 1,
        ),
        "statements",
    )
    following = _cursor.after(rows, limit, lambda row: (row.project_id, row.price_book, row.period))
    items = [_of_row(row) for row in rows[:limit]]
    return json_response(Page[ClosedStatementView](items=items, next=following))


def _of_row(row: ChargeRow) -> ClosedStatementView:
    return ClosedStatementView(
        state="closed" if row.number == 1 else "corrected",
        **row.model_dump(exclude={"recorded_position", "charge"}),
        charge=row.charge,
    )


# --- Writing --------------------------------------------------------------------------------------


def _shown(period: str) -> Render:
    """The aggregate has all periods of the project; the answer is of one."""

    def view(statements: ClosedStatements) -> ClosedStatementView:
        charged = statements.charged(period)
        return _of_event(charged[-1], len(charged))

    return shows(view)


def _of_event(event: StatementEvent, number: int) -> ClosedStatementView:
    correction = event if isinstance(event, StatementCorrected) else None
    return ClosedStatementView(
        project_id=event.project_id,
        price_book=event.price_book,
        period=event.period,
        state="corrected" if correction else "closed",
        charge=event.charge,
        number=number,
        credit=str(correction.credit) if correction else None,
        reason=correction.reason if correction else None,
        recorded_at=event.at,
    )


async def _charge(write: Write, period: str, body: Closing, number: int | None) -> Charge:
    """The bill for the whole period, as the log tells it now."""
    end, now = period_of(period).end, house_of(write).now()
    if now < end:
        raise Conflict("period_not_over", f"{period} ends at {end.isoformat()}; close it then")
    book = await find_price_book(write, body.price_book, number)
    asked = Asked(period, body.project_id, book.name)
    pinned = await reckon(write, asked, book)
    return charge_for(pinned.bill, book.number, pinned.pin.as_of.position)


@router.post(
    "/v1/statements/{period}/close",
    response_model=ClosedStatementView,
    **writes("price_book_not_found", "no_price", "bad_period", "period_closed", "period_not_over"),
)
async def close_statement(write: Write, period: PeriodText, body: Closing) -> Response:
    """Charge a project for a period that is over. What is charged never changes any more: what the
    log tells later of the period is charged by a correction.

    Periods that meet are not both closed by one price book.
    """
    charge = await _charge(write, period, body, body.number)

    def use_case(books: Books, at: datetime) -> ClosedStatements:
        return billing.close_statement(
            books,
            at,
            project_id=body.project_id,
            price_book=body.price_book,
            period=period,
            charge=charge,
        )

    return await write.record(use_case, _shown(period), _streams(body))


@router.post(
    "/v1/statements/{period}/correct",
    response_model=ClosedStatementView,
    **writes(
        "price_book_not_found",
        *("no_price", "bad_period", "period_not_over"),
        *("statement_not_found", "nothing_to_correct"),
    ),
)
async def correct_statement(write: Write, period: PeriodText, body: Correction) -> Response:
    """Take back what was charged for a closed period, and charge what the log tells now.

    The prices are those of the charge before, unless another publication is named.
    """
    charged = await house_of(write).query(
        lambda connection: read_charges(connection, body.project_id, body.price_book, period),
        "statements",
    )
    # What was not closed is refused by the ledger itself.
    before = charged[-1].charge.price_book_number if charged else None
    charge = await _charge(write, period, body, body.number or before)

    def use_case(books: Books, at: datetime) -> ClosedStatements:
        return billing.correct_statement(
            books,
            at,
            project_id=body.project_id,
            price_book=body.price_book,
            period=period,
            charge=charge,
            reason=body.reason,
        )

    return await write.record(use_case, _shown(period), _streams(body))


def _streams(body: Closing) -> tuple[str]:
    return (ClosedStatements.stream_of(ClosedStatements.id_of(body.price_book, body.project_id)),)
