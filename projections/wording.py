"""The words of the sentences: amounts, shares, inventories and wishes as people say them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from domain.allocation import Share, Shares
from domain.component import (
    AmountsComponent,
    AttributeCondition,
    AttributeRange,
    Expansion,
    FlavorComponent,
    ProviderConditions,
    StoredComponent,
    Units,
)
from domain.inventory import DivisibleInventory, Inventory
from domain.wish import Option, Wish

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
    return ", or else ".join(_option(option, names) for option in wish.options)


def _option(option: Option, names: Names) -> str:
    what = listed(_component(component, names) for component in option.components)
    tree = "" if option.in_tree is None else f" in the tree of {name_of(option.in_tree, names)}"
    rules = [
        *(f", {listed(rule)} in one subtree" for rule in option.same_subtree),
        *(f", {listed(rule)} on different providers" for rule in option.different_providers),
    ]
    return what + _where(option, names) + tree + "".join(rules)


def _where(one: ProviderConditions, names: Names) -> str:
    traits = [*one.required_traits, *(" or ".join(group) for group in one.any_of_traits)]
    groups = [" or ".join(group) for group in one.member_of]
    where = [
        f" with {listed(traits)}" if traits else "",
        f" without {listed(one.forbidden_traits)}" if one.forbidden_traits else "",
        f" in {listed(groups)}" if groups else "",
        f" not in {listed(one.not_member_of)}" if one.not_member_of else "",
        "" if one.within is None else f" within {name_of(one.within, names)}",
    ]
    return "".join(where)


def _component(component: StoredComponent, names: Names) -> str:
    label = "" if component.label is None else f" ({component.label})"
    return _what(component) + _where(component, names) + label


def _what(component: StoredComponent) -> str:
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
        *(_condition(one) for one in units.where),
        *(f"the same {name}" for name in units.alike),
        *(f"different {name}" for name in units.different),
    ]
    return (
        f"{units.count} × {units.resource_class}{part}{f' with {listed(where)}' if where else ''}"
    )


def _condition(one: AttributeCondition | AttributeRange) -> str:
    if isinstance(one, AttributeRange):
        ends = (("from", one.at_least), ("to", one.at_most))
        words = (f"{word} {end}" for word, end in ends if end is not None)
        return f"{one.attribute} {' '.join(words)}"
    return f"{one.attribute} {' or '.join(str(value) for value in one.accepted)}"


def expansion_in_words(expansion: Expansion) -> str:
    parts = [_amounts(expansion.resources)] if expansion.resources else []
    return listed([*parts, *(_units(units) for units in expansion.units)])
