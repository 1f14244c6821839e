"""What a project held in a period, as rating reads it: from three read models, put together.

All is told as of a position of the log, however far each of them has followed it: what an event
after it opened is left out, and what such an event ended is open.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, or_, select

from domain.allocation import Shares
from domain.billing_time import Micros
from domain.component import ExpandedFlavor
from domain.held import Attributes, Held, HeldFlavor, HeldUnit
from domain.inventory import DiscreteInventory
from domain.wish import Wish
from projections.allocation_rows import shares_from_json
from projections.bulk import key_part, key_table
from projections.capacity import inventory_adapter
from projections.capacity_tables import inventories
from projections.claims_tables import ClaimInterval, claims
from projections.requests import outcome_of
from projections.requests_tables import requests
from projections.schema_version import columns_in

FlavorsByRequest = Mapping[str, tuple[HeldFlavor, ...]]


class UnitsSince(NamedTuple):
    """The attributes of a class's units on one provider, from a moment on."""

    from_at: Micros
    attributes: Mapping[str, Attributes]


UnitHistory = Mapping[tuple[str, str], Sequence[UnitsSince]]
"""By provider and class, in order of time."""


def read_projects(
    connection: Connection,
    start: Micros,
    end: Micros,
    position: int,
    *,
    after: str | None = None,
    limit: int,
) -> list[str]:
    """The projects that held something in start <= time < end, by their ids."""
    statement = (
        select(claims.c.project_id)
        .where(*_within(start, end, position))
        .group_by(claims.c.project_id)
        .order_by(claims.c.project_id)
        .limit(limit)
    )
    if after is not None:
        statement = statement.where(claims.c.project_id > after)
    return list(connection.scalars(statement))


def read_intervals(
    connection: Connection, project_id: str, start: Micros, end: Micros, position: int
) -> list[ClaimInterval]:
    """The project's claims and holds with a part in start <= time < end, by consumer."""
    statement = (
        select(*columns_in(connection, claims))
        .where(claims.c.project_id == project_id, *_within(start, end, position))
        .order_by(claims.c.consumer_id, claims.c.from_position)
    )
    found = [ClaimInterval(*row) for row in connection.execute(statement)]
    for one in found:
        if one.to_position is not None and one.to_position > position:
            one.to_position, one.to_at, one.ended_version = None, one.hold_until, None
    return found


def _within(start: Micros, end: Micros, position: int) -> Iterator[ColumnElement[bool]]:
    yield claims.c.from_at < end
    yield claims.c.from_position <= position
    yield or_(
        claims.c.to_at.is_(None),
        claims.c.to_at >= start,
        # It may have ended before by an event that came later.
        claims.c.to_position > position,
    )


def read_flavors(connection: Connection, request_ids: Iterable[str]) -> FlavorsByRequest:
    """The flavors of these requests, and who serves each; only requests that have some."""
    keyed = key_table((id,) for id in dict.fromkeys(request_ids))
    if keyed is None:
        return {}
    statement = (
        select(requests.c.id, requests.c.wish, requests.c.outcome)
        .select_from(keyed)
        .where(requests.c.id == key_part(keyed, 0), requests.c.wish.contains('"flavor"'))
    )
    found: dict[str, tuple[HeldFlavor, ...]] = {}
    for id, wish, outcome in connection.execute(statement):
        placed = outcome_of(outcome)
        components = Wish.model_validate_json(wish).options[placed.option].components
        mappings = placed.mappings
        found[id] = tuple(
            HeldFlavor(component.name, component.expansion, provider_ids)
            for component, provider_ids in zip(components, mappings, strict=True)
            if isinstance(component, ExpandedFlavor)
        )
    return found


