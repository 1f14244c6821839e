"""What was stranded at moments of the past, by the demand of then: of each tree, and of all.

Worked out from the read models as they tell of that moment, with the very measure by which requests
are placed (`live_stranding.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection, func, select

from domain.billing_time import Micros
from domain.errors import Invalid
from domain.wish import Wish
from projections.capacity_tables import counts_at, providers
from projections.demand_mix import WINDOW, Mix, mix_of
from projections.live_capacity import LiveCapacity
from projections.live_loading import load_live_capacity
from projections.live_stranding import LiveStranding
from projections.live_trees import LiveTrees
from projections.requests_tables import requests

MOST_PROVIDERS = 200_000
"""Of all moments together: each of them means to read the cloud as it was."""


@dataclass(frozen=True, slots=True)
class StrandedTree:
    provider_id: str
    provider_name: str
    registered_position: int
    free: int
    stranded: int


@dataclass(frozen=True, slots=True)
class StrandedAt:
    """At one moment; amounts are of the class that was the scarcest then. Without any demand for
    what there is, there are no trees."""

    resource_class: str | None
    as_of: int
    """The demand is of the requests up to this position."""
    trees: tuple[StrandedTree, ...]


def read_mixes(connection: Connection, moments: Sequence[Micros]) -> list[Mix]:
    """The demand of late at each moment, from the requests read model."""
    return [_mix_at(connection, moment) for moment in moments]


def read_stranding(
    connection: Connection, moments: Sequence[Micros], mixes: Sequence[Mix]
) -> list[StrandedAt]:
    """From the capacity read model. Raises Invalid where that would be too much to read."""
    _require_readable(connection, moments)
    found: list[StrandedAt] = []
    for moment, mix in zip(moments, mixes, strict=True):
        view = load_live_capacity(connection, moment)
        view.mix.put(mix)
        found.append(stranded_in(view))
    return found


def stranded_in(view: LiveCapacity) -> StrandedAt:
    trees = LiveTrees(view)
    position = view.columns["position"]
    roots = np.flatnonzero(trees.roots())
    measured = LiveStranding(view).stranded(trees, roots)
    if measured is None:
        return StrandedAt(None, view.mix.now.as_of, ())
    resource_class, free, stranded = measured
    told = (
        StrandedTree(view.ids[root], view.names[root], int(position[root]), some, lost)
        for root, some, lost in zip(roots.tolist(), free.tolist(), stranded.tolist(), strict=True)
        if some
    )
    by_registration = sorted(told, key=lambda one: one.registered_position)
    return StrandedAt(resource_class, view.mix.now.as_of, tuple(by_registration))


def _mix_at(connection: Connection, moment: Micros) -> Mix:
    statement = (
        select(requests.c.submitted_position, requests.c.wish)
        .where(requests.c.submitted_at <= moment)
        .order_by(requests.c.submitted_position.desc())
        .limit(WINDOW)
    )
    rows = connection.execute(statement).all()
    wishes = [Wish.model_validate_json(row.wish) for row in reversed(rows)]
    return mix_of(rows[0].submitted_position if rows else 0, wishes)


def _require_readable(connection: Connection, moments: Sequence[Micros]) -> None:
    there = connection.scalar(
        select(func.count()).select_from(providers).where(counts_at(providers, moments[-1]))
    )
    if (there or 0) * len(moments) > MOST_PROVIDERS:
        raise Invalid(
            "too_many_steps",
            f"{there} providers at {len(moments)} moments are too many to tell at once: take "
            "longer steps",
        )
