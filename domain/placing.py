"""The decision where a demand goes within one tree of providers, on the aggregates themselves.

Each slot of the demand (a line, or a whole granular component) is served by one provider. All are
of one tree, or share with it. Required traits may be met by the serving providers together; a
forbidden one excludes each provider that has it (Placement's rules for a group of a request).

The walk is depth-first and lazy: the slot with the fewest providers first, like slots in one order
only, and nothing is tried on that a rule between the slots cannot bear any more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from domain import fit
from domain.allocation import Shares
from domain.demand import Demand, Line, Part, Where
from domain.inventory import DiscreteInventory, DivisibleInventory
from domain.provider import Provider
from domain.request import Mappings
from domain.slot_rules import DifferentProviders, SameSubtree, SlotRule
from domain.stock_taken import StockTaken
from domain.unit_choice import FreeUnit, first_selection, free_units, selections

MOST_STEPS = 5_000
"""How many assignments of slots to providers are tried in one tree before giving it up."""
MOST_STEPS_TOGETHER = 20_000
"""And in all trees that one decision looks at: a few tenths of a second, in which nobody else's is
made. Only demands whose slots compete in many ways come near it."""


@dataclass(slots=True)
class Effort:
    """What a decision may still try."""

    steps: int = MOST_STEPS_TOGETHER


@dataclass(frozen=True, slots=True)
class Placement:
    shares: Shares
    mappings: Mappings


class Tree:
    """The providers of one tree, its root first, and after them those that share with it."""

    def __init__(self, providers: Sequence[Provider]) -> None:
        self.providers = [one for one in providers if one.exists]
        self._by_id = {one.id: one for one in self.providers}
        self.root = self.providers[0] if self.providers else None

    @cached_property
    def lineages(self) -> dict[str, tuple[str, ...]]:
        """Of each provider: itself, its parent, and so on, as far as they are here."""
        return {one.id: tuple(self._lineage(one)) for one in self.providers}

    def _lineage(self, provider: Provider) -> Iterator[str]:
        one: Provider | None = provider
        while one is not None:
            yield one.id
            one = None if one.parent_id is None else self._by_id.get(one.parent_id)

    def is_member(self, provider: Provider) -> bool:
        """True if it is of the tree itself, and does not only share with it."""
        return self.root is not None and self.lineages[provider.id][-1] == self.root.id

    def groups_around(self, provider: Provider) -> frozenset[str]:
        """Its groups, and those of its tree's root."""
        assert self.root is not None
        if self.is_member(provider):
            return provider.groups | self.root.groups
        return provider.groups


def place_in_tree(
    demand: Demand,
    providers: Sequence[Provider],
    freed: Shares | None = None,
    taken: Iterable[Shares] = (),
    effort: Effort | None = None,
) -> Placement | None:
    """Assign every slot to a provider, or None if that cannot be done.

    `freed` is what the same append gives back (a changed claim's old shares), `taken` what others
    of the same append take.
    """
    return next(placements_in_tree(demand, providers, freed, taken, effort), None)


def placements_in_tree(
    demand: Demand,
    providers: Sequence[Provider],
    freed: Shares | None = None,
    taken: Iterable[Shares] = (),
    effort: Effort | None = None,
) -> Iterator[Placement]:
    """Every placement that is not like another one, lazily, as long as the effort lasts."""
    stock = StockTaken(freed or {})
    for shares in taken:
        stock.take_shares(shares)
    walk = _Walk(demand, Tree(providers), stock, effort or Effort())
    yield from walk.placements()


class _Slot:
    __slots__ = ("kind", "lines", "options", "order", "part")

    def __init__(
        self, order: int, part: Part, lines: tuple[Line, ...], options: list[Provider]
    ) -> None:
        self.order = order
        self.part = part
        self.lines = lines
        self.options = options
        self.kind: object = None
        """Equal for slots that ask for the same under the same rules; None: like no other."""


