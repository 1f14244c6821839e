"""A demand made less strict by changes that a search proposes, so that they can be tried."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from domain import fit
from domain.decision import Change
from domain.demand import INDIFFERENT, Demand, Line, Part, Where


def relaxed(demand: Demand, changes: Iterable[Change]) -> Demand:
    for change in changes:
        demand = _changed(demand, change)
    return demand


def _changed(demand: Demand, change: Change) -> Demand:
    if change.code in (fit.AFFINITY, fit.ANTI_AFFINITY):
        return replace(demand, affinities=INDIFFERENT)
    if change.code == fit.DOES_NOT_FIT_TOGETHER:
        return _loosened(demand, change.component)
    if change.code == fit.OUTSIDE and change.component is None:
        return replace(demand, in_tree=None, where=replace(demand.where, within=None))
    if change.component is None:
        return replace(demand, where=_without(demand.where, change))
    parts = tuple(
        _changed_part(part, change) if part.index == change.component else part
        for part in demand.parts
    )
    return replace(demand, parts=parts)


def _loosened(demand: Demand, component: int | None) -> Demand:
    """Without the rules between components, or without one of these."""
    if component is None:
        return replace(demand, same_subtree=(), different_providers=())
    parts = tuple(
        replace(part, lines=()) if part.index == component else part for part in demand.parts
    )
    return replace(demand, parts=parts)


def _changed_part(part: Part, change: Change) -> Part:
    if change.resource_class is None:
        return replace(part, where=_without(part.where, change))
    lines = tuple(
        _changed_line(line, change) if line.resource_class == change.resource_class else line
        for line in part.lines
    )
    return replace(part, lines=tuple(line for line in lines if line is not None))


def _changed_line(line: Line, change: Change) -> Line | None:
    """With what would be possible; None to leave it out."""
    if change.possible is None:
        return None
    if line.units is None:
        return line._replace(amount=change.possible)
    return line._replace(units=line.units.model_copy(update={"count": change.possible}))


def _without(where: Where, change: Change) -> Where:
    """Without the traits or groups that the change names."""
    names = frozenset(change.names)
    match change.code:
        case fit.MISSING_TRAIT:
            return replace(
                where,
                required=where.required - names,
                any_of=tuple(group for group in where.any_of if group != names),
            )
        case fit.FORBIDDEN_TRAIT:
            return replace(where, forbidden=where.forbidden - names)
        case fit.NOT_IN_GROUP:
            return replace(
                where, member_of=tuple(group for group in where.member_of if group != names)
            )
        case fit.IN_FORBIDDEN_GROUP:
            return replace(where, not_member_of=where.not_member_of - names)
        case _:
            return replace(where, within=None)