def read_units(
    connection: Connection, intervals: Iterable[ClaimInterval], position: int
) -> UnitHistory:
    """What the units were like that these intervals hold, at any time."""
    wanted = {
        (provider_id, name)
        for interval in intervals
        for provider_id, share in shares_from_json(interval.shares).items()
        for name in share.units
    }
    keyed = key_table(sorted(wanted))
    if keyed is None:
        return {}
    statement = (
        select(
            inventories.c.provider_id,
            inventories.c.resource_class,
            inventories.c.from_at,
            inventories.c.inventory,
        )
        .select_from(keyed)
        .where(
            inventories.c.provider_id == key_part(keyed, 0),
            inventories.c.resource_class == key_part(keyed, 1),
            inventories.c.from_position <= position,
        )
        .order_by(inventories.c.from_position)
    )
    found: dict[tuple[str, str], list[UnitsSince]] = defaultdict(list)
    for provider_id, name, from_at, text in connection.execute(statement):
        inventory = inventory_adapter().validate_json(text)
        if isinstance(inventory, DiscreteInventory):
            attributes = {unit.name: unit.attributes for unit in inventory.units}
            found[provider_id, name].append(UnitsSince(from_at, attributes))
    return found


def read_inventory_position(
    connection: Connection, provider_id: str, resource_class: str, at: Micros, position: int
) -> int | None:
    """Where in the log it is told what the class's units on the provider were like at a moment."""
    statement = (
        select(inventories.c.from_position)
        .where(
            inventories.c.provider_id == provider_id,
            inventories.c.resource_class == resource_class,
            inventories.c.from_at <= at,
            inventories.c.from_position <= position,
        )
        .order_by(inventories.c.from_position.desc())
        .limit(1)
    )
    return connection.scalar(statement)


# --- Put together ---------------------------------------------------------------------------------


def held_from(
    intervals: Sequence[ClaimInterval], flavors: FlavorsByRequest, units: UnitHistory
) -> Iterator[Held]:
    """`intervals` are by consumer and in order, as `read_intervals` gives them."""
    begins = {(one.consumer_id, one.from_position) for one in intervals}
    claimed_at: Micros = 0
    before: ClaimInterval | None = None
    for one in intervals:
        if before is None or not _goes_on(before, one):
            claimed_at = one.from_at
        before = one
        shares = shares_from_json(one.shares)
        is_whole = (one.consumer_id, one.to_position) not in begins
        cuts = _changes(shares, units, one.from_at, one.to_at)
        for from_at, to_at in zip(cuts, [*cuts[1:], one.to_at], strict=True):
            yield Held(
                consumer_id=one.consumer_id,
                position=one.from_position,
                status="claim" if one.status == "active" else "hold",
                claimed_at=claimed_at,
                from_at=from_at,
                to_at=to_at,
                ends_claim=is_whole and to_at == one.to_at,
                shares=shares,
                request_id=one.request_id,
                flavors=flavors.get(one.request_id, ()),
                attributes=_attributes(shares, units, from_at),
            )


def _goes_on(before: ClaimInterval, one: ClaimInterval) -> bool:
    return (
        before.consumer_id == one.consumer_id
        and before.to_position == one.from_position
        and before.status == one.status
    )


def _changes(
    shares: Shares, units: UnitHistory, from_at: Micros, to_at: Micros | None
) -> list[Micros]:
    """When the interval begins, and when within it some units' attributes change."""
    found = {
        since.from_at
        for provider_id, share in shares.items()
        for name in share.units
        for since in units.get((provider_id, name), ())
        if since.from_at > from_at and (to_at is None or since.from_at < to_at)
    }
    return [from_at, *sorted(found)]


def _attributes(shares: Shares, units: UnitHistory, at: Micros) -> Mapping[HeldUnit, Attributes]:
    found: dict[HeldUnit, Attributes] = {}
    for provider_id, share in shares.items():
        for name, parts in share.units.items():
            told = [one for one in units.get((provider_id, name), ()) if one.from_at <= at]
            for unit in parts:
                known = told[-1].attributes.get(unit, {}) if told else {}
                found[HeldUnit(provider_id, name, unit)] = known
    return found
