"""A flavor: a named, numbered menu entry. At most one component of a request, never its owner."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from domain.aggregate import Aggregate
from domain.component import Expansion
from domain.errors import NotFound
from domain.events import Event


class FlavorDefined(Event):
    """The flavor means this from now on. `number` counts its definitions, from 1."""

    TOPIC: ClassVar[str] = "flavor.defined"
    class_version: ClassVar[int] = 2
    number: int
    expansion: Expansion

    @staticmethod
    def upcast_v1_v2(state: dict[str, Any]) -> None:
        """Units had no ranges, and were not asked to be alike or different."""


class FlavorRemoved(Event):
    """No longer offered. Requests that carry it, and its older definitions, stay as they are."""

    TOPIC: ClassVar[str] = "flavor.removed"


class Flavor(Aggregate):
    CATEGORY: ClassVar[str] = "flavor"
    __slots__ = ("definitions", "offered")

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self.definitions: list[FlavorDefined] = []
        self.offered = False

    def _evolve(self, event: Any) -> None:
        match event:
            case FlavorDefined():
                self.definitions.append(event)
                self.offered = True
            case FlavorRemoved():
                self.offered = False

    def define(self, at: datetime, expansion: Expansion) -> list[Event]:
        """Defining again what it means already writes nothing."""
        if self.offered and self.definitions[-1].expansion == expansion:
            return []
        number = len(self.definitions) + 1
        return [self._next(FlavorDefined, at, number=number, expansion=expansion)]

    def remove(self, at: datetime) -> list[Event]:
        self.require_offered()
        return [self._next(FlavorRemoved, at)]

    def require_offered(self) -> None:
        if not self.offered:
            raise NotFound("flavor_not_found", f"there is no flavor {self.id}")

    def definition(self, number: int | None) -> FlavorDefined:
        """The newest definition, or the one with this number."""
        self.require_offered()
        if number is None:
            return self.definitions[-1]
        if not 1 <= number <= len(self.definitions):
            raise NotFound("flavor_not_found", f"flavor {self.id} has no definition {number}")
        return self.definitions[number - 1]
