"""The conditions of a demand as tests on the live view's columns, in the order of their naming.

The tests use the very functions that the decision on the aggregates uses (`domain.fit`). A test is
of each provider for itself; `live_trees.py` says what that means for its tree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain import fit
from domain.component import Units
from domain.demand import Demand, Line, Where
from projections.live_capacity import DISCRETE, DIVISIBLE, LiveCapacity
from projections.unit_table import GONE, UnitTable, distinct

Mask = NDArray[np.bool_]
Rows = NDArray[np.int64]
Where_ = slice | Rows
"""Which rows are tested: neighbours, or some by their numbers."""
Test = Callable[[Where_], Mask]


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition on a provider. `asked` and `names` are for whoever makes it less strict."""

    code: str
    detail: str
    test: Test
    component: int | None = None
    resource_class: str | None = None
    names: tuple[str, ...] = ()
    line: Line | None = None
    sharing_test: Test | None = None
    """Of providers that only share with a tree, where that is another test: theirs are their own
    groups alone."""
    implied: bool = False
    """True if a later condition of the line can only hold where this one does: it is there to
    tell why, and a search may leave it out."""


@dataclass(frozen=True, slots=True)
class SlotConditions:
    """What one provider has to meet, all of it, to serve a slot."""

    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Conditions:
    """`together`: traits that some provider of the tree has to have. `slots`: of each, one provider
    of the tree has to meet all. `totals`: of classes that several slots ask for, all they ask."""

    together: tuple[Condition, ...]
    slots: tuple[SlotConditions, ...] = ()
    totals: tuple[tuple[str, int], ...] = ()


def conditions_of(view: LiveCapacity, demand: Demand) -> Conditions:
    tests = _Tests(view)
    together = [*tests.traits_together(demand.where, None)]
    around = tuple(tests.each(demand.where, None, alone=False))
    slots: list[SlotConditions] = []
    for part in demand.parts:
        own = tuple(tests.each(part.where, part.index, alone=part.granular))
        if not part.granular:
            together += tests.traits_together(part.where, part.index)
        for lines in part.slots:
            served = tuple(one for line in lines for one in tests.line(line))
            slots.append(SlotConditions((*around, *own, *served)))
    return Conditions(tuple(together), tuple(slots), tuple(_totals(view, demand)))


def _totals(view: LiveCapacity, demand: Demand) -> Iterator[tuple[str, int]]:
    for name in sorted(demand.contested):
        asked = [line.amount for line in demand.lines if line.resource_class == name]
        if ("capacity", name) in view.columns and all(
            line.units is None for line in demand.lines if line.resource_class == name
        ):
            yield name, sum(asked)


def conditions_on_place(view: LiveCapacity, where: Where) -> Conditions:
    """Only where something may come from, whatever it is."""
    tests = _Tests(view)
    each = tuple(tests.each(where, None, alone=False))
    slots = (SlotConditions(each),) if each else ()
    return Conditions(tuple(tests.traits_together(where, None)), slots)


class _Tests:
    def __init__(self, view: LiveCapacity) -> None:
        self._view = view

    # --- Traits, groups, places -------------------------------------------------------------------

    def traits_together(self, where: Where, component: int | None) -> Iterator[Condition]:
        for name in sorted(where.required):
            yield Condition(
                fit.MISSING_TRAIT,
                f"without {name}",
                self._column("trait", name),
                component,
                names=(name,),
            )
        for group in where.any_of:
            names = tuple(sorted(group))
            yield Condition(
                fit.MISSING_TRAIT,
                f"without any of {', '.join(names)}",
                _any([self._column("trait", name) for name in names]),
                component,
                names=names,
            )

    def each(self, where: Where, component: int | None, *, alone: bool) -> Iterator[Condition]:
        """What every serving provider has to meet; with `alone`, all that the part asks for."""
        if alone:
            yield from self.traits_together(where, component)
        for name in sorted(where.forbidden):
            test = _not(self._column("trait", name))
            yield Condition(fit.FORBIDDEN_TRAIT, f"with {name}", test, component, names=(name,))
        for groups in where.member_of:
            names = tuple(sorted(groups))
            yield Condition(
                fit.NOT_IN_GROUP,
                f"in none of the groups {', '.join(names)}",
                _any([self._in_group(name, alone=alone) for name in names]),
                component,
                names=names,
                sharing_test=_any([self._in_group(name, alone=True) for name in names]),
            )
        for name in sorted(where.not_member_of):
            yield Condition(
                fit.IN_FORBIDDEN_GROUP,
                f"in the group {name}",
                _not(self._in_group(name, alone=alone)),
                component,
                names=(name,),
                sharing_test=_not(self._in_group(name, alone=True)),
            )
        if where.within is not None:
            test = inside(self._view, where.within)
            yield Condition(fit.OUTSIDE, "elsewhere than `within` says", test, component)

    def _column(self, kind: str, name: str) -> Test:
        columns = self._view.columns
        if (kind, name) not in columns:
            return _nowhere(columns.length)
        column = columns[kind, name]
        return lambda rows: column[rows]

    def _in_group(self, name: str, *, alone: bool) -> Test:
        """The provider is in the group, or (unless alone) the root of its tree is."""
        own = self._column("group", name)
        if alone or self._view.forest.is_flat:
            return own
        roots = self._view.forest.roots
        return lambda rows: own(rows) | own(roots[rows])

    # --- Lines ------------------------------------------------------------------------------------

    def line(self, line: Line) -> Iterator[Condition]:
        if line.units is None:
            yield from self._amount(line)
        else:
            yield from self._units(line, line.units)

    def _amount(self, line: Line) -> Iterator[Condition]:
        name, amount, columns = line.resource_class, line.amount, self._view.columns
        if ("capacity", name) not in columns:
            yield self._of(line, fit.NO_INVENTORY, f"without {name} in slices", self._nothing())
            return
        kind = columns["kind", name]
        yield self._of(
            line,
            fit.NO_INVENTORY,
            f"without {name} in slices",
            lambda rows: kind[rows] == DIVISIBLE,
            implied=True,
        )
        allowed = self._view.allowed(name, amount)
        yield self._of(
            line,
            fit.AMOUNT_NOT_ALLOWED,
            f"give no {amount} {name} to one claim (min_unit, max_unit or step_size)",
            lambda rows: allowed[rows],
        )
        capacity, usage = columns["capacity", name], columns["usage", name]
        yield self._of(
            line,
            fit.SHORT_OF_CAPACITY,
            f"short of {name}: less than {amount} left",
            lambda rows: fit.has_room(amount, capacity[rows], usage[rows]),
        )

    def _units(self, line: Line, wanted: Units) -> Iterator[Condition]:
        name, count = line.resource_class, wanted.count
        table = self._view.units.get(name)
        if table is None:
            yield self._of(line, fit.NO_INVENTORY, f"without {name} units", self._nothing())
            return
        kind = self._view.columns["kind", name]
        yield self._of(
            line,
            fit.NO_INVENTORY,
            f"without {name} units",
            lambda rows: kind[rows] == DISCRETE,
            implied=True,
        )
        tests = _UnitTests(table, line, wanted, self._view.columns.length)
        yield self._of(
            line,
            fit.NO_MATCHING_UNIT,
            f"have no {count} such {name} units",
            tests.have_such,
            implied=True,
        )
        yield self._of(
            line,
            fit.TOO_FEW_FREE_UNITS,
            f"have fewer than {count} such {name} units free",
            tests.have_such_free,
        )

    def _of(
        self, line: Line, code: str, detail: str, test: Test, *, implied: bool = False
    ) -> Condition:
        name = line.resource_class
        return Condition(code, detail, test, line.component, name, line=line, implied=implied)

    def _nothing(self) -> Test:
        return _nowhere(self._view.columns.length)


