"""A wish as the search and the decision read it: flat lines, and the traits around them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from domain.component import AmountsComponent, ExpandedFlavor, Units, UnitsComponent, Wish


class Line(NamedTuple):
    """One thing that one provider has to serve, for one component of the request.

    With `units` it is a selection of discrete units, and `amount` is per unit (0: whole ones);
    without, an amount of a divisible class.
    """

    component: int
    resource_class: str
    amount: int
    units: Units | None = None


@dataclass(frozen=True)
class Demand:
    lines: tuple[Line, ...]
    required: frozenset[str]
    forbidden: frozenset[str]
    any_of: tuple[frozenset[str], ...]
    within: str | None
    components: int

    @classmethod
    def of(cls, wish: Wish) -> Demand:
        lines: list[Line] = []
        required, forbidden = set(wish.required_traits), set(wish.forbidden_traits)
        for index, component in enumerate(wish.components):
            match component:
                case AmountsComponent():
                    lines += _amounts(index, component.resources)
                case UnitsComponent():
                    lines.append(_selection(index, component))
                case ExpandedFlavor(expansion=expansion):
                    lines += _amounts(index, expansion.resources)
                    lines += [_selection(index, units) for units in expansion.units]
                    required.update(expansion.required_traits)
                    forbidden.update(expansion.forbidden_traits)
        return cls(
            lines=tuple(lines),
            required=frozenset(required),
            forbidden=frozenset(forbidden),
            any_of=tuple(frozenset(group) for group in wish.any_of_traits),
            within=wish.within,
            components=len(wish.components),
        )

    @cached_property
    def has_trait_conditions(self) -> bool:
        return bool(self.required or self.forbidden or self.any_of)

    @property
    def resource_classes(self) -> set[str]:
        return {line.resource_class for line in self.lines}

    @property
    def traits(self) -> set[str]:
        return {*self.required, *self.forbidden, *(t for group in self.any_of for t in group)}


def _amounts(index: int, resources: dict[str, int]) -> list[Line]:
    return [Line(index, name, amount) for name, amount in resources.items()]


def _selection(index: int, units: Units) -> Line:
    return Line(index, units.resource_class, units.amount or 0, units)
