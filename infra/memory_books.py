"""The books that use cases work on: hot aggregates in memory, and what is to be appended.

Events are applied as they are recorded, so each command sees those before it in the batch. When
the append fails, `roll_back` forgets every stream that the batch touched and reads it again.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TypeVar, cast

from domain.aggregate import Aggregate
from domain.events import Event
from domain.provider import Provider
from domain.provider_events import ProviderRegistered, Requested
from domain.request import Request, RequestSubmitted
from domain.streams import AGGREGATES, empty_aggregate, id_of
from domain.wish import Preference
from infra.event_log import Conflicted, EventLog
from projections.live_capacity import LiveCapacity
from projections.live_search import LiveSearch
from projections.projection import Recorded

A = TypeVar("A", bound=Aggregate)

KEPT = {"provider": 100_000, "claim": 50_000, "resource_class": 10_000, "trait": 10_000}
"""How many aggregates of a category stay in memory between batches. Others are soon done with."""
KEPT_OF_OTHERS = 1_000

CAPACITY_STREAMS = {Provider.CATEGORY, Request.CATEGORY}
"""Streams whose events the live view looks at."""


FIRST_FIT = Preference(policy="first_fit")


class MemoryBooks:
    """`domain.books.Books`; the writer alone owns it."""

    def __init__(
        self,
        log: EventLog,
        view: LiveCapacity,
        position: int,
        preference: Preference = FIRST_FIT,
    ) -> None:
        self.view = view
        self.preference = preference
        self.search = LiveSearch(view)
        self.position = position
        self.newest: datetime | None = None
        self.pending: list[Event] = []
        self._log = log
        self._cached: dict[str, OrderedDict[str, Aggregate]] = {
            kind.CATEGORY: OrderedDict() for kind in AGGREGATES
        }

    # --- For the use cases ------------------------------------------------------------------------

    def get(self, kind: type[A], id: str) -> A:
        cached = self._cached[kind.CATEGORY]
        aggregate = cached.get(id)
        if aggregate is None:
            aggregate = self._log.load(kind.stream_of(id))
            if isinstance(aggregate, Provider) and not self._view_agrees(aggregate):
                # Others appended since the last look: decide again, on a view that knows it too.
                raise Conflicted(aggregate.stream)
            cached[id] = aggregate
        else:
            cached.move_to_end(id)
        return cast(A, aggregate)

    def record(self, events: Sequence[Event]) -> None:
        self.pending += events  # First, so that whatever fails below is rolled back with them.
        for event in events:
            category, _, id = event.originator_id.partition(":")
            self._cached[category][id].apply(event)
            if category in CAPACITY_STREAMS:
                self.view.apply(event)

    # --- For the writer ---------------------------------------------------------------------------

    def expect_new(self, stream: str) -> None:
        """Take a stream as empty without looking. If it is not, the append will conflict."""
        aggregate = empty_aggregate(stream)
        self._cached[aggregate.CATEGORY].setdefault(aggregate.id, aggregate)

    def prefetch(self, streams: Iterable[str]) -> None:
        """Load what the coming commands are known to touch, in one query.

        But for providers: their streams are long, and are read from a snapshot on.
        """
        missing = []
        for stream in dict.fromkeys(streams):
            category, _, id = stream.partition(":")
            if category != Provider.CATEGORY and id not in self._cached[category]:
                missing.append(stream)
        if missing:
            for aggregate in self._log.load_many(missing):
                self._cached[aggregate.CATEGORY][aggregate.id] = aggregate

    def catch_up(self, page: int = 1_000) -> None:
        """Apply what other processes appended since."""
        while True:
            found = self._log.read(self.position, page)
            self.follow(found)
            if len(found) < page:
                return

    def follow(self, page: Iterable[Recorded]) -> None:
        for recorded in page:
            self._apply_foreign(recorded)
            self._observe(recorded.event, recorded.position)
            self.position = recorded.position
            at = recorded.event.at
            self.newest = at if self.newest is None else max(self.newest, at)

    def commit(self, positions: Sequence[int]) -> None:
        """The pending events are in the log now, at these positions."""
        while self.position + 1 < positions[0]:
            # Others appended between our last look and now, to streams that we did not touch.
            self.follow(self._log.read(self.position, 1_000, positions[0] - 1))
        for event, position in zip(self.pending, positions, strict=True):
            self._observe(event, position)
            if isinstance(event, ProviderRegistered):
                self._set_position(event, position)
        self.position = positions[-1]
        self.pending = []
        self._shrink()

    def roll_back(self) -> None:
        """Forget what was recorded and not appended."""
        touched = dict.fromkeys(event.originator_id for event in self.pending)
        self.pending = []
        for stream in touched:
            category, _, id = stream.partition(":")
            self._cached[category].pop(id, None)
        for stream in touched:
            category, _, id = stream.partition(":")
            if category == Provider.CATEGORY:
                provider = cast(Provider, self._log.load(stream))
                self.view.set_provider(provider)
            elif category == Request.CATEGORY:
                request = cast(Request, self._log.load(stream))
                self.view.set_hold(id, request.hold_until if request.status == "held" else None)

    def outgrown(self, every: int) -> list[Provider]:
        """Providers with pending events that are due for a snapshot.

        A snapshot costs as much as the provider has holders. So the more there are, the longer it
        takes to the next, and the cost per event stays the same.
        """
        due: list[Provider] = []
        for id in {id_of(e.originator_id) for e in self.pending if e.TOPIC == Requested.TOPIC}:
            provider = self.get(Provider, id)
            since = provider.version - provider.snapshot_version
            if since >= max(every, 4 * len(provider.holdings)):
                provider.snapshot_version = provider.version
                due.append(provider)
        return due

    def _view_agrees(self, provider: Provider) -> bool:
        known = self.view.version(provider.id)
        # A view that was loaded from its stored form has no row for what was deleted before.
        return known == provider.version or (provider.deleted and not known)

    def _observe(self, event: Event, position: int) -> None:
        """The demand of late goes by the log's order, so it waits until positions are known."""
        wish = event.wish if isinstance(event, RequestSubmitted) else None
        self.view.mix.observe(position, wish)

    def _apply_foreign(self, recorded: Recorded) -> None:
        event = recorded.event
        self.view.apply(event)
        if isinstance(event, ProviderRegistered):
            self._set_position(event, recorded.position)
        category, _, id = event.originator_id.partition(":")
        cached = self._cached[category]
        aggregate = cached.get(id)
        if aggregate is not None and aggregate.version < event.originator_version:
            aggregate.apply(event)

    def _set_position(self, event: ProviderRegistered, position: int) -> None:
        """A provider that was deleted, and is registered anew, keeps its first place."""
        stream = event.originator_id
        if event.originator_version > 1:
            position = self._log.positions([(stream, 1)])[stream, 1]
        self.view.set_position(id_of(stream), position)

    def _shrink(self) -> None:
        for category, cached in self._cached.items():
            for _ in range(len(cached) - KEPT.get(category, KEPT_OF_OTHERS)):
                cached.popitem(last=False)
