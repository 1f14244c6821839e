"""What a decision takes from providers, beyond what is in use, and what the same append frees."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from domain.allocation import Share, Shares, add
from domain.demand import Line
from domain.provider import Provider
from domain.unit_choice import FreeUnit

K = TypeVar("K")


class StockTaken:
    """Counted up and down again while placements are tried. `freed` is given back."""

    def __init__(self, freed: Shares) -> None:
        self._freed = freed
        self._others: Shares = {}
        self._amounts: dict[tuple[str, str], int] = {}
        self._units: dict[tuple[str, str], dict[str, int]] = {}

    def take_shares(self, shares: Shares) -> None:
        """What others take, for good."""
        for provider_id, share in shares.items():
            self._others[provider_id] = add(self._others.get(provider_id), share)

    def take(self, provider_id: str, line: Line, parts: Sequence[FreeUnit], sign: int) -> None:
        """Take a line's amount, or its units; or (sign -1) give them back."""
        key = (provider_id, line.resource_class)
        if line.units is None:
            _count(self._amounts, key, sign * line.amount)
            return
        units = self._units.setdefault(key, {})
        for one in parts:
            _count(units, one.unit.name, sign * one.amount)

    def amounts(self, provider_id: str, resource_class: str) -> tuple[int, int]:
        """Of a divisible class: what is freed, and what is taken."""
        freed, others = self._freed.get(provider_id), self._others.get(provider_id)
        taken = self._amounts.get((provider_id, resource_class), 0)
        if others is not None:
            taken += others.resources.get(resource_class, 0)
        return 0 if freed is None else freed.resources.get(resource_class, 0), taken

    def unit_usage(self, provider: Provider, resource_class: str) -> Mapping[str, int]:
        """What is in use of each unit, with all that is freed and taken."""
        usage = provider.unit_usage.get(resource_class, {})
        taken = self._units.get((provider.id, resource_class))
        others, freed = self._others.get(provider.id), self._freed.get(provider.id)
        if not (taken or others or freed):
            return usage
        usage = dict(usage)
        for parts, sign in (
            (taken or {}, 1),
            ({} if others is None else others.units.get(resource_class, {}), 1),
            ({} if freed is None else freed.units.get(resource_class, {}), -1),
        ):
            for name, amount in parts.items():
                usage[name] = usage.get(name, 0) + sign * amount
        return usage

    def shares(self) -> Shares:
        """All that is taken now, by provider."""
        resources: dict[str, dict[str, int]] = {}
        units: dict[str, dict[str, dict[str, int]]] = {}
        for (provider_id, name), amount in self._amounts.items():
            resources.setdefault(provider_id, {})[name] = amount
        for (provider_id, name), parts in self._units.items():
            if parts:
                resources.setdefault(provider_id, {})[name] = sum(parts.values())
                units.setdefault(provider_id, {})[name] = dict(parts)
        return {
            provider_id: Share(resources=amounts, units=units.get(provider_id, {}))
            for provider_id, amounts in resources.items()
        }


def _count(counts: dict[K, int], key: K, amount: int) -> None:
    """Nothing is kept of what came to nothing again."""
    total = counts.get(key, 0) + amount
    if total:
        counts[key] = total
    else:
        del counts[key]
