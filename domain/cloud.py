"""The use cases of what a cloud has: providers, inventories, traits, and the small catalogs."""

from __future__ import annotations

from datetime import datetime
from typing import TypeVar

from domain.books import Books
from domain.catalog import CatalogEntry, NameReservation, ResourceClass, Trait
from domain.component import Expansion
from domain.errors import Conflict, Invalid
from domain.events import Event
from domain.flavor import Flavor
from domain.inventory import Inventories
from domain.inventory_changes import Changes
from domain.known_names import require_classes, require_traits
from domain.provider import Provider
from domain.provider_events import (
    GroupsChanged,
    InventoryChanged,
    TraitsChanged,
)

C = TypeVar("C", bound=CatalogEntry)


def register_provider(
    books: Books,
    at: datetime,
    *,
    provider_id: str,
    name: str,
    parent_id: str | None,
    traits: frozenset[str],
    inventories: Inventories,
    groups: frozenset[str] = frozenset(),
) -> Provider:
    """Register a provider with its traits, groups and inventories, in one append."""
    provider = books.get(Provider, provider_id)
    registered = provider.register(at, name, parent_id)
    taken = books.get(NameReservation, name).take(at, provider_id)
    if parent_id is not None:
        _require_provider(books, parent_id, "parent_id")
    require_classes(books, inventories)
    require_traits(books, traits)
    events = [*taken, *registered]
    if traits:
        events.append(_after(registered[0], 1, TraitsChanged, traits=tuple(sorted(traits))))
    if groups:
        offset = len(events) - len(taken)
        events.append(_after(registered[0], offset, GroupsChanged, groups=tuple(sorted(groups))))
    for resource_class, inventory in sorted(inventories.items()):
        events.append(
            _after(
                registered[0],
                len(events) - len(taken),
                InventoryChanged,
                resource_class=resource_class,
                inventory=inventory,
            )
        )
    books.record(events)
    return provider


def describe_provider(
    books: Books,
    at: datetime,
    provider_id: str,
    *,
    name: str | None = None,
    parent_id: str | None = None,
    move: bool = False,
    expected: int | None = None,
) -> Provider:
    """Rename a provider, or (`move`) put it and all below it under another parent, or none."""
    provider = _existing(books, provider_id, expected)
    if move and parent_id is not None:
        _require_provider(books, parent_id, "parent_id")
        _require_no_loop(books, provider_id, parent_id)
    described = provider.describe(at, name=name, parent_id=parent_id, move=move)
    events: list[Event] = []
    if name is not None and name != provider.name:
        events += books.get(NameReservation, name).take(at, provider_id)
        events += books.get(NameReservation, provider.name).free(at)
    books.record([*events, *described])
    return provider


def delete_provider(
    books: Books, at: datetime, provider_id: str, expected: int | None = None
) -> Provider:
    provider = _existing(books, provider_id, expected)
    children = books.search.children_of(provider_id)
    if children:
        raise Conflict(
            "provider_has_children",
            f"provider {provider_id} is the parent of {len(children)} others",
            children=list(children[:10]),
        )
    deleted = provider.delete(at)
    books.record([*books.get(NameReservation, provider.name).free(at), *deleted])
    return provider


def change_inventories(
    books: Books,
    at: datetime,
    provider_id: str,
    changes: Changes,
    *,
    replace_all: bool = False,
    confirm: bool = False,
    expected: int | None = None,
    expected_generation: int | None = None,
) -> Provider:
    """Set or remove (None) some classes' inventories; with `replace_all`, the others go too."""
    provider = _existing(books, provider_id, expected, expected_generation)
    for name, inventory in changes.items():
        if inventory is None and name not in provider.inventories:
            raise Invalid("no_inventory", f"provider {provider_id} has no inventory of {name}")
    require_classes(books, changes)
    if replace_all:
        changes = {**dict.fromkeys(provider.inventories), **changes}
    books.record(provider.change_inventories(at, changes, confirm=confirm))
    return provider


def change_traits(
    books: Books,
    at: datetime,
    provider_id: str,
    traits: frozenset[str],
    expected: int | None = None,
    *,
    expected_generation: int | None = None,
) -> Provider:
    """Replace a provider's traits."""
    provider = _existing(books, provider_id, expected, expected_generation)
    require_traits(books, traits)
    books.record(provider.change_traits(at, traits))
    return provider


def change_groups(
    books: Books,
    at: datetime,
    provider_id: str,
    groups: frozenset[str],
    expected: int | None = None,
    *,
    raises_generation: bool = True,
    confirm: bool = False,
    expected_generation: int | None = None,
) -> Provider:
    """Replace the groups that a provider is in."""
    provider = _existing(books, provider_id, expected, expected_generation)
    books.record(
        provider.change_groups(at, groups, raises_generation=raises_generation, confirm=confirm)
    )
    return provider


def define_resource_class(books: Books, at: datetime, name: str) -> ResourceClass:
    return _defined(books, at, books.get(ResourceClass, name))


def remove_resource_class(books: Books, at: datetime, name: str) -> ResourceClass:
    entry = books.get(ResourceClass, name)
    books.record(entry.remove(at, in_use=books.search.uses_class(name)))
    return entry


def define_trait(books: Books, at: datetime, name: str) -> Trait:
    return _defined(books, at, books.get(Trait, name))


def remove_trait(books: Books, at: datetime, name: str) -> Trait:
    entry = books.get(Trait, name)
    books.record(entry.remove(at, in_use=books.search.uses_trait(name)))
    return entry


def define_flavor(
    books: Books, at: datetime, name: str, expansion: Expansion, expected: int | None = None
) -> Flavor:
    """Define a flavor, or define it anew: requests made before keep what it meant then."""
    flavor = books.get(Flavor, name)
    flavor.require_version(expected)
    require_classes(books, expansion.resources)
    require_classes(books, (units.resource_class for units in expansion.units))
    require_traits(books, (*expansion.required_traits, *expansion.forbidden_traits))
    books.record(flavor.define(at, expansion))
    return flavor


def remove_flavor(books: Books, at: datetime, name: str, expected: int | None = None) -> Flavor:
    flavor = books.get(Flavor, name)
    flavor.require_version(expected)
    books.record(flavor.remove(at))
    return flavor


# --- Guards ---------------------------------------------------------------------------------------


def _existing(
    books: Books,
    provider_id: str,
    expected: int | None,
    expected_generation: int | None = None,
) -> Provider:
    provider = books.get(Provider, provider_id)
    provider.require_exists()
    provider.require_version(expected)
    provider.require_generation(expected_generation)
    return provider


def _defined(books: Books, at: datetime, entry: C) -> C:
    books.record(entry.define(at))
    return entry


def _after(first: Event, offset: int, kind: type[Event], **facts: object) -> Event:
    """An event on the same stream and at the same time, `offset` versions on."""
    return kind(
        originator_id=first.originator_id,
        originator_version=first.originator_version + offset,
        at=first.at,
        **facts,
    )


def _require_provider(books: Books, provider_id: str, field: str) -> None:
    if not books.get(Provider, provider_id).exists:
        raise Invalid("unknown_provider", f"`{field}`: there is no provider {provider_id}")


def _require_no_loop(books: Books, provider_id: str, parent_id: str) -> None:
    ancestor: str | None = parent_id
    while ancestor is not None:
        if ancestor == provider_id:
            raise Conflict(
                "tree_loop", f"provider {parent_id} is below {provider_id}, so it cannot be above"
            )
        ancestor = books.get(Provider, ancestor).parent_id
