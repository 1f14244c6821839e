"""An option of a wish as the search and the decision read it: flat, with labels resolved."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from domain.component import (
    AmountsComponent,
    ExpandedFlavor,
    ProviderConditions,
    StoredComponent,
    Units,
    UnitsComponent,
)
from domain.wish import Option


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
class Where:
    """Conditions on providers; see `domain.component.ProviderConditions`."""

    required: frozenset[str] = frozenset()
    forbidden: frozenset[str] = frozenset()
    any_of: tuple[frozenset[str], ...] = ()
    member_of: tuple[frozenset[str], ...] = ()
    not_member_of: frozenset[str] = frozenset()
    within: str | None = None

    @cached_property
    def asks_for_traits(self) -> bool:
        """True if the serving providers have to have some, together."""
        return bool(self.required or self.any_of)

    @cached_property
    def asks_for_groups(self) -> bool:
        return bool(self.member_of or self.not_member_of)

    @property
    def traits(self) -> set[str]:
        return {*self.required, *self.forbidden, *(t for group in self.any_of for t in group)}


NOWHERE_SPECIAL = Where()


@dataclass(frozen=True)
class Part:
    """One component: its lines, and where they may come from."""

    index: int
    lines: tuple[Line, ...]
    where: Where
    granular: bool

    @cached_property
    def slots(self) -> tuple[tuple[Line, ...], ...]:
        """What has to come from one provider each."""
        return (self.lines,) if self.granular else tuple((line,) for line in self.lines)


@dataclass(frozen=True)
class Affinities:
    """Providers in whose trees all has to be (`near`, if not None), or must not be (`away`); and
    in whose trees it should be rather than elsewhere, or rather not."""

    near: frozenset[str] | None = None
    away: frozenset[str] = frozenset()
    rather_near: frozenset[str] = frozenset()
    rather_away: frozenset[str] = frozenset()


INDIFFERENT = Affinities()


@dataclass(frozen=True)
class Demand:
    """`same_subtree` and `different_providers` are sets of parts' indices."""

    parts: tuple[Part, ...]
    where: Where
    in_tree: str | None = None
    same_subtree: tuple[frozenset[int], ...] = ()
    different_providers: tuple[frozenset[int], ...] = ()
    affinities: Affinities = INDIFFERENT

    @classmethod
    def of(cls, option: Option, affinities: Affinities = INDIFFERENT) -> Demand:
        indices = {one.label: index for index, one in enumerate(option.components) if one.label}
        return cls(
            parts=tuple(_part(index, one) for index, one in enumerate(option.components)),
            where=_where(option, option.components),
            in_tree=option.in_tree,
            same_subtree=_rule(option.same_subtree, indices),
            different_providers=_rule(option.different_providers, indices),
            affinities=affinities,
        )

    @cached_property
    def lines(self) -> tuple[Line, ...]:
        return tuple(line for part in self.parts for line in part.lines)

    @cached_property
    def contested(self) -> frozenset[str]:
        """Classes that more than one line asks for: those may compete for the same provider."""
        asked = Counter(line.resource_class for line in self.lines)
        return frozenset(name for name, count in asked.items() if count > 1)

    @cached_property
    def wheres(self) -> tuple[Where, ...]:
        return (self.where, *(part.where for part in self.parts))

    @property
    def resource_classes(self) -> set[str]:
        return {line.resource_class for line in self.lines}

    @property
    def traits(self) -> set[str]:
        return {name for where in self.wheres for name in where.traits}

    @property
    def named_providers(self) -> set[str]:
        named = {where.within for where in self.wheres} | {self.in_tree}
        return {one for one in named if one is not None}


def _part(index: int, component: StoredComponent) -> Part:
    where = NOWHERE_SPECIAL if _is_anywhere(component) else _where(component)
    return Part(index, tuple(_lines(index, component)), where, component.granular)


def _lines(index: int, component: StoredComponent) -> Iterator[Line]:
    match component:
        case AmountsComponent():
            yield from _amounts(index, component.resources)
        case UnitsComponent():
            yield _selection(index, component)
        case ExpandedFlavor(expansion=expansion):
            yield from _amounts(index, expansion.resources)
            for units in expansion.units:
                yield _selection(index, units)


def _amounts(index: int, resources: dict[str, int]) -> Iterator[Line]:
    for name, amount in resources.items():
        yield Line(index, name, amount)


def _selection(index: int, units: Units) -> Line:
    return Line(index, units.resource_class, units.amount or 0, units)


def _is_anywhere(one: ProviderConditions) -> bool:
    return not (
        one.required_traits
        or one.forbidden_traits
        or one.any_of_traits
        or one.member_of
        or one.not_member_of
        or one.within
    )


def _where(one: ProviderConditions, components: Sequence[StoredComponent] = ()) -> Where:
    """The conditions, with the traits that flavors bring along."""
    required, forbidden = set(one.required_traits), set(one.forbidden_traits)
    for component in components:
        if isinstance(component, ExpandedFlavor):
            required.update(component.expansion.required_traits)
            forbidden.update(component.expansion.forbidden_traits)
    return Where(
        required=frozenset(required),
        forbidden=frozenset(forbidden),
        any_of=tuple(frozenset(group) for group in one.any_of_traits),
        member_of=tuple(frozenset(groups) for groups in one.member_of),
        not_member_of=frozenset(one.not_member_of),
        within=one.within,
    )


def _rule(rule: tuple[tuple[str, ...], ...], indices: dict[str, int]) -> tuple[frozenset[int], ...]:
    return tuple(frozenset(indices[label] for label in labels) for labels in rule)
