"""The demand of late: what the newest requests asked for, as shapes and how often each came.

It counts requests in the log's order, refused ones too. It is read anew at every so many positions,
and after the first request, the second, the fourth and so on, as first placements matter, too. So
it depends on nothing but the log.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass

from domain.component import Units
from domain.demand import NOWHERE_SPECIAL, Demand, Where
from domain.wish import Wish

WINDOW = 1_000
"""So many of the newest requests count."""
POSITIONS_BETWEEN = 2_000
"""Positions of the log from one reading of the mix to the next."""
MOST_SHAPES = 128


@dataclass(frozen=True, slots=True)
class UnitShape:
    """Some units of a class; `amount` 0: whole ones."""

    resource_class: str
    count: int
    amount: int
    wanted: Units


@dataclass(frozen=True, slots=True)
class Shape:
    """What a request asked of a tree, all components together: equal for those that are alike."""

    amounts: tuple[tuple[str, int], ...]
    units: tuple[UnitShape, ...]
    where: Where


@dataclass(frozen=True)
class Mix:
    """The most popular shapes, with how often each was asked for, as of a position of the log."""

    as_of: int
    shapes: tuple[tuple[Shape, int], ...]


class DemandMix:
    def __init__(self) -> None:
        self._recent: deque[Wish] = deque(maxlen=WINDOW)
        self._position = 0
        self._as_of = 0
        self._counted: tuple[Wish, ...] = ()
        self._mix: Mix | None = None

    @property
    def now(self) -> Mix:
        """Put together when it is first asked for."""
        if self._mix is None:
            self._mix = mix_of(self._as_of, self._counted)
        return self._mix

    def put(self, mix: Mix) -> None:
        """Take another one, of a time before."""
        self._mix = mix

    def begin(self, position: int, recent: Iterable[tuple[int, Wish]]) -> None:
        """Go on from a position of the log.

        `recent` are wishes with their positions, in the log's order: those after the last reading,
        and before it at least as many as count.
        """
        for at, wish in recent:
            self.observe(at, wish)
        self.observe(position, None)

    def observe(self, position: int, wish: Wish | None) -> None:
        """What is at the log's next position: a request's wish, or something else."""
        if position <= self._position:
            return
        if (reading := last_reading(position)) > self._as_of:
            self._read(reading)
        self._position = position
        if wish is None:
            return
        self._recent.append(wish)
        if (count := len(self._recent)) < WINDOW and count & (count - 1) == 0:
            self._read(position)

    def _read(self, as_of: int) -> None:
        self._as_of, self._counted, self._mix = as_of, tuple(self._recent), None


def mix_of(as_of: int, wishes: Iterable[Wish]) -> Mix:
    shapes = Counter(shape_of(wish) for wish in wishes)
    return Mix(as_of, tuple(shapes.most_common(MOST_SHAPES)))


def last_reading(position: int) -> int:
    """The mix in force at a position counts the requests before this one."""
    return position - position % POSITIONS_BETWEEN


def shape_of(wish: Wish) -> Shape:
    """Of the wish itself; what would do instead does not count."""
    return shape_of_demand(Demand.of(wish))


def shape_of_demand(demand: Demand) -> Shape:
    amounts: Counter[str] = Counter()
    units: list[UnitShape] = []
    for line in demand.lines:
        if line.units is None:
            amounts[line.resource_class] += line.amount
        else:
            wanted = line.units
            units.append(UnitShape(line.resource_class, wanted.count, line.amount, wanted))
    where = demand.where if demand.where.within is None else NOWHERE_SPECIAL
    return Shape(tuple(sorted(amounts.items())), tuple(units), where)
