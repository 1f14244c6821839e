"""The live view's start: from its stored form, so that a long log need not be folded again."""

from __future__ import annotations

from sqlalchemy import Connection

from domain.allocation import Share
from domain.billing_time import Micros
from projections.live_capacity import LiveCapacity
from projections.open_capacity import (
    OpenProvider,
    open_holds,
    open_inventories,
    open_providers,
    open_units,
    open_usage,
)


def load_live_capacity(connection: Connection, moment: Micros | None = None) -> LiveCapacity:
    """The view as of the capacity projection's position (one transaction has to see both); or as
    it would have been at a moment."""
    view = LiveCapacity()
    moved: list[OpenProvider] = []
    for provider in open_providers(connection, moment):
        known = provider.parent_id is None or provider.parent_id in view.row_of
        if not known:
            moved.append(provider)
        row = view.add_provider(
            provider.provider_id,
            provider.name,
            provider.parent_id if known else None,
            provider.registered_position,
        )
        view.versions[row] = provider.version
        view.columns.set("generation", row, provider.generation or 0)
        view.set_traits(row, frozenset(provider.traits))
        view.set_groups(row, frozenset(provider.groups))
    for provider in moved:
        assert provider.parent_id is not None
        row, parent = view.row_of[provider.provider_id], view.row_of[provider.parent_id]
        view.forest.move(row, parent)
    for one in open_inventories(connection, moment):
        view.set_inventory(view.row_of[one.provider_id], one.resource_class, one.inventory)
    for used in open_usage(connection, moment):
        amounts = Share.model_construct(resources={used.resource_class: used.amount}, units={})
        view.count(view.row_of[used.provider_id], amounts, 1)
    for held in open_units(connection, moment):
        units = Share.model_construct(resources={}, units={held.resource_class: held.units})
        view.count(view.row_of[held.provider_id], units, 1)
    for request_id, hold_until in open_holds(connection) if moment is None else ():
        view.set_hold(request_id, hold_until)
    return view
