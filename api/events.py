"""The log as a feed: every event as a CloudEvent, page by page or as server-sent events.

Positions have no gaps and are in the order of the commits, so whoever keeps the position of the
last event that it has handled goes on after it, and misses nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import Header, Query, Request
from pydantic import AwareDatetime, BaseModel, Field, JsonValue, StringConstraints
from pydantic_core import to_json
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.event_stream import event_stream
from api.openapi import noun, reads
from api.paging import Limit
from api.preconditions import header
from api.reads import house_of
from projections.cloud_events import cloud_event, json_array
from projections.projection import Recorded

router = noun("events")

EVENT_STREAM = "text/event-stream"
LARGEST_POSITION = 2**53 - 1
"""What every reader of JSON counts exactly up to."""

After = Annotated[
    int,
    Query(ge=0, le=LARGEST_POSITION, description="A position: the events after it are told."),
]
LastEventId = Annotated[
    Annotated[str, StringConstraints(pattern=r"^[0-9]{0,18}$")] | None,
    Header(
        alias="Last-Event-ID",
        description="The `id` of the last event that the client got; wins over `after`. "
        "Only for a stream.",
    ),
]


class CloudEvent(BaseModel):
    """CloudEvents 1.0. `data` is what the event says; `id` is its position in the log."""

    specversion: Literal["1.0"]
    id: Annotated[str, Field(pattern="^[0-9]+$")]
    source: str
    type: Annotated[str, Field(examples=["provider.claimed"])]
    subject: Annotated[str, Field(description="The stream.", examples=["claim:web-1"])]
    time: AwareDatetime
    datacontenttype: Literal["application/json"]
    sequence: Annotated[
        str, Field(pattern="^[0-9]{20}$", description="The position, as a text that sorts.")
    ]
    streamversion: Annotated[int, Field(description="The event's place in its stream.")]
    data: dict[str, JsonValue]


class EventPage(BaseModel):
    """Some events, in the log's order."""

    items: list[CloudEvent]
    position: Annotated[int, Field(description="Of the last event here; go on after it.")]
    head: Annotated[int, Field(description="The log's newest position.")]
    next: Annotated[str, Field(description="Where what follows is told, now or later.")]


def _document() -> dict[str, Any]:
    """The same in two forms."""
    answers = dict(reads()["responses"])
    stream = {
        "schema": {"type": "string"},
        "example": 'id: 7\nevent: provider.claimed\ndata: {"specversion":"1.0","id":"7"}\n\n',
    }
    answers[200] = {"content": {EVENT_STREAM: stream}}
    return {"responses": answers}


@router.get("/v1/events", response_model=EventPage, **_document())
async def list_events(
    request: Request,
    *,
    after: After = 0,
    limit: Limit = 100,
    last_event_id: LastEventId = None,
) -> Response:
    """The events after a position, in the log's order and without gaps.

    With `Accept: text/event-stream` they are told as server-sent events, and so is every one to
    come, until the client goes; `limit` means nothing then.
    """
    house = house_of(request)
    if _wants_stream(header(request.scope["headers"], b"accept")):
        return await event_stream(house, int(last_event_id) if last_event_id else after)
    events = await house.log(after, limit)
    position = events[-1].position if events else after
    # Looked at after the events, so that it is never behind them.
    head = await house.head()
    rest = {
        "position": position,
        "head": head,
        "next": f"/v1/events?after={position}&limit={limit}",
    }
    body = await run_in_threadpool(_body, events, house.event_source, rest)
    return Response(body, media_type="application/json", headers={"Vary": "Accept"})


def _body(events: Sequence[Recorded], source: str, rest: dict[str, Any]) -> bytes:
    """In a thread, as a thousand events take their time and the writer needs the loop's own."""
    items = json_array(cloud_event(one, source) for one in events)
    return b'{"items":%b,%b' % (items, to_json(rest)[1:])


def _wants_stream(accept: str | None) -> bool:
    """True if the client names it; `*/*` alone means the page."""
    kinds = (accept or "").split(",")
    return any(kind.split(";")[0].strip().lower() == EVENT_STREAM for kind in kinds)
