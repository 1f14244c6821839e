"""Which units of one provider serve a selection: the fullest that fit, and then the other choices.

Units that nothing tells apart count as one choice, so that there are few of them.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from domain import fit
from domain.component import AttributeCondition, AttributeRange, Units
from domain.demand import Line
from domain.inventory import Unit

Condition = AttributeCondition | AttributeRange


class FreeUnit(NamedTuple):
    """`left` is what is free of the unit, `amount` what would be taken of it."""

    left: int
    amount: int
    unit: Unit


def free_units(line: Line, units: Iterable[Unit], usage: Mapping[str, int]) -> list[FreeUnit]:
    """Those that could each serve the line, the fullest first. `usage` is by name."""
    wanted = line.units
    assert wanted is not None
    found: list[FreeUnit] = []
    for unit in units:
        amount = line.amount or unit.capacity
        used = usage.get(unit.name, 0)
        if fit.has_room(amount, unit.capacity, used) and suits(unit.attributes, wanted):
            found.append(FreeUnit(unit.capacity - used, amount, unit))
    found.sort(key=_left)
    return found


def _left(one: FreeUnit) -> int:
    return one.left


def suits(attributes: Mapping[str, object], wanted: Units) -> bool:
    """True if a unit with these attributes may be one of the selection."""
    return meets_all(attributes, wanted.where) and all(
        name in attributes for name in (*wanted.alike, *wanted.different)
    )


def meets_all(attributes: Mapping[str, object], conditions: Iterable[Condition]) -> bool:
    return all(_meets(attributes.get(one.attribute), one) for one in conditions)


def _meets(value: object, condition: Condition) -> bool:
    if isinstance(condition, AttributeRange):
        return type(value) is int and condition.low <= value <= condition.high
    return is_one_of(value, condition.accepted)


def is_one_of(value: object, accepted: Sequence[object]) -> bool:
    """Equality that tells 1 from True, as JSON does."""
    return any(type(value) is type(one) and value == one for one in accepted)


def first_selection(wanted: Units, free: Sequence[FreeUnit]) -> Sequence[FreeUnit] | None:
    """The first of `selections`."""
    if not (wanted.alike or wanted.different):
        return free[: wanted.count] if len(free) >= wanted.count else None
    return next(selections(wanted, free, ()), None)


def selections(
    wanted: Units, free: Sequence[FreeUnit], told_apart_by: Iterable[str]
) -> Iterator[Sequence[FreeUnit]]:
    """Every selection that is not like another one, those of the fullest units first.

    `told_apart_by` are the attributes that the rest of the demand looks at.
    """
    names = tuple(dict.fromkeys((*wanted.alike, *wanted.different, *told_apart_by)))
    kinds: dict[Hashable, list[FreeUnit]] = {}
    for one in free:
        told = one.unit.attributes
        key = (one.left, one.amount, *((type(told.get(name)), told.get(name)) for name in names))
        kinds.setdefault(key, []).append(one)
    yield from _choose(wanted, list(kinds.values()), 0, [])


def _choose(
    wanted: Units, kinds: list[list[FreeUnit]], start: int, chosen: list[FreeUnit]
) -> Iterator[Sequence[FreeUnit]]:
    missing = wanted.count - len(chosen)
    if missing == 0:
        yield chosen
        return
    if sum(map(len, kinds[start:])) < missing:
        return
    for index in range(start, len(kinds)):
        kind = kinds[index]
        if not _goes_with(wanted, kind[0].unit, chosen):
            continue
        for count in range(1 if wanted.different else min(missing, len(kind)), 0, -1):
            yield from _choose(wanted, kinds, index + 1, [*chosen, *kind[:count]])


def _goes_with(wanted: Units, unit: Unit, chosen: Sequence[FreeUnit]) -> bool:
    told = unit.attributes
    return all(
        is_one_of(told[name], [one.unit.attributes[name] for one in chosen[:1]])
        for name in (wanted.alike if chosen else ())
    ) and not any(
        is_one_of(told[name], [one.unit.attributes[name] for one in chosen])
        for name in wanted.different
    )
