"""The smallest changes of a demand by which some tree might serve it.

Each condition and each line is looked at for itself, so what is proposed has still to be tried.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain import fit
from domain.component import Units
from domain.decision import Change, Relaxation
from domain.demand import Demand, Line
from projections.demand_mix import UnitShape
from projections.live_capacity import DISCRETE, DIVISIBLE, LiveCapacity
from projections.live_conditions import Condition, conditions_of
from projections.live_stock import StockReader
from projections.live_trees import LiveTrees, Stretch

Mask = NDArray[np.bool_]
Rows = NDArray[np.int64]

LEFT_OUT = 1_000
"""What leaving a condition out counts as, in thousandths of what was asked."""
MOST_PROPOSED = 50


@dataclass(frozen=True, slots=True)
class Item:
    """Something of a demand that may be changed: what that takes away in each tree, in thousandths
    (0: nothing has to be changed), and the change for one of them."""

    cuts: Rows
    change: Callable[[int], Change]


def relaxations_of(view: LiveCapacity, demand: Demand) -> Iterator[Relaxation]:
    """Those that take away the least first; each set of changes once, for the first such tree."""
    trees = LiveTrees(view)
    everything = trees.everything()
    roots = everything.root_rows
    items = list(_items(view, demand, trees, everything))
    cuts = np.sum([item.cuts for item in items], axis=0)
    # Where nothing fails by itself, something has to be left out.
    cuts[cuts == 0] = LEFT_OUT
    considered = np.flatnonzero(trees.considered(demand)[roots])
    order = considered[np.lexsort((view.columns["position"][roots[considered]], cuts[considered]))]
    proposed: set[tuple[Change, ...]] = set()
    for index in order.tolist():
        changes = tuple(item.change(index) for item in items if item.cuts[index])
        for some in [changes] if changes else _loosened(demand):
            if some in proposed:
                continue
            proposed.add(some)
            yield Relaxation(
                changes=some,
                provider_id=view.ids[int(roots[index])],
                cut=int(cuts[index]),
            )
        if len(proposed) >= MOST_PROPOSED:
            return


def _items(
    view: LiveCapacity, demand: Demand, trees: LiveTrees, everything: Stretch
) -> Iterator[Item]:
    conditions = conditions_of(view, demand)
    if demand.affinities.near is not None or demand.affinities.away:
        allowed = np.zeros(view.columns.length, dtype=bool) | trees.allowed_by(demand.affinities)
        code = fit.ANTI_AFFINITY if demand.affinities.near is None else fit.AFFINITY
        change = Change(code=code, detail="without regard to the consumer's group")
        yield _left_out(change, allowed[everything.roots])
    for condition in conditions.together:
        yield _left_out(_without(condition), trees.has(condition, everything))
    seen: set[int] = set()
    for slot in conditions.slots:
        for condition in slot.conditions:
            if condition.line is None and id(condition) not in seen:
                seen.add(id(condition))
                yield _left_out(_without(condition), trees.has(condition, everything))
    for line in demand.lines:
        if line.units is None:
            yield _less_of(line, _possible_amounts(view, line, trees, everything))
        else:
            possible = _possible_counts(view, line, line.units, trees, everything)
            yield _fewer_units(line, line.units, possible)


def _left_out(change: Change, holds: Mask) -> Item:
    return Item(np.where(holds, 0, LEFT_OUT), lambda _: change)


def _without(condition: Condition) -> Change:
    words = {
        fit.MISSING_TRAIT: "without the required",
        fit.FORBIDDEN_TRAIT: "with the forbidden",
        fit.NOT_IN_GROUP: "outside of",
        fit.IN_FORBIDDEN_GROUP: "also in",
    }
    names = " or ".join(condition.names)
    detail = f"{words[condition.code]} {names}" if condition.code in words else "also elsewhere"
    return Change(
        code=condition.code, component=condition.component, names=condition.names, detail=detail
    )


def _less_of(line: Line, possible: Rows) -> Item:
    asked, name = line.amount, line.resource_class

    def change(index: int) -> Change:
        some = int(possible[index])
        detail = f"{some} {name} instead of {asked}" if some else f"without {name}"
        return Change(
            code=fit.SHORT_OF_CAPACITY,
            component=line.component,
            resource_class=name,
            asked=asked,
            possible=some or None,
            detail=detail,
        )

    difference = np.minimum(np.abs(asked - possible) * LEFT_OUT // asked, LEFT_OUT)
    # Less than a thousandth is a change, too.
    return Item(np.where(possible == asked, 0, np.maximum(difference, 1)), change)


def _fewer_units(line: Line, wanted: Units, possible: Rows) -> Item:
    asked, name = wanted.count, line.resource_class

    def change(index: int) -> Change:
        some = int(possible[index])
        detail = f"{some} such {name} units instead of {asked}" if some else f"without {name} units"
        return Change(
            code=fit.TOO_FEW_FREE_UNITS,
            component=line.component,
            resource_class=name,
            asked=asked,
            possible=some or None,
            detail=detail,
        )

    return Item(np.where(possible >= asked, 0, (asked - possible) * LEFT_OUT // asked), change)


def _possible_amounts(
    view: LiveCapacity, line: Line, trees: LiveTrees, everything: Stretch
) -> Rows:
    """By tree: what one claim could get of the class instead; 0: nothing of it.

    That is the largest allowed amount up to what was asked that still has room; or, where the
    smallest allowed is more, that one.
    """
    name, asked, columns = line.resource_class, line.amount, view.columns
    if ("capacity", name) not in columns:
        return np.zeros(len(everything.root_rows), dtype=np.int64)

    def possible(rows: slice | Rows) -> Rows:
        smallest, step = columns["min_unit", name][rows], columns["step_size", name][rows]
        free = columns["capacity", name][rows] - columns["usage", name][rows]
        most = np.minimum(np.minimum(free, columns["max_unit", name][rows]), asked)
        some = np.maximum(most // step * step, 0)
        least = -(-smallest // step) * step
        some = np.where(some < smallest, np.where(least <= free, least, 0), some)
        return np.where(columns["kind", name][rows] == DIVISIBLE, some, 0)

    return _best(possible, asked, trees, everything)


def _possible_counts(
    view: LiveCapacity, line: Line, wanted: Units, trees: LiveTrees, everything: Stretch
) -> Rows:
    """By tree: how many units that the line could have are free on one provider."""
    name = line.resource_class
    table = view.units.get(name)
    if table is None:
        return np.zeros(len(everything.root_rows), dtype=np.int64)
    shape = UnitShape(name, 1, line.amount, wanted)
    suited = StockReader(view, trees).suited(shape)
    amount = table.capacity if line.amount == 0 else np.int64(line.amount)
    free = suited & (table.capacity > 0) & fit.has_room(amount, table.capacity, table.usage)
    counts = np.bincount(table.rows[free], minlength=view.columns.length)
    counts = np.where(view.columns["kind", name] == DISCRETE, counts, 0)
    return _best(lambda rows: counts[rows], wanted.count, trees, everything)


def _best(
    possible: Callable[[slice | Rows], Rows], asked: int, trees: LiveTrees, everything: Stretch
) -> Rows:
    """Over each tree, and over what shares with it."""
    best = everything.greatest(possible(everything.where))
    if trees.sharing:
        best = np.maximum(best, trees.sharing.greatest(possible)[everything.roots])
    return np.where(best >= asked, np.maximum(best, asked), best)


def _loosened(demand: Demand) -> Iterator[tuple[Change, ...]]:
    """Where each part would fit, but not all: without the rules between them, or one part less."""
    if demand.same_subtree or demand.different_providers:
        change = Change(
            code=fit.DOES_NOT_FIT_TOGETHER, detail="without the rules between components"
        )
        yield (change,)
    if len(demand.parts) > 1:
        for part in demand.parts:
            detail = f"without component {part.index}"
            yield (Change(code=fit.DOES_NOT_FIT_TOGETHER, component=part.index, detail=detail),)
