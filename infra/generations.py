"""Generations of providers from the log itself, while what is stored does not tell them yet."""

from __future__ import annotations

from domain.provider_events import (
    GenerationRaised,
    GroupsChanged,
    InventoryChanged,
    ProviderRegistered,
    Released,
    Requested,
    TraitsChanged,
    raises_generation,
)
from domain.streams import id_of, topics_of
from infra.event_log import EventLog
from infra.log_rows import Selection
from projections.live_capacity import LiveCapacity

PAGE = 20_000
_TOLD_BY = Selection(
    topics=topics_of(
        *(ProviderRegistered, InventoryChanged, TraitsChanged, GroupsChanged),
        *(GenerationRaised, Requested, Released),
    )
)


def count_generations(log: EventLog, view: LiveCapacity, position: int) -> None:
    """Set those of a view that is of a position. It takes seconds for a million events."""
    generations: dict[str, int] = {}
    for after in range(0, position, PAGE):
        for row in log.rows(after, min(after + PAGE, position), _TOLD_BY):
            event = log.decode(row).event
            stream = event.originator_id
            before = 0 if type(event) is ProviderRegistered else generations[stream]
            generations[stream] = before + raises_generation(event)
    for stream, generation in generations.items():
        row_of = view.row_of.get(id_of(stream))
        if row_of is not None:
            view.columns.set("generation", row_of, generation)
