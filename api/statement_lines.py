"""The lines of statements, and the events that made each of them."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Request
from pydantic import Field
from starlette.responses import Response

from api.asked_statement import REFUSALS, AskedStatement, Found, find_statement
from api.history import HistoryItem, history_items
from api.line_events import events_of
from api.openapi import noun, reads
from api.paging import Cursor, CursorText, Limit, Page
from api.reads import house_of, json_response
from api.statement_views import LineView, line_view
from domain.errors import NotFound
from domain.values import LARGEST

router = noun("statements")

_cursor: Cursor[int] = Cursor("statement lines", Annotated[int, Field(ge=1)])

LineNumber = Annotated[int, Path(ge=1, le=LARGEST, description="The line's `number`.")]


class LineDetail(LineView):
    """A line, and the events that it follows from, in the order of the log: the request, all of
    the claim up to the line's end, what the unit was like, and the prices."""

    events: list[HistoryItem]


@router.get(
    "/v1/statements/{period}/lines",
    response_model=Page[LineView],
    **reads(*REFUSALS, timed=True, paged=True),
)
async def list_statement_lines(
    request: Request,
    *,
    asked: AskedStatement,
    limit: Limit = 100,
    cursor: CursorText = None,
) -> Response:
    """The lines of a statement, by the time at which what was held began."""
    last = _cursor.find(cursor) or 0
    bill = (await find_statement(request, asked)).pinned.bill
    some = list(enumerate(bill.lines[last : last + limit + 1], last + 1))
    following = _cursor.after(some, limit, lambda line: line[0])
    items = [line_view(*line) for line in some[:limit]]
    return json_response(Page[LineView](items=items, next=following))


@router.get(
    "/v1/statements/{period}/lines/{line}",
    response_model=LineDetail,
    **reads(*REFUSALS, "line_not_found", timed=True),
)
async def read_statement_line(
    request: Request,
    *,
    asked: AskedStatement,
    line: LineNumber,
) -> Response:
    """One line, down to the events that it follows from."""
    found = await find_statement(request, asked)
    return json_response(await _detail(request, found, line))


async def _detail(request: Request, found: Found, number: int) -> LineDetail:
    lines, house = found.pinned.bill.lines, house_of(request)
    if number > len(lines):
        raise NotFound("line_not_found", f"the statement has {len(lines)} lines")
    line = lines[number - 1]
    events = await events_of(house, line, found.book, found.pinned.pin.as_of.position)
    return LineDetail(
        **dict(line_view(number, line)), events=await history_items(house, events, raw=False)
    )
