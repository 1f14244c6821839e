"""From a line of a bill down to the events that it follows from."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from api.house import House
from domain.claim import ClaimEvent
from domain.price_book import PriceBook, PriceBookPublished
from domain.rating import RatedLine
from domain.request import Request
from domain.times import from_micros
from projections.held import read_inventory_position
from projections.history import read_history
from projections.price_books import PriceBookRow
from projections.projection import Recorded

A_MOMENT = timedelta(microseconds=1)
AT_ONCE = 1_000


async def events_of(
    house: House, line: RatedLine, book: PriceBookRow, position: int
) -> list[Recorded]:
    """In the order of the log, none after `position`."""
    held = line.held
    until = line.to_at if held.to_at is None else held.to_at
    # The events of a moment are those at it, as a hold is lapsed by one that has its deadline.
    claimed = await _positions(
        house,
        consumer_id=held.consumer_id,
        from_at=from_micros(held.claimed_at),
        to_at=from_micros(until) + A_MOMENT,
    )
    requested = await _positions(house, request_id=held.request_id)
    published = await _at(house, book.published_at)
    inventory = await _inventory(house, line, position)
    places = {*claimed, *requested, *published, *inventory}
    events = await house.events(sorted(place for place in places if place <= position))
    return [
        one
        for one in events
        if one.position in inventory or _is_of_claim(one, line) or _publishes(one, book)
    ]


def _is_of_claim(one: Recorded, line: RatedLine) -> bool:
    """Of the claim or its request; what the providers say of it is the other half of the same."""
    event, held = one.event, line.held
    if isinstance(event, ClaimEvent):
        return event.consumer_id == held.consumer_id
    return event.originator_id == Request.stream_of(held.request_id)


def _publishes(one: Recorded, book: PriceBookRow) -> bool:
    event = one.event
    return (
        isinstance(event, PriceBookPublished)
        and event.originator_id == PriceBook.stream_of(book.name)
        and event.number == book.number
    )


async def _inventory(house: House, line: RatedLine, position: int) -> set[int]:
    """What told of the unit's attributes, where the line is for a unit."""
    part = line.part
    name = part.resource_class
    if name is None or part.unit is None:
        return set()
    found = await house.query(
        lambda connection: read_inventory_position(
            connection, part.provider_id, name, line.from_at, position
        ),
        "capacity",
    )
    return set() if found is None else {found}


async def _at(house: House, moment: datetime) -> list[int]:
    return await _positions(house, from_at=moment, to_at=moment + A_MOMENT)


async def _positions(house: House, **filters: Any) -> list[int]:
    found: list[int] = []
    while True:
        after = found[-1] if found else None
        rows = await house.query(
            lambda connection: read_history(
                connection,
                after_position=after,  # noqa: B023 - it runs before the next turn.
                limit=AT_ONCE,
                **filters,
            ),
            "history",
        )
        found += [row.position for row in rows]
        if len(rows) < AT_ONCE:
            return found
