"""The catalog read model: custom resource classes and traits, and flavors."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Literal

from pydantic import Field
from sqlalchemy import Connection, MetaData, Row, Select, select

from domain.catalog import (
    ResourceClass,
    ResourceClassDefined,
    ResourceClassRemoved,
    Trait,
    TraitDefined,
    TraitRemoved,
    standard_resource_classes,
    standard_traits,
)
from domain.component import Expansion, Units
from domain.events import Event, Fact
from domain.flavor import FlavorDefined, FlavorRemoved
from domain.streams import id_of, topics_of
from domain.times import from_micros, to_micros
from projections.catalog_tables import (
    DEFINITIONS,
    FLAVORS,
    NAMES,
    CatalogName,
    FlavorDefinition,
    FlavorState,
    definitions,
    flavors,
    metadata,
    names,
)
from projections.projection import Changes, Recorded
from projections.schema_version import columns_in


class NameRow(Fact):
    name: str
    standard: bool


class FlavorRow(Fact):
    """One definition of a flavor. `version` is that of the flavor's stream, for its ETag."""

    name: str
    number: int
    resources: dict[str, int]
    units: tuple[Units, ...]
    required_traits: tuple[str, ...]
    forbidden_traits: tuple[str, ...]
    defined_at: datetime
    version: int = Field(exclude=True)


# --- Folding --------------------------------------------------------------------------------------

_CATALOG_EVENTS: set[type[Event]] = {
    FlavorDefined,
    FlavorRemoved,
    ResourceClassDefined,
    ResourceClassRemoved,
    TraitDefined,
    TraitRemoved,
}


class CatalogProjection:
    name: str = "catalog"
    version: int = 1
    oldest: int = 1
    metadata: MetaData = metadata
    by_stream: bool = True

    @property
    def topics(self) -> frozenset[str] | None:
        return topics_of(*_CATALOG_EVENTS)

    def fold(self, connection: Connection, page: Sequence[Recorded]) -> Changes:
        found: dict[tuple[str, str], CatalogName] = {}
        defined: list[FlavorDefinition] = []
        touched: dict[str, FlavorDefined | FlavorRemoved] = {}
        for event in [one.event for one in page if type(one.event) in _CATALOG_EVENTS]:
            if isinstance(event, (FlavorDefined, FlavorRemoved)):
                touched[id_of(event.originator_id)] = event
                if isinstance(event, FlavorDefined):
                    defined.append(_definition(event))
            else:
                category, _, name = event.originator_id.partition(":")
                is_defined = isinstance(event, (ResourceClassDefined, TraitDefined))
                found[category, name] = CatalogName(category, name, int(is_defined))
        states = _flavor_states(connection, touched, defined)
        return [(NAMES, found.values()), (DEFINITIONS, defined), (FLAVORS, states)]


def _definition(event: FlavorDefined) -> FlavorDefinition:
    return FlavorDefinition(
        name=id_of(event.originator_id),
        number=event.number,
        defined_at=to_micros(event.at),
        expansion=event.expansion.__pydantic_serializer__.to_json(event.expansion).decode(),
    )


def _flavor_states(
    connection: Connection,
    newest: dict[str, FlavorDefined | FlavorRemoved],
    defined: Iterable[FlavorDefinition],
) -> list[FlavorState]:
    """Each flavor after its newest event; its number is the page's last, or else as it was."""
    numbers = {row.name: row.number for row in defined}
    removed = [(name,) for name in newest if name not in numbers]
    numbers |= {row.name: row.number for row in FLAVORS.find(connection, ["name"], removed)}
    return [
        FlavorState(
            name=name,
            number=numbers[name],
            offered=int(isinstance(event, FlavorDefined)),
            version=event.originator_version,
        )
        for name, event in newest.items()
    ]


# --- Reading --------------------------------------------------------------------------------------


def read_resource_classes(
    connection: Connection, *, after: str | None = None, limit: int = 100
) -> list[NameRow]:
    """Standard and custom ones, by name."""
    standard = standard_resource_classes()
    return _read_names(connection, ResourceClass.CATEGORY, standard, after, limit)


def read_traits(
    connection: Connection, *, after: str | None = None, limit: int = 100
) -> list[NameRow]:
    """Standard and custom ones, by name."""
    return _read_names(connection, Trait.CATEGORY, standard_traits(), after, limit)


def read_name(
    connection: Connection, category: Literal["resource_class", "trait"], name: str
) -> NameRow | None:
    """One resource class or trait; None if there is none of this name."""
    is_class = category == ResourceClass.CATEGORY
    if name in (standard_resource_classes() if is_class else standard_traits()):
        return NameRow(name=name, standard=True)
    found = connection.scalar(_custom(category).where(names.c.name == name))
    return None if found is None else NameRow(name=name, standard=False)


def read_flavors(
    connection: Connection, *, after: str | None = None, limit: int = 100
) -> list[FlavorRow]:
    """The newest definition of each flavor that is offered, by name."""
    statement = (
        _definitions(connection)
        .where(definitions.c.number == flavors.c.number)
        .order_by(flavors.c.name)
        .limit(limit)
    )
    if after is not None:
        statement = statement.where(flavors.c.name > after)
    return [_flavor_row(row) for row in connection.execute(statement)]


def read_flavor(connection: Connection, name: str, number: int | None = None) -> FlavorRow | None:
    """The newest definition of a flavor, or the one with this number; None if it is not offered."""
    wanted = flavors.c.number if number is None else number
    statement = _definitions(connection).where(
        flavors.c.name == name, definitions.c.number == wanted
    )
    row = connection.execute(statement).one_or_none()
    return None if row is None else _flavor_row(row)


def _read_names(
    connection: Connection,
    category: str,
    standard: Iterable[str],
    after: str | None,
    limit: int,
) -> list[NameRow]:
    """Custom names start with CUSTOM_ and no standard one does, so there are no doubles."""
    statement = _custom(category).order_by(names.c.name).limit(limit)
    if after is not None:
        statement = statement.where(names.c.name > after)
    custom: Sequence[str] = connection.scalars(statement).all()
    later = (name for name in standard if after is None or name > after)
    found = [(name, True) for name in later] + [(name, False) for name in custom]
    return [NameRow(name=name, standard=is_standard) for name, is_standard in sorted(found)[:limit]]


def _custom(category: str) -> Select[str]:
    return select(names.c.name).where(names.c.category == category, names.c.defined == 1)


def _definitions(connection: Connection) -> Select[*tuple[Any, ...]]:
    return (
        select(*columns_in(connection, definitions), flavors.c.version)
        .join(flavors, flavors.c.name == definitions.c.name)
        .where(flavors.c.offered == 1)
    )


def _flavor_row(row: Row[Any]) -> FlavorRow:
    expansion = Expansion.model_validate_json(row.expansion)
    return FlavorRow(
        name=row.name,
        number=row.number,
        resources=expansion.resources,
        units=expansion.units,
        required_traits=expansion.required_traits,
        forbidden_traits=expansion.forbidden_traits,
        defined_at=from_micros(row.defined_at),
        version=row.version,
    )