class _Walk:
    def __init__(self, demand: Demand, tree: Tree, stock: StockTaken, effort: Effort) -> None:
        self.demand = demand
        self.tree = tree
        self.stock = stock
        self.effort = effort
        self.end = effort.steps - MOST_STEPS
        self.slots: list[_Slot] = []
        for part in demand.parts:
            for lines in part.slots:
                options = [one for one in tree.providers if self._may_serve(one, part, lines)]
                self.slots.append(_Slot(len(self.slots), part, lines, options))
        if len(self.slots) > 1:
            self._put_in_order()
        self.chosen: list[Provider] = []
        self.rules = self._rules() if demand.same_subtree or demand.different_providers else ()

    def placements(self) -> Iterator[Placement]:
        if all(slot.options for slot in self.slots) and all(
            rule.may_hold([]) for rule in self.rules
        ):
            for _ in self._assign(0):
                yield self._placement()

    # --- The walk ---------------------------------------------------------------------------------

    def _assign(self, index: int) -> Iterator[None]:
        if index == len(self.slots):
            if self._traits_hold():
                yield None
            return
        slot = self.slots[index]
        for provider in self._options_from(index):
            self.chosen.append(provider)
            if all(rule.may_hold(self.chosen) for rule in self.rules):
                for _ in self._serve(provider, slot.lines, 0):
                    self.effort.steps -= 1
                    yield from self._assign(index + 1)
                    if self.effort.steps < max(0, self.end):
                        return
            self.chosen.pop()

    def _options_from(self, index: int) -> Sequence[Provider]:
        """Of like slots, a later one never gets a provider before an earlier one's."""
        slot = self.slots[index]
        if index and slot.kind is not None and slot.kind == self.slots[index - 1].kind:
            return slot.options[slot.options.index(self.chosen[-1]) :]
        return slot.options

    def _serve(self, provider: Provider, lines: Sequence[Line], start: int) -> Iterator[None]:
        """Take the lines from the provider, in each way that is not like another; and give back."""
        if start == len(lines):
            yield None
            return
        line = lines[start]
        for parts in self._ways(provider, line):
            self.stock.take(provider.id, line, parts, 1)
            yield from self._serve(provider, lines, start + 1)
            self.stock.take(provider.id, line, parts, -1)

    def _ways(self, provider: Provider, line: Line) -> Iterator[Sequence[FreeUnit]]:
        """The selections of units that would serve the line (an empty one for an amount)."""
        name = line.resource_class
        inventory = provider.inventories[name]
        if isinstance(inventory, DivisibleInventory):
            if self._has_room(provider, inventory, line):
                yield ()
            return
        assert line.units is not None
        free = free_units(line, inventory.units, self.stock.unit_usage(provider, name))
        if name in self.demand.contested:
            yield from selections(line.units, free, self._attributes_of(name))
        elif (first := first_selection(line.units, free)) is not None:
            yield first

    def _has_room(self, provider: Provider, inventory: DivisibleInventory, line: Line) -> bool:
        name = line.resource_class
        freed, taken = self.stock.amounts(provider.id, name)
        amount = line.amount + taken
        # A change that does not grow is taken even where the inventory was shrunk below its use.
        usage = provider.usage.get(name, 0) - freed
        return bool(fit.has_room(amount, inventory.capacity, usage)) or amount <= freed

    def _traits_hold(self) -> bool:
        if self.demand.where.asks_for_traits and not _meet_together(self.demand.where, self.chosen):
            return False
        for part in self.demand.parts:
            if part.where.asks_for_traits and not part.granular:
                serving = [
                    one
                    for slot, one in zip(self.slots, self.chosen, strict=True)
                    if slot.part is part
                ]
                if not _meet_together(part.where, serving):
                    return False
        return True

    def _placement(self) -> Placement:
        mappings: list[dict[str, None]] = [{} for _ in self.demand.parts]
        serving = {slot.order: one for slot, one in zip(self.slots, self.chosen, strict=True)}
        # In the request's own order, whatever the order of the walk.
        for slot in sorted(self.slots, key=lambda one: one.order):
            mappings[slot.part.index][serving[slot.order].id] = None
        return Placement(self.stock.shares(), tuple(tuple(served_by) for served_by in mappings))

    # --- Before the walk --------------------------------------------------------------------------

    def _may_serve(self, provider: Provider, part: Part, lines: tuple[Line, ...]) -> bool:
        """True if nothing but use forbids the provider to serve these lines."""
        return all(_gives(provider, line) for line in lines) and (
            self._allows(provider, self.demand.where, alone=False)
            and self._allows(provider, part.where, alone=part.granular)
        )

    def _allows(self, provider: Provider, where: Where, *, alone: bool) -> bool:
        if where.forbidden & provider.traits:
            return False
        if alone and not _meet_together(where, (provider,)):
            return False
        if where.asks_for_groups:
            groups = provider.groups if alone else self.tree.groups_around(provider)
            if where.not_member_of & groups:
                return False
            if not all(wanted & groups for wanted in where.member_of):
                return False
        return where.within is None or where.within in self.tree.lineages[provider.id]

    def _rules(self) -> tuple[SlotRule, ...]:
        parts = [slot.part.index for slot in self.slots]
        options = [[one.id for one in slot.options] for slot in self.slots]
        return (
            *(DifferentProviders(rule, parts, options) for rule in self.demand.different_providers),
            *(
                SameSubtree(rule, parts, options, self.tree.lineages)
                for rule in self.demand.same_subtree
            ),
        )

    def _put_in_order(self) -> None:
        """Those with the fewest providers first, and like ones next to each other."""
        if self.demand.contested:
            self._tell_apart()
        first: dict[object, int] = {}
        for slot in self.slots:
            if slot.kind is not None:
                first.setdefault(slot.kind, slot.order)
        self.slots.sort(
            key=lambda slot: (len(slot.options), first.get(slot.kind, slot.order), slot.order)
        )

    def _tell_apart(self) -> None:
        rules = (*self.demand.different_providers, *self.demand.same_subtree)
        for slot in self.slots:
            if len(slot.part.slots) == 1:
                bound = tuple(slot.part.index in rule for rule in rules)
                asked = tuple(line._replace(component=0) for line in slot.lines)
                slot.kind = (slot.part.granular, slot.part.where, bound, asked)

    @cached_property
    def _attributes(self) -> dict[str, tuple[str, ...]]:
        found: dict[str, dict[str, None]] = {}
        for line in self.demand.lines:
            if line.units is not None:
                names = found.setdefault(line.resource_class, {})
                names.update(dict.fromkeys(one.attribute for one in line.units.where))
                names.update(dict.fromkeys((*line.units.alike, *line.units.different)))
        return {name: tuple(attributes) for name, attributes in found.items()}

    def _attributes_of(self, resource_class: str) -> tuple[str, ...]:
        return self._attributes[resource_class]


def _gives(provider: Provider, line: Line) -> bool:
    """True if the provider has the class in the way the line wants it."""
    inventory = provider.inventories.get(line.resource_class)
    if line.units is not None:
        return isinstance(inventory, DiscreteInventory)
    return isinstance(inventory, DivisibleInventory) and bool(
        fit.amount_is_allowed(
            line.amount, inventory.min_unit, inventory.max_unit, inventory.step_size
        )
    )


def _meet_together(where: Where, providers: Iterable[Provider]) -> bool:
    traits = frozenset[str]().union(*(one.traits for one in providers))
    return where.required <= traits and all(group & traits for group in where.any_of)
