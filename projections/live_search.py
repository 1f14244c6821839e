"""Candidate search on the live capacity view: proposes trees, and says why the others failed.

A tree may be proposed and still not fit, as its slots may compete with each other; a tree that fits
is always proposed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from domain.books import Ranking
from domain.decision import Relaxation
from domain.demand import Demand
from domain.request import Reason
from domain.wish import Preference
from projections.live_capacity import LiveCapacity
from projections.live_conditions import conditions_of
from projections.live_ranking import FirstFit, Scored
from projections.live_refusal import reasons_of
from projections.live_relaxations import relaxations_of
from projections.live_stranding import LiveStranding
from projections.live_trees import LiveTrees, fitting

Rows = NDArray[np.int64]


class LiveSearch:
    """`domain.books.Search` over the live view."""

    def __init__(self, view: LiveCapacity) -> None:
        self._view = view
        self._stranding = LiveStranding(view)

    def rank(self, demand: Demand, preference: Preference) -> Ranking:
        trees = LiveTrees(self._view)
        roots = self._fitting_roots(trees, demand)
        if preference.policy == "first_fit" and _is_indifferent(demand):
            return FirstFit(self._view, trees, roots, preference)
        return Scored(
            self._view,
            trees,
            list(roots),
            demand=demand,
            preference=preference,
            stranding=self._stranding,
        )

    def reasons(self, demand: Demand) -> tuple[tuple[Reason, ...], int]:
        return reasons_of(self._view, demand)

    def relaxations(self, demand: Demand) -> Iterator[Relaxation]:
        return relaxations_of(self._view, demand)

    def tree_of(self, provider_id: str) -> tuple[str, ...]:
        row = self._view.row_of.get(provider_id)
        if row is None:
            return ()
        return LiveTrees(self._view).ids_of(self._view.forest.root(row))

    def knows(self, provider_id: str) -> bool:
        row = self._view.row_of.get(provider_id)
        return row is not None and bool(self._view.columns["alive"][row])

    def root_of(self, provider_id: str) -> str:
        return self._view.ids[self._view.forest.root(self._view.row_of[provider_id])]

    def children_of(self, provider_id: str) -> Sequence[str]:
        row = self._view.row_of[provider_id]
        return [self._view.ids[one] for one in self._view.forest.children(row)]

    def uses_class(self, name: str) -> bool:
        return self._view.uses_class(name)

    def uses_trait(self, name: str) -> bool:
        return self._view.uses_trait(name)

    def overdue(self, at: datetime) -> list[str]:
        return self._view.overdue(at)

    def _fitting_roots(self, trees: LiveTrees, demand: Demand) -> Iterator[Rows]:
        """Roots of the trees that may serve, some at a time, by registration."""
        conditions = conditions_of(self._view, demand)
        considered = trees.considered(demand) & trees.allowed_by(demand.affinities)
        for stretch in trees.of(demand, considered):
            found = fitting(trees, conditions, stretch, considered)
            if found.any():
                yield stretch.root_rows[found]


def _is_indifferent(demand: Demand) -> bool:
    affinities = demand.affinities
    return not (affinities.rather_near or affinities.rather_away)
