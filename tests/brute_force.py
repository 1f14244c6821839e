"""Every way to place a demand in a small cloud, tried without any cleverness."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, product

from domain.component import AttributeRange
from domain.demand import Demand, Line, Where
from domain.inventory import DiscreteInventory, DivisibleInventory
from domain.provider import Provider

SHARES = "MISC_SHARES_VIA_AGGREGATE"
Units = tuple[str, ...]
Served = tuple[Provider, Units]
"""Who serves a line, and with which units."""


class Cloud:
    def __init__(self, providers: Sequence[Provider]) -> None:
        self.by_id = {one.id: one for one in providers}
        self.roots = [one for one in providers if one.parent_id is None]

    def lineage(self, provider: Provider) -> list[str]:
        found = [provider.id]
        while (parent := self.by_id[found[-1]].parent_id) is not None:
            found.append(parent)
        return found

    def root(self, provider: Provider) -> Provider:
        return self.by_id[self.lineage(provider)[-1]]

    def around(self, root: Provider) -> list[Provider]:
        """The providers of a tree, and those that share with it."""
        members = [one for one in self.by_id.values() if self.root(one) is root]
        groups = {name for one in members for name in one.groups}
        return [
            *members,
            *(
                one
                for one in self.by_id.values()
                if self.root(one) is not root and SHARES in one.traits and groups & one.groups
            ),
        ]


def fits_somewhere(cloud: Cloud, demand: Demand) -> bool:
    return any(fits(cloud, demand, root) for root in cloud.roots)


def fits(cloud: Cloud, demand: Demand, root: Provider) -> bool:
    if demand.in_tree is not None and cloud.root(cloud.by_id[demand.in_tree]) is not root:
        return False
    around = cloud.around(root)
    if not _may_be_near(cloud, demand, root):
        return False
    ways = [list(_ways(around, line)) for line in demand.lines]
    return any(_holds(cloud, demand, root, way) for way in product(*ways))


def _may_be_near(cloud: Cloud, demand: Demand, root: Provider) -> bool:
    affinities = demand.affinities
    near = affinities.near
    if near is not None and all(cloud.root(cloud.by_id[one]) is not root for one in near):
        return False
    return all(cloud.root(cloud.by_id[one]) is not root for one in affinities.away)


def _ways(around: Sequence[Provider], line: Line) -> Iterator[Served]:
    for provider in around:
        inventory = provider.inventories.get(line.resource_class)
        if line.units is None and isinstance(inventory, DivisibleInventory):
            if (
                inventory.min_unit <= line.amount <= inventory.max_unit
                and line.amount % inventory.step_size == 0
            ):
                yield provider, ()
        elif line.units is not None and isinstance(inventory, DiscreteInventory):
            for chosen in combinations(inventory.units, line.units.count):
                told = [unit.attributes for unit in chosen]
                if not all(_meets(one, line) for one in told):
                    continue
                values = {name: [one.get(name) for one in told] for name in _compared(line)}
                if any(None in some for some in values.values()):
                    continue
                if any(len(set(values[name])) > 1 for name in line.units.alike):
                    continue
                if any(len(set(values[name])) < len(told) for name in line.units.different):
                    continue
                yield provider, tuple(unit.name for unit in chosen)


def _compared(line: Line) -> Units:
    assert line.units is not None
    return (*line.units.alike, *line.units.different)


def _meets(attributes: Mapping[str, object], line: Line) -> bool:
    assert line.units is not None
    for one in line.units.where:
        value = attributes.get(one.attribute)
        if isinstance(one, AttributeRange):
            if not isinstance(value, int) or not one.low <= value <= one.high:
                return False
        elif value not in one.accepted:
            return False
    return True


def _holds(cloud: Cloud, demand: Demand, root: Provider, way: Sequence[Served]) -> bool:
    if not _has_room(demand, way):
        return False
    by_part: dict[int, list[Provider]] = {part.index: [] for part in demand.parts}
    for line, (provider, _) in zip(demand.lines, way, strict=True):
        by_part[line.component].append(provider)
    everybody = [provider for provider, _ in way]
    if not _meet(cloud, demand.where, root, everybody, alone=False):
        return False
    for part in demand.parts:
        serving = by_part[part.index]
        if part.granular and len({one.id for one in serving}) > 1:
            return False
        if not _meet(cloud, part.where, root, serving, alone=part.granular):
            return False
    return _rules_hold(cloud, demand, by_part)


def _rules_hold(cloud: Cloud, demand: Demand, by_part: dict[int, list[Provider]]) -> bool:
    for rule in demand.different_providers:
        used = [{one.id for one in by_part[index]} for index in rule]
        if any(a & b for a, b in combinations(used, 2)):
            return False
    for rule in demand.same_subtree:
        serving = {one.id: one for index in rule for one in by_part[index]}
        if not any(all(top in cloud.lineage(one) for one in serving.values()) for top in serving):
            return False
    return True


def _has_room(demand: Demand, way: Sequence[Served]) -> bool:
    taken: dict[tuple[str, str, str], int] = {}
    for line, (provider, units) in zip(demand.lines, way, strict=True):
        for unit in units or ("",):
            key = (provider.id, line.resource_class, unit)
            taken[key] = taken.get(key, 0) + _amount(provider, line, unit)
    for (provider_id, name, unit), amount in taken.items():
        provider = next(one for one, _ in way if one.id == provider_id)
        inventory = provider.inventories[name]
        if isinstance(inventory, DiscreteInventory):
            capacity = next(one.capacity for one in inventory.units if one.name == unit)
            used = provider.unit_usage.get(name, {}).get(unit, 0)
        else:
            capacity, used = inventory.capacity, provider.usage.get(name, 0)
        if used + amount > capacity:
            return False
    return True


def _amount(provider: Provider, line: Line, unit: str) -> int:
    if line.amount:
        return line.amount
    inventory = provider.inventories[line.resource_class]
    assert isinstance(inventory, DiscreteInventory)
    return next(one.capacity for one in inventory.units if one.name == unit)


def _meet(
    cloud: Cloud, where: Where, root: Provider, serving: Sequence[Provider], *, alone: bool
) -> bool:
    traits = {name for one in serving for name in one.traits}
    if not where.required <= traits or not all(group & traits for group in where.any_of):
        return False
    for one in serving:
        if where.forbidden & one.traits:
            return False
        groups = one.groups
        if not alone and cloud.root(one) is root:
            groups = groups | root.groups
        if where.not_member_of & groups or not all(some & groups for some in where.member_of):
            return False
        if where.within is not None and where.within not in cloud.lineage(one):
            return False
    return True
