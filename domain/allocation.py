"""What one claim has on one provider, and the small arithmetic on it."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from domain.events import Fact
from domain.values import ClassName, Sum, UnitName


class Share(Fact):
    """A claim's allocations on one provider.

    `resources` counts every class; for a discrete class, `units` says which units the amount is
    made of, and how much of each.
    """

    resources: dict[ClassName, Sum] = Field(min_length=1)
    units: dict[ClassName, dict[UnitName, Sum]] = {}


Shares = dict[str, Share]
"""By provider id."""


def add(first: Share | None, second: Share) -> Share:
    """Both together."""
    if first is None:
        return second
    resources = _added(first.resources, second.resources)
    units = dict(first.units)
    for name, parts in second.units.items():
        units[name] = _added(units.get(name, {}), parts)
    return Share(resources=resources, units=units)


def subtract(first: Share, second: Share) -> Share | None:
    """What is left of `first`; None if nothing is. Raises ValueError if `second` is not in it."""
    resources = _subtracted(first.resources, second.resources)
    units = dict(first.units)
    for name, parts in second.units.items():
        units[name] = _subtracted(units.get(name, {}), parts)
    for name, amount in resources.items():
        if name in units and sum(units[name].values()) != amount:
            raise ValueError(f"say which units of {name} are released, all of the amount")
    if not resources:
        return None
    return Share(resources=resources, units={k: v for k, v in units.items() if v})


def _added(first: Mapping[str, int], second: Mapping[str, int]) -> dict[str, int]:
    total = dict(first)
    for name, amount in second.items():
        total[name] = total.get(name, 0) + amount
    return total


def _subtracted(first: Mapping[str, int], second: Mapping[str, int]) -> dict[str, int]:
    rest = dict(first)
    for name, amount in second.items():
        left = rest.get(name, 0) - amount
        if left < 0:
            raise ValueError(f"{amount} of {name} is more than the {rest.get(name, 0)} held")
        if left:
            rest[name] = left
        else:
            rest.pop(name)
    return rest
