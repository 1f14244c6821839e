"""Which price is for what: a book's prices, found by what is held and when."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from domain.billing_time import SECOND, Micros
from domain.held import Attributes
from domain.price import ClassTarget, FlavorTarget, Price, Status, UnitsTarget
from domain.times import to_micros
from domain.unit_choice import meets_all


class Dated(NamedTuple):
    """A price with its validity in microseconds; None: without an end on that side."""

    price: Price
    valid_from: Micros | None
    valid_until: Micros | None

    def holds(self, at: Micros, status: Status) -> bool:
        return (
            (self.valid_from is None or self.valid_from <= at)
            and (self.valid_until is None or at < self.valid_until)
            and status in self.price.applies_to
        )


class PriceList:
    def __init__(self, prices: Iterable[Price]) -> None:
        self._classes: dict[str, list[Dated]] = defaultdict(list)
        self._units: dict[str, list[Dated]] = defaultdict(list)
        self._flavors: dict[str, list[Dated]] = defaultdict(list)
        changes: set[Micros] = set()
        self.longest_minimum: Micros = 0
        """How long after its end a claim may still be charged."""
        for price in prices:
            dated = Dated(price, _micros(price.valid_from), _micros(price.valid_until))
            changes |= {at for at in dated[1:] if at is not None}
            self.longest_minimum = max(self.longest_minimum, price.minimum_seconds * SECOND)
            match price.target:
                case ClassTarget(resource_class=name):
                    self._classes[name].append(dated)
                case UnitsTarget(resource_class=name):
                    self._units[name].append(dated)
                case FlavorTarget(name=name):
                    self._flavors[name].append(dated)
        self._changes = sorted(changes)

    def cuts(self, start: Micros, end: Micros) -> list[Micros]:
        """`start`, the moments between at which some price begins or ends, and `end`."""
        return [start, *(at for at in self._changes if start < at < end), end]

    def of_class(self, name: str, at: Micros, status: Status) -> Price | None:
        return _first(self._classes.get(name, ()), at, status)

    def of_flavor(self, name: str, at: Micros, status: Status) -> Price | None:
        return _first(self._flavors.get(name, ()), at, status)

    def of_unit(
        self, name: str, attributes: Attributes, at: Micros, status: Status
    ) -> Price | None:
        """The book's first whose conditions are all met; without one, that of the class."""
        for dated in self._units.get(name, ()):
            target = dated.price.target
            assert isinstance(target, UnitsTarget)
            if dated.holds(at, status) and meets_all(attributes, target.where):
                return dated.price
        return self.of_class(name, at, status)


def _first(dated: Iterable[Dated], at: Micros, status: Status) -> Price | None:
    for one in dated:
        if one.holds(at, status):
            return one.price
    return None


def _micros(moment: datetime | None) -> Micros | None:
    return None if moment is None else to_micros(moment)
