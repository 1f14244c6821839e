"""What each project has to pay for a period, by one price book."""

from __future__ import annotations

from decimal import Decimal

from fastapi import Request
from pydantic import BaseModel
from starlette.responses import Response

from api.bills import PinnedBill
from api.openapi import noun, reads
from api.paging import Cursor
from api.price_books import find_price_book
from api.reads import house_of, json_response
from api.reckoned_projects import REFUSALS, AskedProjects, Reckoning, reckoned_projects
from domain.values import OwnerId
from projections.statements import read_newest_charges

router = noun("statements")

_cursor: Cursor[str] = Cursor("statement totals", OwnerId)


class TotalView(BaseModel):
    """`charged` is what the closed statement comes to; null if the period is not closed."""

    project_id: str
    total: Decimal
    lines: int
    digest: str
    charged: Decimal | None


class TotalsPage(Reckoning):
    items: list[TotalView]
    next: str | None


@router.get(
    "/v1/statements/{period}/totals",
    response_model=TotalsPage,
    **reads(*REFUSALS, timed=True, paged=True),
)
async def list_totals(request: Request, asked: AskedProjects) -> Response:
    """What each project that held something has to pay for the period, as the log tells it."""
    after = _cursor.find(asked.cursor)
    book = await find_price_book(request, asked.price_book, asked.number)
    reckoned = await reckoned_projects(request, asked)
    projects = await reckoned.projects((book,), after)
    totals = [
        await _total(request, asked.period, await reckoned.bill(project, book))
        for project in projects[: asked.limit]
    ]
    page = TotalsPage(
        **dict(reckoned.head(book)),
        # What began before may turn out to be over before the period began.
        items=[one for one in totals if one.lines or one.charged is not None],
        next=_cursor.after(projects, asked.limit, lambda project: project),
    )
    return json_response(page)


async def _total(request: Request, period: str, pinned: PinnedBill) -> TotalView:
    pin = pinned.pin
    charges = await house_of(request).query(
        lambda connection: read_newest_charges(
            connection,
            project_id=pin.project_id,
            price_book=pin.price_book,
            period=period,
            limit=1,
        ),
        "statements",
    )
    return TotalView(
        project_id=pin.project_id,
        total=pinned.bill.total,
        lines=len(pinned.bill.lines),
        digest=pinned.digest,
        charged=charges[0].charge.total if charges else None,
    )
