"""Which providers have room for something, certain traits and groups: now, from the live view."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from domain import fit
from projections.live_capacity import DISCRETE, LiveCapacity

Mask = NDArray[np.bool_]
AnyOf = Iterable[Collection[str]]


@dataclass(frozen=True, slots=True)
class ProviderFilter:
    """Of each set of traits or groups a provider has at least one. None: whatever it is."""

    provider_id: str | None = None
    in_tree: str | None = None
    resources: Mapping[str, int] = field(default_factory=dict)
    any_of_traits: AnyOf = ()
    forbidden_traits: Collection[str] = ()
    any_of_groups: AnyOf = ()
    forbidden_groups: Collection[str] = ()


def matching(view: LiveCapacity, wanted: ProviderFilter) -> list[int]:
    """The rows of all that match, in the order of registration."""
    mask: Mask = view.columns["alive"].copy()
    if wanted.provider_id is not None:
        mask &= _only(view, [view.row_of.get(wanted.provider_id, -1)])
    if wanted.in_tree is not None:
        top = view.row_of.get(wanted.in_tree)
        mask &= _only(view, [] if top is None else view.forest.members(top))
    for kind, required, forbidden in (
        ("trait", wanted.any_of_traits, wanted.forbidden_traits),
        ("group", wanted.any_of_groups, wanted.forbidden_groups),
    ):
        for names in required:
            mask &= has_any(view, kind, names)
        if forbidden:
            mask &= ~has_any(view, kind, forbidden)
    for resource_class, amount in wanted.resources.items():
        mask &= has_room_for(view, resource_class, amount)
    found: list[int] = np.flatnonzero(mask).tolist()
    return found


def has_any(view: LiveCapacity, kind: str, names: Iterable[str]) -> Mask:
    """By row: whether it has one of these traits, or groups."""
    mask = np.zeros(view.columns.length, dtype=np.bool_)
    for name in names:
        if (kind, name) in view.columns:
            mask |= view.columns[kind, name]
    return mask


def has_room_for(view: LiveCapacity, resource_class: str, amount: int) -> Mask:
    """By row: whether one claim may have such an amount there, and as much is left."""
    if ("kind", resource_class) not in view.columns:
        return np.zeros(view.columns.length, dtype=np.bool_)
    columns = view.columns
    room: Mask = fit.has_room(
        amount, columns["capacity", resource_class], columns["usage", resource_class]
    )
    discrete: Mask = columns["kind", resource_class] == DISCRETE
    return room & (view.allowed(resource_class, amount) | discrete)


def _only(view: LiveCapacity, rows: Iterable[int]) -> Mask:
    mask = np.zeros(view.columns.length, dtype=np.bool_)
    mask[[row for row in rows if row >= 0]] = True
    return mask