class _UnitTests:
    """Whether providers have enough units for a line: at all, and free."""

    def __init__(self, table: UnitTable, line: Line, wanted: Units, length: int) -> None:
        table.tidy()
        self._table = table
        self._wanted = wanted
        self._amount = line.amount
        self._length = length
        self._everywhere: dict[bool, Mask] = {}

    def have_such(self, rows: Where_) -> Mask:
        return self._enough(rows, free=False)

    def have_such_free(self, rows: Where_) -> Mask:
        return self._enough(rows, free=True)

    def _enough(self, rows: Where_, *, free: bool) -> Mask:
        if isinstance(rows, slice):
            start, end, _ = rows.indices(self._length)
            return self._count(self._table.of_rows(start, end), free=free)[rows]
        if free not in self._everywhere:
            everything = self._table.of_rows(0, self._length)
            self._everywhere[free] = self._count(everything, free=free)
        return self._everywhere[free][rows]

    def _count(self, place: slice, *, free: bool) -> Mask:
        """True for the providers that have so many, as alike or different as they have to be.

        With both asked for, each is looked at for itself: then it may be too hopeful.
        """
        suitable = self._suitable(place, free=free)
        row = self._table.rows[place][suitable]
        wanted = self._wanted
        enough = _counts(row, self._length) >= wanted.count
        for name in wanted.alike:
            of, counts = distinct(row, self._table.codes(name)[place][suitable])
            alike = np.zeros(self._length, dtype=bool)
            alike[of[counts >= wanted.count]] = True
            enough &= alike
        for name in wanted.different:
            of, _ = distinct(row, self._table.codes(name)[place][suitable])
            enough &= _counts(of, self._length) >= wanted.count
        return enough

    def _suitable(self, place: slice, *, free: bool) -> Mask:
        table, wanted = self._table, self._wanted
        capacity = table.capacity[place]
        amount: Any = np.int64(self._amount) if self._amount else capacity
        suitable: Mask = (capacity != GONE) & (amount <= capacity)
        for condition in wanted.where:
            suitable &= table.meets(condition, place)
        for name in (*wanted.alike, *wanted.different):
            suitable &= table.codes(name)[place] >= 0
        if free:
            suitable &= fit.has_room(amount, capacity, table.usage[place])
        return suitable


def _counts(rows: Rows, length: int) -> NDArray[np.int64]:
    return np.bincount(rows, minlength=length)[:length]


def inside(view: LiveCapacity, provider_id: str) -> Test:
    """The provider is this one, or below it."""
    found = np.zeros(view.columns.length, dtype=bool)
    found[view.forest.subtree(view.row_of[provider_id])] = True
    return lambda rows: found[rows]


def _nowhere(length: int) -> Test:
    nothing = np.zeros(length, dtype=bool)
    return lambda rows: nothing[rows]


def _not(test: Test) -> Test:
    return lambda rows: ~test(rows)


def _any(tests: Sequence[Test]) -> Test:
    return lambda rows: np.logical_or.reduce([test(rows) for test in tests])
