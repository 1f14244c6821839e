"""The tables of the capacity projection: who was what, had what and used what, since when.

Every row is an interval. In the ledger's time it counts while `from_at` <= T < `to_at`; in the log
it was opened by the event at `from_position` and closed by the one at `to_position`. Both ends are
open (null) as long as nothing ended it, except that a hold's `to_at` is its deadline from the
start, so a lapsed hold stops counting without any further event. Different streams are not in
time order, so positions, not times, order the log.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    FromClause,
    Index,
    MetaData,
    Table,
    Text,
    or_,
)

from projections.bulk import LOOKED_UP, POSITION, Rows
from projections.json_text import from_text

metadata = MetaData()

providers = Table(
    "providers",
    metadata,
    Column("from_position", POSITION, primary_key=True, autoincrement=False),
    Column("to_position", BigInteger),
    Column("from_at", BigInteger, nullable=False),
    Column("to_at", BigInteger),
    Column("provider_id", Text, nullable=False),
    Column("registered_position", BigInteger, nullable=False),
    Column("registered_at", BigInteger, nullable=False),
    Column("deleted_at", BigInteger),
    Column("name", Text, nullable=False),
    Column("parent_id", Text),
    Column("traits", Text, nullable=False, doc="a JSON array of names, sorted"),
    Column("groups", Text, doc="a JSON array of names, sorted; null: none", info={"since": 2}),
)
Index("providers_by_id", providers.c.provider_id, providers.c.from_position, info=LOOKED_UP)
Index("providers_in_order", providers.c.registered_position)
Index("providers_by_parent", providers.c.parent_id)
Index("providers_by_name", providers.c.name)

streams = Table(
    "streams",
    metadata,
    Column("registered_position", POSITION, primary_key=True, autoincrement=False),
    Column("provider_id", Text, nullable=False, unique=True),
    Column("version", BigInteger, nullable=False, doc="the stream's newest"),
    Column("generation", BigInteger, info={"since": 3}),
)
"""Every provider there ever was. Allocations name it by its short number: where it was registered
first."""

inventories = Table(
    "inventories",
    metadata,
    Column("from_position", POSITION, primary_key=True, autoincrement=False),
    Column("to_position", BigInteger),
    Column("from_at", BigInteger, nullable=False),
    Column("to_at", BigInteger),
    Column("provider_id", Text, nullable=False),
    Column("registered_position", BigInteger, nullable=False),
    Column("resource_class", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("total", BigInteger, nullable=False),
    Column("capacity", BigInteger, nullable=False),
    Column("inventory", Text, nullable=False, doc="JSON"),
)
Index("inventories_by_provider", inventories.c.provider_id, inventories.c.to_at, info=LOOKED_UP)
Index(
    "inventories_in_order",
    inventories.c.registered_position,
    inventories.c.resource_class,
)

allocations = Table(
    "allocations",
    metadata,
    Column("from_position", POSITION, primary_key=True, autoincrement=False),
    Column("to_position", BigInteger),
    Column("from_at", BigInteger, nullable=False),
    Column("to_at", BigInteger),
    Column("hold_until", BigInteger, doc="null once it is part of a claim"),
    Column("registered_position", BigInteger, nullable=False, doc="the provider's"),
    Column("consumer_id", Text, nullable=False),
    Column("request_id", Text, nullable=False),
    Column("project_id", Text, nullable=False),
    Column("resources", Text, nullable=False, doc="JSON, amount by class"),
    Column("units", Text, doc="JSON, amount by unit name by discrete class; null if none"),
)
"""One row for all classes that a consumer has of a provider: half as many to write, or fewer."""
Index("allocations_by_provider", allocations.c.registered_position, allocations.c.to_at)
Index("allocations_by_consumer", allocations.c.consumer_id, info=LOOKED_UP)


@dataclass(slots=True)
class ProviderInterval:
    from_position: int
    to_position: int | None
    from_at: int
    to_at: int | None
    provider_id: str
    registered_position: int
    registered_at: int
    deleted_at: int | None
    name: str
    parent_id: str | None
    traits: str
    groups: str | None


@dataclass(slots=True)
class ProviderStream:
    registered_position: int
    provider_id: str
    version: int
    generation: int | None


@dataclass(slots=True)
class InventoryInterval:
    from_position: int
    to_position: int | None
    from_at: int
    to_at: int | None
    provider_id: str
    registered_position: int
    resource_class: str
    kind: str
    total: int
    capacity: int
    inventory: str


@dataclass(slots=True)
class AllocationInterval:
    from_position: int
    to_position: int | None
    from_at: int
    to_at: int | None
    hold_until: int | None
    registered_position: int
    consumer_id: str
    request_id: str
    project_id: str
    resources: str
    units: str | None


PROVIDERS = Rows(providers, ProviderInterval, changing=("to_position", "to_at", "deleted_at"))
STREAMS = Rows(streams, ProviderStream, changing=("version", "generation"))
INVENTORIES = Rows(inventories, InventoryInterval, changing=("to_position", "to_at"))
ALLOCATIONS = Rows(allocations, AllocationInterval, changing=("to_position", "to_at", "hold_until"))


def groups_from(text: str | None) -> tuple[str, ...]:
    """Of a provider's row; null for none, also in a version that does not know groups."""
    return () if text is None else tuple(from_text(text))


def counts_at(table: FromClause, at: int | None) -> ColumnElement[bool]:
    """True for the rows that count at a time (in microseconds), or None: that nothing ended."""
    if at is None:
        ended: ColumnElement[bool] = table.c.to_position.is_(None)
        return ended
    started: ColumnElement[bool] = table.c.from_at <= at
    return started & or_(table.c.to_at.is_(None), table.c.to_at > at)
