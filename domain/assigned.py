"""Whether what clients chose themselves fits, and which units it is made of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from domain import fit
from domain.allocation import Share, Shares
from domain.books import Books
from domain.claim import Claim
from domain.inventory import DiscreteInventory, DivisibleInventory
from domain.provider import Provider
from domain.unit_filling import fill

Amounts = Mapping[str, Mapping[str, int]]
"""By provider and class."""
Seating = dict[str, Shares]
"""By consumer."""


@dataclass(frozen=True)
class Misfit:
    """The first that does not fit: whose it is, and which condition failed."""

    consumer_id: str
    provider_id: str
    resource_class: str
    code: str
    detail: str


def seat(books: Books, assigned: Mapping[str, Amounts]) -> Seating | Misfit:
    """What each consumer gets, once all of them have given back what they hold.

    As in Placement, a provider that has less than is in use of it lets those who hold some have
    together as much as before, or less.
    """
    seats = _Seats(books)
    for consumer_id in assigned:
        seats.empty(books.get(Claim, consumer_id).shares)
    seating: Seating = {}
    for consumer_id, amounts in assigned.items():
        shares: Shares = {}
        for provider_id, resources in amounts.items():
            share = seats.take(consumer_id, provider_id, resources)
            if isinstance(share, Misfit):
                return share
            shares[provider_id] = share
        seating[consumer_id] = shares
    return seating


class _Seats:
    """Usage as it would be, on the way."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._changes: Counter[tuple[str, str]] = Counter()
        self._unit_changes: dict[tuple[str, str], Counter[str]] = {}

    def empty(self, shares: Shares) -> None:
        for provider_id, share in shares.items():
            for name, amount in share.resources.items():
                self._changes[provider_id, name] -= amount
            for name, parts in share.units.items():
                self._unit_changes.setdefault((provider_id, name), Counter()).subtract(parts)

    def take(
        self, consumer_id: str, provider_id: str, resources: Mapping[str, int]
    ) -> Share | Misfit:
        provider = self._books.get(Provider, provider_id)
        held = self._books.get(Claim, consumer_id).shares.get(provider_id)
        units: dict[str, dict[str, int]] = {}
        for name, amount in resources.items():
            wrong = self._wrong(provider, name, amount)
            if wrong is not None:
                return Misfit(consumer_id, provider_id, name, *wrong)
            inventory = provider.inventories[name]
            if isinstance(inventory, DiscreteInventory):
                rather = {} if held is None else held.units.get(name, {})
                parts = self._fill(provider, name, inventory, amount, rather)
                if parts is None:
                    detail = f"{name} of provider {provider_id} has too few free units"
                    return Misfit(consumer_id, provider_id, name, fit.TOO_FEW_FREE_UNITS, detail)
                units[name] = parts
            self._changes[provider_id, name] += amount
        return Share(resources=dict(resources), units=units)

    def _wrong(self, provider: Provider, name: str, amount: int) -> tuple[str, str] | None:
        """The condition that fails, and how."""
        inventory = provider.inventories.get(name)
        where = f"{name} of provider {provider.id}"
        if inventory is None:
            return fit.NO_INVENTORY, f"provider {provider.id} has no inventory of {name}"
        if isinstance(inventory, DivisibleInventory) and not fit.amount_is_allowed(
            amount, inventory.min_unit, inventory.max_unit, inventory.step_size
        ):
            limits = f"{inventory.min_unit} to {inventory.max_unit} by {inventory.step_size}"
            return fit.AMOUNT_NOT_ALLOWED, f"{where} gives out {limits}, and not {amount}"
        before = provider.usage.get(name, 0)
        usage = before + self._changes[provider.id, name]
        if fit.has_room(amount, inventory.capacity, usage) or usage + amount <= before:
            return None
        return (
            fit.SHORT_OF_CAPACITY,
            f"{where} has {inventory.capacity - usage} left, and {amount} is asked for",
        )

    def _fill(
        self,
        provider: Provider,
        name: str,
        inventory: DiscreteInventory,
        amount: int,
        rather: Mapping[str, int],
    ) -> dict[str, int] | None:
        changes = self._unit_changes.setdefault((provider.id, name), Counter())
        before = provider.unit_usage.get(name, {})
        usage = {
            unit.name: before.get(unit.name, 0) + changes[unit.name] for unit in inventory.units
        }
        parts = fill(inventory, usage, amount, rather)
        if parts is not None:
            changes.update(parts)
        return parts
