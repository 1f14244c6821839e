"""Rankings of the trees that fit: the first by registration, or the best by a score."""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import cached_property
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain import decision
from domain.decision import Stranding
from domain.demand import Affinities, Demand
from domain.wish import MOST_AMONG, Preference
from projections.demand_mix import Shape, shape_of_demand
from projections.live_capacity import LiveCapacity
from projections.live_scores import HIGHEST, fullness, normalized
from projections.live_stranding import LiveStranding
from projections.live_trees import LiveTrees

Rows = NDArray[np.int64]

ABOVE_ALL = 2.0**52
"""Further apart than any two scores."""
MOST_MEASURED = 2_000
"""Of so many trees, the fullest, it is worked out what a placing would strand."""


class FirstFit:
    """By registration, found as far as they are asked for. The score counts down from there."""

    fitting = None

    def __init__(
        self,
        view: LiveCapacity,
        trees: LiveTrees,
        roots: Iterator[Rows],
        preference: Preference,
    ) -> None:
        self._view = view
        self._trees = trees
        self._found: list[int] = []
        self._more = (int(root) for some in roots for root in some.tolist())
        self._among = preference.among
        self._seed = preference.seed

    def trees(self) -> Iterator[tuple[str, ...]]:
        index = 0
        while self._reach(index + 1):
            yield self._trees.ids_of(self._found[index])
            index += 1

    def best(self, count: int) -> tuple[decision.Scored, ...]:
        return tuple(self._scored(index) for index in range(min(count, len(self._found))))

    def score(self, root_id: str) -> int:
        row = self._view.row_of[root_id]
        return -self._found.index(row) if row in self._found else 0

    def stranding(self, root_id: str) -> Stranding | None:  # noqa: ARG002 - as all rankings.
        return None

    def _scored(self, index: int) -> decision.Scored:
        return decision.Scored(provider_id=self._view.ids[self._found[index]], score=-index)

    def _reach(self, count: int) -> bool:
        if not self._found and self._among > 1:
            self._found = shuffled(list(islice(self._more, self._among)), self._among, self._seed)
        self._found += islice(self._more, max(0, count - len(self._found)))
        return len(self._found) >= count


class Scored:
    """The best first; those of equal score by registration."""

    def __init__(
        self,
        view: LiveCapacity,
        trees: LiveTrees,
        roots: list[Rows],
        *,
        demand: Demand,
        preference: Preference,
        stranding: LiveStranding,
    ) -> None:
        self._view = view
        self._trees = trees
        self._demand = demand
        self._preference = preference
        self._stranding = stranding
        self._roots = np.concatenate(roots) if roots else np.zeros(0, dtype=np.int64)

    @property
    def fitting(self) -> int:
        return len(self._roots)

    def trees(self) -> Iterator[tuple[str, ...]]:
        for index in self._first:
            yield self._trees.ids_of(int(self._roots[index]))
        for index in self._rest():
            yield self._trees.ids_of(int(self._roots[index]))

    def best(self, count: int) -> tuple[decision.Scored, ...]:
        return tuple(
            decision.Scored(
                provider_id=self._view.ids[int(self._roots[index])],
                score=int(self._scores[index]),
            )
            for index in self._first[:count]
        )

    def score(self, root_id: str) -> int:
        found = np.flatnonzero(self._roots == self._view.row_of[root_id])
        return int(self._scores[found[0]]) if len(found) else 0

    def stranding(self, root_id: str) -> Stranding | None:
        if not self._measures:
            return None
        row = self._view.row_of[root_id]
        return self._stranding.stranding(self._trees, self._shape, row)

    @cached_property
    def _shape(self) -> Shape:
        return shape_of_demand(self._demand)

    @property
    def _measures(self) -> bool:
        weights = self._preference.weights
        return self._preference.policy == "least_stranding" or (
            weights is not None and "least_stranding" in weights
        )

    @cached_property
    def _first(self) -> list[int]:
        """The best, as one of them will do in nearly all cases."""
        few = np.arange(len(self._roots))
        if len(few) > MOST_AMONG:
            # What is as good as the last of them is among them, so that ties are broken rightly.
            keys = -self._primary
            few = np.flatnonzero(keys <= np.partition(keys, MOST_AMONG)[MOST_AMONG])
        return shuffled(self._sorted(few), self._preference.among, self._preference.seed)

    def _rest(self) -> list[int]:
        others = np.ones(len(self._roots), dtype=bool)
        others[self._first] = False
        return self._sorted(np.flatnonzero(others))

    def _sorted(self, some: Rows) -> list[int]:
        """By score; of equal ones the fuller, where that says more; and else by registration."""
        keys: list[NDArray[Any]] = [-self._primary[some]]
        if self._measures:
            keys.insert(0, -self._full[some])
        order: list[int] = some[np.lexsort(keys)].tolist()
        return order

    @cached_property
    def _primary(self) -> NDArray[np.float64]:
        return self._scores + self._soft

    @cached_property
    def _soft(self) -> NDArray[np.float64]:
        """Where the consumer's group makes a tree preferable to all others, or the last resort."""
        affinities: Affinities = self._demand.affinities
        soft = np.zeros(len(self._roots))
        if affinities.rather_near:
            soft[self._trees.roots_of(affinities.rather_near)[self._roots]] = ABOVE_ALL
        if affinities.rather_away:
            soft[self._trees.roots_of(affinities.rather_away)[self._roots]] = -ABOVE_ALL
        return soft

    @cached_property
    def _scores(self) -> Rows:
        preference = self._preference
        if preference.weights is None:
            return self._score(preference.policy or "first_fit")
        total = np.zeros(len(self._roots), dtype=np.int64)
        for name, weight in sorted(preference.weights.items()):
            total += weight * normalized(self._score(name))
        return total // 1_000

    def _score(self, name: str) -> Rows:
        match name:
            case "pack":
                return self._full
            case "spread":
                return HIGHEST - self._full
            case "least_stranding":
                return self._least_stranding()
            case _:
                return -np.arange(len(self._roots))

    @cached_property
    def _full(self) -> Rows:
        classes = self._preference.classes
        return fullness(self._view, self._trees, self._shape, self._roots, classes)

    def _least_stranding(self) -> Rows:
        """What is not lost to the demand of late; without any, fullness alone."""
        measured = np.arange(len(self._roots))
        if len(measured) > MOST_MEASURED:
            fullest = np.argpartition(-self._full, MOST_MEASURED)[:MOST_MEASURED]
            measured = np.sort(fullest)
        losses = self._stranding.losses(self._trees, self._shape, self._roots[measured])
        if losses is None:
            return self._full
        scores = np.full(len(self._roots), -int(losses.max(initial=0)) - 1)
        scores[measured] = -losses
        return scores


def shuffled(order: list[int], among: int, seed: int | None) -> list[int]:
    """The first `among` in an order that the seed alone decides."""
    if among <= 1 or seed is None:
        return order
    first = order[:among]
    random.Random(seed).shuffle(first)
    return first + order[among:]
