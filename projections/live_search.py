"""Candidate search on the live capacity view: proposes trees, and says why the others failed.

Each condition of the demand is one pass over columns, in the order in which a refusal names the
first that failed. The passes use the very functions that the decision on the aggregates uses
(`domain.fit`). A tree may be proposed and still not fit, as its lines may compete with each other;
a tree that fits is always proposed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from domain import fit
from domain.demand import Demand, Line
from domain.request import Reason
from projections.live_capacity import DISCRETE, DIVISIBLE, LiveCapacity

Mask = NDArray[np.bool_]
Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition of a demand, and where it holds, by row."""

    code: str
    resource_class: str | None
    detail: str
    holds: Mask


class LiveSearch:
    """`domain.books.Search` over the live view."""

    def __init__(self, view: LiveCapacity) -> None:
        self._view = view

    def candidates(self, demand: Demand) -> Iterator[tuple[str, ...]]:
        view = self._view
        if demand.within is not None:  # One tree at most: deciding on it is the cheapest search.
            yield self.subtree_of(demand.within)
            return
        fits = self._considered(None)
        for condition in self._conditions(demand):
            fits = fits & self._by_tree(condition.holds, None)
            if not fits.any():
                return
        for root in np.flatnonzero(fits).tolist():
            yield tuple(view.ids[row] for row in view.forest.members(root))

    def reasons(self, demand: Demand) -> tuple[tuple[Reason, ...], int]:
        inside = self._inside(demand)
        considered = self._considered(inside)
        open_yet = considered.copy()
        conditions = list(self._conditions(demand))
        failed = np.full(len(considered), len(conditions), dtype=np.int64)
        for index, condition in enumerate(conditions):
            fails = open_yet & ~self._by_tree(condition.holds, inside)
            failed[fails] = index
            open_yet &= ~fails
        roots = np.flatnonzero(considered)
        roots = roots[np.argsort(self._view.columns["position"][roots], kind="stable")]
        reasons = [
            self._reason(conditions[index] if index < len(conditions) else None, runs, roots)
            for index, runs in _runs(failed[roots]).items()
        ]
        reasons.sort(key=lambda reason: -reason.count)
        return tuple(reasons), len(roots)

    def tree_of(self, provider_id: str) -> tuple[str, ...]:
        row = self._view.row_of.get(provider_id)
        if row is None:
            return ()
        return tuple(self._view.ids[one] for one in self._view.forest.members(row))

    def subtree_of(self, provider_id: str) -> tuple[str, ...]:
        rows = self._view.forest.subtree(self._view.row_of[provider_id])
        return tuple(self._view.ids[row] for row in rows)

    def children_of(self, provider_id: str) -> Sequence[str]:
        row = self._view.row_of[provider_id]
        return [self._view.ids[one] for one in self._view.forest.children(row)]

    def uses_class(self, name: str) -> bool:
        return self._view.uses_class(name)

    def uses_trait(self, name: str) -> bool:
        return self._view.uses_trait(name)

    def overdue(self, at: datetime) -> list[str]:
        return self._view.overdue(at)

    # --- Trees and rows ---------------------------------------------------------------------------

    def _inside(self, demand: Demand) -> list[int] | None:
        """The rows that may serve: all (None), or those at and below the provider `within`."""
        if demand.within is None:
            return None
        return self._view.forest.subtree(self._view.row_of[demand.within])

    def _considered(self, inside: list[int] | None) -> Mask:
        """True at the roots of the trees that may serve."""
        columns, forest = self._view.columns, self._view.forest
        # A provider of the batch in hand has no position yet; the next batch will see it.
        alive = columns["alive"] & (columns["position"] > 0)
        if inside is not None:
            mask = np.zeros(columns.length, dtype=bool)
            mask[[forest.root(row) for row in inside]] = True
            return mask & alive
        return alive if forest.is_flat else alive & (forest.roots == np.arange(columns.length))

    def _by_tree(self, holds: Mask, inside: list[int] | None) -> Mask:
        """True at a root if some provider of its tree (and inside) meets the condition."""
        forest = self._view.forest
        if inside is not None:
            allowed = np.zeros(len(holds), dtype=bool)
            allowed[inside] = True
            holds = holds & allowed
        if forest.is_flat:
            return holds
        mask = np.zeros(len(holds), dtype=bool)
        mask[forest.roots[holds]] = True
        return mask

    # --- Conditions, in the order in which they are named -----------------------------------------

    def _conditions(self, demand: Demand) -> Iterator[Condition]:
        if demand.has_trait_conditions:
            yield from self._trait_conditions(demand)
        for line in demand.lines:
            if line.units is None:
                yield from self._amount_conditions(line)
            else:
                yield from self._unit_conditions(line)

    def _trait_conditions(self, demand: Demand) -> Iterator[Condition]:
        for name in sorted(demand.required):
            yield Condition(fit.MISSING_TRAIT, None, f"without {name}", self._has(name))
        for name in sorted(demand.forbidden):
            yield Condition(fit.FORBIDDEN_TRAIT, None, f"with {name}", ~self._has(name))
        for group in demand.any_of:
            mask = np.logical_or.reduce([self._has(name) for name in sorted(group)])
            detail = f"without any of {', '.join(sorted(group))}"
            yield Condition(fit.MISSING_TRAIT, None, detail, mask)

    def _has(self, trait: str) -> Mask:
        if ("trait", trait) not in self._view.columns:
            return np.zeros(self._view.columns.length, dtype=bool)
        return self._view.columns["trait", trait]

    def _amount_conditions(self, line: Line) -> Iterator[Condition]:
        name, columns = line.resource_class, self._view.columns
        if ("kind", name) not in columns:
            nowhere = np.zeros(columns.length, dtype=bool)
            yield Condition(fit.NO_INVENTORY, name, f"without {name} in slices", nowhere)
            return
        holds: Mask = columns["kind", name] == DIVISIBLE
        yield Condition(fit.NO_INVENTORY, name, f"without {name} in slices", holds)
        holds = holds & fit.amount_is_allowed(
            line.amount,
            columns["min_unit", name],
            columns["max_unit", name],
            columns["step_size", name],
        )
        detail = f"give no {line.amount} {name} to one claim (min_unit, max_unit or step_size)"
        yield Condition(fit.AMOUNT_NOT_ALLOWED, name, detail, holds)
        holds = holds & fit.has_room(line.amount, columns["capacity", name], columns["usage", name])
        detail = f"short of {name}: less than {line.amount} left"
        yield Condition(fit.SHORT_OF_CAPACITY, name, detail, holds)

    def _unit_conditions(self, line: Line) -> Iterator[Condition]:
        name, columns = line.resource_class, self._view.columns
        assert line.units is not None
        detail = f"without {name} units"
        if name not in self._view.units:
            yield Condition(fit.NO_INVENTORY, name, detail, np.zeros(columns.length, dtype=bool))
            return
        holds: Mask = columns["kind", name] == DISCRETE
        yield Condition(fit.NO_INVENTORY, name, detail, holds)
        units, count = self._view.units[name].fresh(), line.units.count
        amount = np.int64(line.amount) if line.amount else units.capacity
        suits = amount <= units.capacity
        for condition in line.units.where:
            suits = suits & units.where(condition.attribute, condition.accepted)
        holds = holds & self._enough(units.rows[suits], count)
        detail = f"have no {count} such {name} units"
        yield Condition(fit.NO_MATCHING_UNIT, name, detail, holds)
        free = suits & fit.has_room(amount, units.capacity, units.usage)
        holds = holds & self._enough(units.rows[free], count)
        detail = f"have fewer than {count} such {name} units free"
        yield Condition(fit.TOO_FEW_FREE_UNITS, name, detail, holds)

    def _enough(self, rows: Rows, count: int) -> Mask:
        length = self._view.columns.length
        return np.bincount(rows, minlength=length)[:length] >= count

    def _reason(
        self, condition: Condition | None, runs: list[tuple[int, int]], roots: Rows
    ) -> Reason:
        position = self._view.columns["position"]
        providers = tuple((int(position[roots[a]]), int(position[roots[b]])) for a, b in runs)
        count = sum(b - a + 1 for a, b in runs)
        if condition is None:
            return Reason(
                code=fit.DOES_NOT_FIT_TOGETHER,
                detail="could serve each part, but not all of them together",
                count=count,
                providers=providers,
            )
        return Reason(
            code=condition.code,
            resource_class=condition.resource_class,
            detail=condition.detail,
            count=count,
            providers=providers,
        )


def _runs(values: Rows) -> dict[int, list[tuple[int, int]]]:
    """For each value, the runs (first, last index) in which it stands."""
    if not len(values):
        return {}
    starts = np.concatenate(([0], np.flatnonzero(np.diff(values)) + 1))
    ends = np.concatenate((starts[1:] - 1, [len(values) - 1]))
    runs: dict[int, list[tuple[int, int]]] = {}
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        runs.setdefault(int(values[start]), []).append((start, end))
    return runs
