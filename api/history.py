"""History: every event, as people read it, or raw."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

from fastapi import Query, Request
from pydantic import BaseModel, JsonValue
from starlette.responses import Response

from api.house import House
from api.identities import RequestId
from api.openapi import noun, reads
from api.paging import Cursor, CursorText, Limit, Page, page_response
from api.reads import OfConsumer, OfProject, OfProvider, house_of
from api.times import Time
from projections.history import read_history
from projections.projection import Recorded
from projections.providers import provider_names
from projections.sentences import providers_of, summary

router = noun("history")

_cursor: Cursor[int] = Cursor("history", int)


class HistoryItem(BaseModel):
    """An event, in a sentence. `version` is its place in its stream, `position` in the log."""

    position: int
    at: datetime
    type: str
    stream: str
    version: int
    summary: str


class RawHistoryItem(HistoryItem):
    """The same, with all that the event says."""

    data: dict[str, JsonValue]


@router.get(
    "/v1/history",
    response_model=Page[RawHistoryItem | HistoryItem],
    **reads("bad_time", paged=True),
)
async def list_history(
    request: Request,
    *,
    provider_id: OfProvider = None,
    consumer_id: OfConsumer = None,
    project_id: OfProject = None,
    request_id: Annotated[RequestId | None, Query(description="Only of this request.")] = None,
    since: Annotated[Time | None, Query(alias="from", description="From then on.")] = None,
    until: Annotated[Time | None, Query(alias="to", description="Before then.")] = None,
    order: Annotated[
        Literal["asc", "desc"], Query(description="The log's, or the newest first.")
    ] = "asc",
    raw: Annotated[bool, Query(description="Add all that each event says, as `data`.")] = False,
    limit: Limit = 100,
    cursor: CursorText = None,
) -> Response:
    """Events in the order of the log."""
    house = house_of(request)
    after = _cursor.find(cursor)
    rows = await house.query(
        lambda connection: read_history(
            connection,
            provider_id=provider_id,
            consumer_id=consumer_id,
            project_id=project_id,
            request_id=request_id,
            from_at=since,
            to_at=until,
            after_position=after,
            descending=order == "desc",
            limit=limit + 1,
        ),
        "history",
    )
    following = _cursor.after(rows, limit, lambda row: row.position)
    events = await house.events([row.position for row in rows[:limit]])
    return page_response(await history_items(house, events, raw=raw), following)


async def history_items(
    house: House, events: Sequence[Recorded], *, raw: bool
) -> list[HistoryItem]:
    """Each event in a sentence, with the names of the providers that it names."""
    ids = {provider_id for recorded in events for provider_id in providers_of(recorded.event)}
    names = await house.query(lambda connection: provider_names(connection, ids), "capacity")
    tell = _raw_item if raw else _item
    return [tell(recorded, summary(recorded.event, names)) for recorded in events]


def _item(recorded: Recorded, sentence: str) -> HistoryItem:
    event = recorded.event
    return HistoryItem(
        position=recorded.position,
        at=event.at,
        type=event.TOPIC,
        stream=event.originator_id,
        version=event.originator_version,
        summary=sentence,
    )


def _raw_item(recorded: Recorded, sentence: str) -> HistoryItem:
    told = _item(recorded, sentence)
    return RawHistoryItem(**dict(told), data=recorded.event.model_dump(mode="json"))
