"""Why no tree serves a demand: of each tree, the first condition that failed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain import fit
from domain.demand import Demand
from domain.request import Reason
from projections.live_capacity import LiveCapacity
from projections.live_conditions import SlotConditions, conditions_of
from projections.live_trees import LiveTrees, Stretch

Mask = NDArray[np.bool_]
Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Failing:
    """A condition as a refusal names it, and the trees where it holds, one after the other."""

    code: str
    resource_class: str | None
    detail: str
    holds: Mask


def reasons_of(view: LiveCapacity, demand: Demand) -> tuple[tuple[Reason, ...], int]:
    """By equal reasons, the most frequent first; and how many trees were considered."""
    trees = LiveTrees(view)
    everything = trees.everything()
    roots = everything.root_rows
    kept = np.flatnonzero(trees.considered(demand)[roots])
    position = view.columns["position"][roots[kept]]
    order = np.argsort(position, kind="stable")
    kept, position = kept[order], position[order]
    failing: list[Failing] = []
    failed = np.full(len(kept), -1, dtype=np.int64)
    for index, one in enumerate(_tested(view, demand, trees, everything)):
        failing.append(one)
        failed[(failed < 0) & ~one.holds[kept]] = index
    reasons = [
        _reason(None if index < 0 else failing[index], runs, position)
        for index, runs in _runs(failed).items()
    ]
    reasons.sort(key=lambda reason: -reason.count)
    return tuple(reasons), len(kept)


def _tested(
    view: LiveCapacity, demand: Demand, trees: LiveTrees, everything: Stretch
) -> Iterator[Failing]:
    """The demand's conditions in their order."""
    conditions = conditions_of(view, demand)
    yield from _affinity(demand, trees, everything)
    for condition in conditions.together:
        yield Failing(
            condition.code,
            condition.resource_class,
            condition.detail,
            trees.has(condition, everything),
        )
    # What is asked of all providers is the same for every slot, and is named once.
    for index, slot in enumerate(conditions.slots):
        named = _common(conditions.slots[0], slot) if index else 0
        yield from _tested_slot(slot, named, trees, everything)


def _common(first: SlotConditions, slot: SlotConditions) -> int:
    both = zip(first.conditions, slot.conditions, strict=False)
    return sum(1 for one, other in both if one is other)


def _tested_slot(
    slot: SlotConditions, named: int, trees: LiveTrees, everything: Stretch
) -> Iterator[Failing]:
    """Each holds where one provider meets it, and all of the slot's before it."""
    holds: Mask | None = None
    for index, condition in enumerate(slot.conditions):
        met = condition.test(everything.where)
        holds = met if holds is None else holds & met
        if index < named:
            continue
        by_tree = everything.by_tree(holds)
        shared = trees.shared(slot, index + 1)
        yield Failing(
            condition.code,
            condition.resource_class,
            condition.detail,
            by_tree if shared is None else by_tree | shared[everything.roots],
        )


def _affinity(demand: Demand, trees: LiveTrees, everything: Stretch) -> Iterator[Failing]:
    affinities = demand.affinities
    if affinities.near is not None:
        near = trees.roots_of(affinities.near)[everything.roots]
        yield Failing(fit.AFFINITY, None, "hold nothing of the consumer's group", near)
    if affinities.away:
        away = ~trees.roots_of(affinities.away)[everything.roots]
        yield Failing(fit.ANTI_AFFINITY, None, "hold something of the consumer's group", away)


def _reason(one: Failing | None, runs: Runs, position: Rows) -> Reason:
    facts: dict[str, Any] = {
        "count": int((runs.last - runs.first + 1).sum()),
        "providers": tuple(
            zip(position[runs.first].tolist(), position[runs.last].tolist(), strict=True)
        ),
    }
    if one is None:
        return Reason(
            code=fit.DOES_NOT_FIT_TOGETHER,
            detail="could serve each part, but not all of them together",
            **facts,
        )
    return Reason(code=one.code, resource_class=one.resource_class, detail=one.detail, **facts)


class Runs(NamedTuple):
    """Stretches in which a value stands, as the indices of their first and last places."""

    first: Rows
    last: Rows


def _runs(values: Rows) -> dict[int, Runs]:
    if not len(values):
        return {}
    first = np.concatenate(([0], np.flatnonzero(np.diff(values)) + 1))
    last = np.concatenate((first[1:] - 1, [len(values) - 1]))
    of_run = values[first]
    return {
        int(value): Runs(first[of_run == value], last[of_run == value])
        for value in dict.fromkeys(of_run.tolist())
    }
