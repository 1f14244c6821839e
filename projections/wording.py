"""The words of the sentences: amounts, shares, inventories and wishes as people say them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from domain.allocation import Share, Shares
from domain.component import (
    AmountsComponent,
    Expansion,
    FlavorComponent,
    StoredComponent,
    Units,
    Wish,
)
from domain.inventory import DivisibleInventory, Inventory

Names = Mapping[str, str]
"""Names of providers by id. One that is missing is called by its id."""


def name_of(provider_id: str, names: Names) -> str:
    return names.get(provider_id, provider_id)


def time(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def listed(words: Iterable[str]) -> str:
    """One, two and three; `none` if there are none."""
    *first, last = words if (words := tuple(words)) else ("none",)
    return f"{', '.join(first)} and {last}" if first else last


def shares_in_words(shares: Shares, names: Names) -> str:
    return listed(
        f"{share_in_words(share)} on {name_of(id, names)}" for id, share in shares.items()
    )


def share_in_words(share: Share) -> str:
    return listed(
        f"{amount} {name}{_parts(share.units.get(name, {}))}"
        for name, amount in share.resources.items()
    )


def _parts(units: Mapping[str, int]) -> str:
    return f" ({', '.join(f'{n} of {unit}' for unit, n in units.items())})" if units else ""


def inventory_in_words(inventory: Inventory) -> str:
    if not isinstance(inventory, DivisibleInventory):
        return f"{count(len(inventory.units), 'unit')} with a capacity of {inventory.capacity}"
    reserved = f", {inventory.reserved} reserved" if inventory.reserved else ""
    ratio = f", × {inventory.allocation_ratio}" if inventory.allocation_ratio != 1 else ""
    return f"{inventory.total}{reserved}{ratio}"


def wish_in_words(wish: Wish, names: Names) -> str:
    what = listed(_component(component) for component in wish.components)
    traits = [*wish.required_traits, *(" or ".join(group) for group in wish.any_of_traits)]
    where = [
        f" with {listed(traits)}" if traits else "",
        f" without {listed(wish.forbidden_traits)}" if wish.forbidden_traits else "",
        "" if wish.within is None else f" within {name_of(wish.within, names)}",
    ]
    return what + "".join(where)


def _component(component: StoredComponent) -> str:
    match component:
        case AmountsComponent():
            return _amounts(component.resources)
        case FlavorComponent():
            return f"flavor {component.name} number {component.number}"
        case _:
            return _units(component)


def _amounts(resources: Mapping[str, int]) -> str:
    return listed(f"{amount} {name}" for name, amount in resources.items())


def _units(units: Units) -> str:
    part = "" if units.amount is None else f" of {units.amount} each"
    where = [
        f"{one.attribute} {' or '.join(str(value) for value in one.accepted)}"
        for one in units.where
    ]
    return (
        f"{units.count} × {units.resource_class}{part}{f' with {listed(where)}' if where else ''}"
    )


def expansion_in_words(expansion: Expansion) -> str:
    parts = [_amounts(expansion.resources)] if expansion.resources else []
    return listed([*parts, *(_units(units) for units in expansion.units)])
