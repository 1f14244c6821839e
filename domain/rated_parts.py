"""What is held, taken apart into what has a price: flavors as a whole, then units, then amounts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from domain.billing_time import Micros
from domain.component import Expansion, Units
from domain.errors import Conflict
from domain.held import Attributes, Held, HeldFlavor, HeldUnit
from domain.price import Price
from domain.price_list import PriceList
from domain.times import from_micros
from domain.unit_choice import meets_all


class Part(NamedTuple):
    """`amount` of something at one price. Of a flavor, `provider_id` is the first that serves."""

    price: Price
    provider_id: str
    amount: int
    resource_class: str | None = None
    unit: str | None = None
    flavor: str | None = None


def parts_of(held: Held, prices: PriceList, at: Micros) -> list[Part]:
    """In an order that depends on nothing but what is held.

    What has no price is a Conflict that names it, never a silent zero.
    """
    left = _Left(held)
    parts: list[Part] = []
    for flavor in held.flavors:
        price = prices.of_flavor(flavor.name, at, held.status)
        if price is not None and left.take(flavor):
            first = min(flavor.provider_ids, default="")
            parts.append(Part(price, first, 1, flavor=flavor.name))
    parts += left.units(prices, at)
    parts += left.amounts(prices, at)
    return parts


def whole_flavors(held: Held) -> list[str]:
    """The flavors of which all is held that they are made of, in the request's order.

    Each takes its own of what those before it left; given back in part, it is none any more.
    """
    left = _Left(held)
    return [flavor.name for flavor in held.flavors if left.take(flavor)]


class _Left:
    """What of the shares is not priced yet, by provider and class, or by unit."""

    def __init__(self, held: Held) -> None:
        self._held = held
        self._amounts: dict[tuple[str, str], int] = {}
        self._units: dict[HeldUnit, int] = {}
        for provider_id, share in sorted(held.shares.items()):
            for name, amount in sorted(share.resources.items()):
                if name not in share.units:
                    self._amounts[provider_id, name] = amount
            for name, parts in sorted(share.units.items()):
                for unit, amount in sorted(parts.items()):
                    self._units[HeldUnit(provider_id, name, unit)] = amount

    def take(self, flavor: HeldFlavor) -> bool:
        """All that the flavor is made of; nothing if some of it is not held (any more)."""
        amounts, units = dict(self._amounts), dict(self._units)
        if self._take_all(flavor.expansion, sorted(flavor.provider_ids)):
            return True
        self._amounts, self._units = amounts, units
        return False

    def _take_all(self, expansion: Expansion, provider_ids: list[str]) -> bool:
        return all(
            self._take_amount(name, amount, provider_ids)
            for name, amount in expansion.resources.items()
        ) and all(self._take_units(units, provider_ids) for units in expansion.units)

    def _take_amount(self, name: str, amount: int, provider_ids: list[str]) -> bool:
        for provider_id in provider_ids:
            taken = min(amount, self._amounts.get((provider_id, name), 0))
            if taken:
                self._amounts[provider_id, name] -= taken
                amount -= taken
        return amount == 0

    def _take_units(self, wanted: Units, provider_ids: list[str]) -> bool:
        """The first that have so much left; whole ones: whatever is held of them."""
        count = wanted.count
        for unit, amount in list(self._units.items()):
            fits = unit.resource_class == wanted.resource_class and unit.provider_id in provider_ids
            if not count or not fits or not meets_all(self._attributes(unit), wanted.where):
                continue
            taken = amount if wanted.amount is None else wanted.amount
            if 0 < taken <= amount:
                self._units[unit] -= taken
                count -= 1
        return count == 0

    def units(self, prices: PriceList, at: Micros) -> Iterator[Part]:
        for unit, amount in self._units.items():
            if amount:
                name = unit.resource_class
                found = prices.of_unit(name, self._attributes(unit), at, self._held.status)
                price = self._required(found, name, at)
                yield Part(price, unit.provider_id, amount, name, unit.unit)

    def amounts(self, prices: PriceList, at: Micros) -> Iterator[Part]:
        for (provider_id, name), amount in self._amounts.items():
            if amount:
                found = prices.of_class(name, at, self._held.status)
                yield Part(self._required(found, name, at), provider_id, amount, name)

    def _attributes(self, unit: HeldUnit) -> Attributes:
        return self._held.attributes.get(unit, {})

    def _required(self, price: Price | None, name: str, at: Micros) -> Price:
        if price is None:
            held = self._held
            raise Conflict(
                "no_price",
                f"there is no price for {name} of the {held.status} of {held.consumer_id} "
                f"at {from_micros(at).isoformat()}",
                resource_class=name,
                consumer_id=held.consumer_id,
                status=held.status,
                at=from_micros(at).isoformat(),
            )
        return price
