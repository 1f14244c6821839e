"""Who has how much of a provider: the busiest part of the capacity read model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from domain.allocation import Share, subtract
from domain.events import Event
from domain.provider_events import (
    Claimed,
    Lapsed,
    Released,
    Requested,
)
from domain.times import to_micros
from projections.capacity_tables import ALLOCATIONS, AllocationInterval, ProviderStream
from projections.json_text import from_text, to_text
from projections.projection import Recorded

Holder = tuple[int, str]
"""A provider's registered position and a consumer's id."""


class Holders:
    """The open interval of each of the page's holders, and the intervals that the page touched."""

    def __init__(
        self,
        connection: Connection,
        page: Sequence[Recorded],
        streams: Mapping[str, ProviderStream],
    ) -> None:
        self.streams = streams
        self.touched: dict[int, AllocationInterval] = {}
        is_open = ALLOCATIONS.table.c.to_position.is_(None)
        keys = [(consumer_id,) for consumer_id in _consumers_from_before(page)]
        self.open: dict[Holder, AllocationInterval] = {
            (row.registered_position, row.consumer_id): row
            for row in ALLOCATIONS.find(connection, ["consumer_id"], keys, is_open)
        }

    def fold(self, recorded: Recorded) -> None:
        handler = _HANDLERS.get(type(recorded.event))
        if handler is not None:
            handler(self, recorded.event, recorded.position)

    # --- One method per event ---------------------------------------------------------------------

    def requested(self, event: Requested, position: int) -> None:
        until = None if event.hold_until is None else to_micros(event.hold_until)
        share = event.share
        holder = self._holder(event)
        self.open[holder] = self.touched[position] = AllocationInterval(
            position,
            None,
            to_micros(event.at),
            until,
            until,
            *holder,
            event.request_id,
            event.project_id,
            to_text(share.resources),
            to_text(share.units) if share.units else None,
        )

    def claimed(self, event: Claimed, _: int) -> None:
        row = self.open[self._holder(event)]
        if row.hold_until is not None:
            row.to_at = row.hold_until = None
            self.touched[row.from_position] = row

    def released(self, event: Released, position: int) -> None:
        at = to_micros(event.at)
        row = self._end(event, position, at)
        rest = _rest_of(row, event.share)
        if rest is None:
            return
        holder = self._holder(event)
        self.open[holder] = self.touched[position] = AllocationInterval(
            position,
            None,
            at,
            row.hold_until,
            row.hold_until,
            *holder,
            row.request_id,
            row.project_id,
            to_text(rest.resources),
            to_text(rest.units) if rest.units else None,
        )

    def lapsed(self, event: Lapsed, position: int) -> None:
        self._end(event, position, to_micros(event.lapsed_at))

    def _end(self, event: Released | Lapsed, position: int, at: int) -> AllocationInterval:
        row = self.open.pop(self._holder(event))
        row.to_position, row.to_at = position, at
        self.touched[row.from_position] = row
        return row

    def _holder(self, event: Requested | Claimed | Released | Lapsed) -> Holder:
        return self.streams[event.originator_id].registered_position, event.consumer_id


def _rest_of(row: AllocationInterval, given: Share) -> Share | None:
    if row.units is None and row.resources == to_text(given.resources):
        return None  # All of it, as mostly. In another order it takes longer to tell.
    held = Share(
        resources=from_text(row.resources),
        units={} if row.units is None else from_text(row.units),
    )
    return subtract(held, given)


def _consumers_from_before(page: Sequence[Recorded]) -> list[str]:
    """The consumers of which an event of the page tells that took something before the page."""
    taken: set[tuple[str, str]] = set()
    before: dict[str, None] = {}
    for recorded in page:
        event = recorded.event
        if isinstance(event, Requested):
            taken.add((event.originator_id, event.consumer_id))
        elif (
            isinstance(event, (Claimed, Released, Lapsed))
            and (event.originator_id, event.consumer_id) not in taken
        ):
            before[event.consumer_id] = None
    return list(before)


_HANDLERS: dict[type[Event], Callable[[Holders, Any, int], None]] = {
    Requested: Holders.requested,
    Claimed: Holders.claimed,
    Released: Holders.released,
    Lapsed: Holders.lapsed,
}
