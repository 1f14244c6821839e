"""The small catalogs: resource classes and traits, standard ones and custom ones.

The standard names are OpenStack's own, from its `os-resource-classes` and `os-traits` packages.
"""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Any, ClassVar

import os_resource_classes
import os_traits

from domain.aggregate import Aggregate
from domain.errors import Conflict, Invalid, NotFound
from domain.events import Event


@cache
def standard_resource_classes() -> tuple[str, ...]:
    return tuple(os_resource_classes.STANDARDS)


@cache
def standard_traits() -> frozenset[str]:
    return frozenset(os_traits.get_traits())


class ResourceClassDefined(Event):
    TOPIC: ClassVar[str] = "resource_class.defined"


class ResourceClassRemoved(Event):
    TOPIC: ClassVar[str] = "resource_class.removed"


class TraitDefined(Event):
    TOPIC: ClassVar[str] = "trait.defined"


class TraitRemoved(Event):
    TOPIC: ClassVar[str] = "trait.removed"


class CatalogEntry(Aggregate):
    """One custom name, defined or not."""

    __slots__ = ("defined",)
    NOUN: ClassVar[str]
    DEFINED: ClassVar[type[Event]]
    REMOVED: ClassVar[type[Event]]

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self.defined = False

    def _evolve(self, event: Any) -> None:
        self.defined = isinstance(event, self.DEFINED)

    @property
    def standard(self) -> bool:
        raise NotImplementedError

    @property
    def known(self) -> bool:
        return self.defined or self.standard

    def define(self, at: datetime) -> list[Event]:
        if self.known:
            return []
        if not self.id.startswith("CUSTOM_"):
            raise Invalid(
                "not_custom",
                f"{self.id} is not a standard {self.NOUN}; names of your own start with CUSTOM_",
            )
        return [self._next(self.DEFINED, at)]

    def remove(self, at: datetime, *, in_use: bool) -> list[Event]:
        if self.standard:
            raise Conflict("standard_name", f"{self.id} is a standard {self.NOUN}")
        self.require_known()
        if in_use:
            raise Conflict(f"{self.CATEGORY}_in_use", f"{self.NOUN} {self.id} is in use")
        return [self._next(self.REMOVED, at)]

    def require_known(self) -> None:
        if not self.known:
            raise NotFound(f"{self.CATEGORY}_not_found", f"there is no {self.NOUN} {self.id}")


class ResourceClass(CatalogEntry):
    __slots__ = ()
    CATEGORY: ClassVar[str] = "resource_class"
    NOUN: ClassVar[str] = "resource class"
    DEFINED: ClassVar[type[Event]] = ResourceClassDefined
    REMOVED: ClassVar[type[Event]] = ResourceClassRemoved

    @property
    def standard(self) -> bool:
        return self.id in standard_resource_classes()


class Trait(CatalogEntry):
    __slots__ = ()
    CATEGORY: ClassVar[str] = "trait"
    NOUN: ClassVar[str] = "trait"
    DEFINED: ClassVar[type[Event]] = TraitDefined
    REMOVED: ClassVar[type[Event]] = TraitRemoved

    @property
    def standard(self) -> bool:
        return self.id in standard_traits()


# --- Names of providers are unique: each name is a stream, so the log itself keeps it so ----------


class ProviderNameTaken(Event):
    TOPIC: ClassVar[str] = "provider_name.taken"
    provider_id: str


class ProviderNameFreed(Event):
    TOPIC: ClassVar[str] = "provider_name.freed"


class NameReservation(Aggregate):
    CATEGORY: ClassVar[str] = "provider_name"
    __slots__ = ("provider_id",)

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self.provider_id: str | None = None

    def _evolve(self, event: Any) -> None:
        self.provider_id = event.provider_id if isinstance(event, ProviderNameTaken) else None

    def take(self, at: datetime, provider_id: str) -> list[Event]:
        if self.provider_id is not None:
            raise Conflict(
                "duplicate_name",
                f"provider {self.provider_id} is already called {self.id!r}",
                provider_id=self.provider_id,
            )
        return [self._next(ProviderNameTaken, at, provider_id=provider_id)]

    def free(self, at: datetime) -> list[Event]:
        return [self._next(ProviderNameFreed, at)]
