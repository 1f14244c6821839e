"""Statements: what a project has to pay for a period, by a price book, summed up."""

from __future__ import annotations

from fastapi import Request
from starlette.responses import Response

from api.asked_statement import REFUSALS, AskedStatement, Found, find_statement
from api.openapi import noun, reads
from api.reads import house_of, json_response
from api.statement_views import State, StatementView, charge_view
from domain.period import period_of
from domain.proof import Checkpoint
from domain.rating import RATING
from domain.statement import sums_by_price, sums_by_provider, sums_by_resource
from domain.times import from_micros, to_micros

router = noun("statements")


@router.get("/v1/statements/{period}", response_model=StatementView, **reads(*REFUSALS, timed=True))
async def read_statement(request: Request, asked: AskedStatement) -> Response:
    """What the project has to pay for the period, summed up, and the checkpoint it rests on."""
    found = await find_statement(request, asked)
    checkpoint = await house_of(request).proofs.checkpoint_of(found.pinned.pin.as_of.position)
    return json_response(_view(asked.period, found, checkpoint))


def _view(period: str, found: Found, checkpoint: Checkpoint | None) -> StatementView:
    pin, bill = found.pinned.pin, found.pinned.bill
    return StatementView(
        project_id=pin.project_id,
        period=period,
        from_at=from_micros(bill.start),
        until=from_micros(bill.end),
        state=_state(period, found),
        price_book=pin.price_book,
        price_book_number=pin.number,
        currency=bill.currency,
        total=bill.total,
        lines=len(bill.lines),
        by_resource=sums_by_resource(bill),
        by_price=sums_by_price(bill),
        by_provider=sums_by_provider(bill),
        position=pin.as_of.position,
        rating=RATING,
        digest=found.pinned.digest,
        charge=None if found.told is None else found.told.number,
        charges=[charge_view(one) for one in found.charges],
        checkpoint=checkpoint,
    )


def _state(period: str, found: Found) -> State:
    if found.told is not None:
        return "closed" if found.told.number == 1 else "corrected"
    return "complete" if found.pinned.pin.as_of.end == to_micros(period_of(period).end) else "open"
