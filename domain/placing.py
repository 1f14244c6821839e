"""The decision where a demand goes within one tree of providers, on the aggregates themselves.

Each line of the demand is served by one provider; all of them are in one tree. Required traits may
be met by the serving providers together; a forbidden one excludes each provider that has it
(Placement's rules for an unsuffixed group).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from domain import fit
from domain.allocation import Share, Shares
from domain.component import AttributeCondition
from domain.demand import Demand, Line
from domain.inventory import DiscreteInventory, DivisibleInventory, Unit
from domain.provider import Provider
from domain.request import Mappings

MOST_STEPS = 2_000
"""How many assignments of lines to providers are tried in one tree before giving it up."""

NOTHING = Share.model_construct(resources={}, units={})


@dataclass(frozen=True, slots=True)
class Placement:
    shares: Shares
    mappings: Mappings


@dataclass(slots=True)
class _Taken:
    """What the lines placed so far take from one provider, beyond what is in use already."""

    resources: dict[str, int] = field(default_factory=dict)
    units: dict[str, dict[str, int]] = field(default_factory=dict)


def place_in_tree(
    demand: Demand, tree: Sequence[Provider], freed: Shares | None = None
) -> Placement | None:
    """Assign every line to a provider of the tree, or None if that cannot be done.

    `freed` is what the same append gives back (a changed claim's old shares).
    """
    attempt = _Attempt(demand, tree, freed or {})
    return attempt.placement() if attempt.assign(0) else None


class _Attempt:
    """A depth-first walk over the lines, each trying the tree's providers in order."""

    def __init__(self, demand: Demand, tree: Sequence[Provider], freed: Shares) -> None:
        self.demand = demand
        self.tree = [p for p in tree if p.exists and not (demand.forbidden & p.traits)]
        self.freed = freed
        self.taken: dict[str, _Taken] = {}
        self.chosen: list[str] = []
        self.steps = 0

    def assign(self, index: int) -> bool:
        if index == len(self.demand.lines):
            return self._traits_hold()
        line = self.demand.lines[index]
        for provider in self.tree:
            parts = self._serve(provider, line)
            if parts is None:
                continue
            self.steps += 1
            if self.steps > MOST_STEPS:
                return False
            self._take(provider.id, line, parts, 1)
            self.chosen.append(provider.id)
            if self.assign(index + 1):
                return True
            self.chosen.pop()
            self._take(provider.id, line, parts, -1)
        return False

    def placement(self) -> Placement:
        shares = {
            provider_id: Share(
                resources={name: n for name, n in taken.resources.items() if n},
                units={
                    name: {unit: n for unit, n in parts.items() if n}
                    for name, parts in taken.units.items()
                    if any(parts.values())
                },
            )
            for provider_id, taken in self.taken.items()
            if any(taken.resources.values())
        }
        mappings: list[dict[str, None]] = [{} for _ in range(self.demand.components)]
        for line, provider_id in zip(self.demand.lines, self.chosen, strict=True):
            mappings[line.component][provider_id] = None
        return Placement(shares, tuple(tuple(served_by) for served_by in mappings))

    def _serve(self, provider: Provider, line: Line) -> dict[str, int] | None:
        """The units that would serve the line ({} for a divisible amount), or None."""
        inventory = provider.inventories.get(line.resource_class)
        if line.units is None:
            if isinstance(inventory, DivisibleInventory) and self._has_room(
                provider, inventory, line
            ):
                return {}
        elif isinstance(inventory, DiscreteInventory):
            return self._free_units(provider, inventory, line)
        return None

    def _has_room(self, provider: Provider, inventory: DivisibleInventory, line: Line) -> bool:
        name = line.resource_class
        if not fit.amount_is_allowed(
            line.amount, inventory.min_unit, inventory.max_unit, inventory.step_size
        ):
            return False
        freed = self.freed.get(provider.id, NOTHING).resources.get(name, 0)
        taken = self.taken.get(provider.id)
        amount = line.amount + (taken.resources.get(name, 0) if taken else 0)
        # A change that does not grow is taken even where the inventory was shrunk below its use.
        usage = provider.usage.get(name, 0) - freed
        return bool(fit.has_room(amount, inventory.capacity, usage)) or amount <= freed

    def _free_units(
        self, provider: Provider, inventory: DiscreteInventory, line: Line
    ) -> dict[str, int] | None:
        """The fullest units that still fit, so that empty ones stay whole for those who need it."""
        name = line.resource_class
        assert line.units is not None
        used = provider.unit_usage.get(name, {})
        freed = self.freed.get(provider.id, NOTHING).units.get(name, {})
        taken = self.taken.get(provider.id)
        added = taken.units.get(name, {}) if taken else {}
        options: list[tuple[int, Unit, int]] = []
        for unit in inventory.units:
            amount = line.amount or unit.capacity
            usage = used.get(unit.name, 0) - freed.get(unit.name, 0) + added.get(unit.name, 0)
            if fit.has_room(amount, unit.capacity, usage) and matches(unit, line):
                options.append((unit.capacity - usage, unit, amount))
        if len(options) < line.units.count:
            return None
        options.sort(key=lambda option: option[0])
        return {unit.name: amount for _, unit, amount in options[: line.units.count]}

    def _take(self, provider_id: str, line: Line, parts: dict[str, int], sign: int) -> None:
        taken = self.taken.setdefault(provider_id, _Taken())
        name = line.resource_class
        amount = sum(parts.values()) if line.units is not None else line.amount
        taken.resources[name] = taken.resources.get(name, 0) + sign * amount
        if parts:
            units = taken.units.setdefault(name, {})
            for unit, part in parts.items():
                units[unit] = units.get(unit, 0) + sign * part

    def _traits_hold(self) -> bool:
        if not (self.demand.required or self.demand.any_of):
            return True
        traits: set[str] = set()
        for provider in self.tree:
            if provider.id in self.chosen:
                traits |= provider.traits
        return self.demand.required <= traits and all(g & traits for g in self.demand.any_of)


def matches(unit: Unit, line: Line) -> bool:
    """True if the unit meets every attribute condition of the line."""
    assert line.units is not None
    return meets_all(unit.attributes, line.units.where)


def meets_all(attributes: Mapping[str, object], conditions: Iterable[AttributeCondition]) -> bool:
    return all(
        _is_one_of(attributes.get(condition.attribute), condition.accepted)
        for condition in conditions
    )


def _is_one_of(value: object, accepted: Sequence[object]) -> bool:
    """Equality that tells 1 from True, as JSON does."""
    return any(value == one and type(value) is type(one) for one in accepted)
