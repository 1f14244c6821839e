"""Rules between the slots of a demand, told early: whether those still open can bear them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from domain.provider import Provider


class SlotRule(Protocol):
    def may_hold(self, chosen: Sequence[Provider]) -> bool:
        """False if the rule is broken, or will be, once the first slots are served by these.

        With a provider for every slot it is exact.
        """


class DifferentProviders:
    """No provider serves two of the components.

    While slots are open there has to be a matching: a provider of its own for each of them (found
    by augmenting paths; Kuhn 1955). So nothing is tried in vain where only this rule is strict.
    """

    def __init__(
        self, rule: frozenset[int], parts: Sequence[int], options: Sequence[Sequence[str]]
    ) -> None:
        """`parts` and `options` are of each slot, in the order in which they are assigned."""
        self._rule = rule
        self._parts = parts
        self._options = options
        bound = [part for part in parts if part in rule]
        self._one_slot_each = len(set(bound)) == len(bound)

    def may_hold(self, chosen: Sequence[Provider]) -> bool:
        users: dict[str, int] = {}
        for part, provider in zip(self._parts, chosen, strict=False):
            if part in self._rule and users.setdefault(provider.id, part) != part:
                return False
        if chosen and self._parts[len(chosen) - 1] not in self._rule:
            return True
        return not self._one_slot_each or self._have_a_matching(len(chosen), set(users))

    def _have_a_matching(self, start: int, used: set[str]) -> bool:
        slot_of: dict[str, int] = {}
        return all(
            self._augment(slot, slot_of, set(used))
            for slot in range(start, len(self._parts))
            if self._parts[slot] in self._rule
        )

    def _augment(self, slot: int, slot_of: dict[str, int], seen: set[str]) -> bool:
        for provider_id in self._options[slot]:
            if provider_id in seen:
                continue
            seen.add(provider_id)
            other = slot_of.get(provider_id)
            if other is None or self._augment(other, slot_of, seen):
                slot_of[provider_id] = slot
                return True
        return False


class SameSubtree:
    """Of the providers that serve the components, one is the ancestor of the others, or the only.

    While slots are open, such a one may still come from their options.
    """

    def __init__(
        self,
        rule: frozenset[int],
        parts: Sequence[int],
        options: Sequence[Sequence[str]],
        lineages: Mapping[str, tuple[str, ...]],
    ) -> None:
        self._rule = rule
        self._parts = parts
        self._options = options
        self._lineages = lineages

    def may_hold(self, chosen: Sequence[Provider]) -> bool:
        serving = {
            provider.id
            for part, provider in zip(self._parts, chosen, strict=False)
            if part in self._rule
        }
        if not serving:
            return True
        common = set.intersection(*(set(self._lineages[one]) for one in serving))
        return bool(common & serving) or any(one in common for one in self._open(len(chosen)))

    def _open(self, start: int) -> Iterator[str]:
        for part, options in zip(self._parts[start:], self._options[start:], strict=True):
            if part in self._rule:
                yield from options
