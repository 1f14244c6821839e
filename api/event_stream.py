"""The log as server-sent events, for as long as a client listens."""

from __future__ import annotations

from collections.abc import AsyncIterator

from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from api.house import House, Stopping, Unavailable
from projections.cloud_events import cloud_event
from projections.projection import Recorded

PAGE = 100
"""Events that are read at once; the next ones when the client has taken these."""
KEEP_ALIVE_SECONDS = 15.0
RETRY_MILLISECONDS = 1000

HEADERS = {
    "Cache-Control": "no-store",
    "Vary": "Accept",
    # A proxy that gathers an answer before it passes it on would withhold it for ever.
    "X-Accel-Buffering": "no",
}


async def event_stream(house: House, after: int) -> StreamingResponse:
    """The first page is read before the answer begins, so that a failure is told as usual."""
    first = await house.log(after, PAGE)
    return StreamingResponse(
        _told(house, after, first), headers=HEADERS, media_type="text/event-stream"
    )


async def _told(house: House, after: int, page: list[Recorded]) -> AsyncIterator[bytes]:
    """Ends when the service stops or the database is gone; the client comes again by itself, and
    says where it was. Nobody is told of an event before all those before it."""
    yield b"retry: %d\n\n" % RETRY_MILLISECONDS
    try:
        while True:
            if page:
                after = page[-1].position
                yield await run_in_threadpool(_messages, page, house.event_source)
            if await house.beyond(after, KEEP_ALIVE_SECONDS) > after:
                page = await house.log(after, PAGE)
            else:
                page = []
                yield b": still here\n\n"
    except (Stopping, Unavailable):
        return


def _messages(page: list[Recorded], source: str) -> bytes:
    """In a thread, as the writer needs the loop's own."""
    return b"".join(_message(recorded, source) for recorded in page)


def _message(recorded: Recorded, source: str) -> bytes:
    """JSON has no line breaks of its own, so that it is one line of data."""
    return b"id: %d\nevent: %b\ndata: %b\n\n" % (
        recorded.position,
        recorded.event.TOPIC.encode(),
        cloud_event(recorded, source),
    )
