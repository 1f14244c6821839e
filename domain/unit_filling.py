"""Which units of a discrete inventory make up an amount, where nobody says which."""

from __future__ import annotations

from collections.abc import Mapping

from domain.inventory import DiscreteInventory


def fill(
    inventory: DiscreteInventory,
    usage: Mapping[str, int],
    amount: int,
    rather: Mapping[str, int],
) -> dict[str, int] | None:
    """How much of each unit, or None if less than that is free.

    First those of `rather`, as far as they were held. Then the unit in which the rest fits most
    closely; where it fits into none, all of the emptiest.
    """
    free = {unit.name: unit.capacity - usage.get(unit.name, 0) for unit in inventory.units}
    taken: dict[str, int] = {}
    missing = amount
    for name, before in rather.items():
        part = min(before, free.get(name, 0), missing)
        if part > 0:
            taken[name] = part
            missing -= part
    free = {name: left - taken.get(name, 0) for name, left in free.items()}
    while missing:
        chosen = _next_unit(free, missing)
        if chosen is None:
            return None
        part = min(free[chosen], missing)
        free[chosen] -= part
        taken[chosen] = taken.get(chosen, 0) + part
        missing -= part
    return taken


def _next_unit(free: Mapping[str, int], missing: int) -> str | None:
    fitting = [name for name, left in free.items() if left >= missing]
    if fitting:
        return min(fitting, key=free.__getitem__)
    emptiest = max(free, key=free.__getitem__, default=None)
    return None if emptiest is None or free[emptiest] <= 0 else emptiest
