"""Use over time: what was held, and for how long, from the claims read model.

Each interval counts exactly, as amount × time in each step (`domain/steps.py`). A hold counts until
its deadline, or until it was confirmed or withdrawn before that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, or_, select

from domain.billing_time import Micros
from domain.held import Held
from domain.rated_parts import whole_flavors
from domain.steps import Edges, StepSums
from projections.claims_tables import ClaimInterval, claims
from projections.in_use import rows_of
from projections.json_text import from_text
from projections.schema_version import columns_in


class Use:
    """Of one thing, by claims and by holds: for each step, the amount × microseconds."""

    __slots__ = ("claims", "holds")

    def __init__(self, edges: Edges) -> None:
        self.claims = StepSums(edges)
        self.holds = StepSums(edges)

    def of(self, status: str) -> StepSums:
        return self.holds if status in HOLDS else self.claims


HOLDS = ("hold", "held")
"""A hold, in the words of rating and of the read model."""


class UseTable:
    """The use of each project and thing: a resource class, or a flavor."""

    def __init__(self, edges: Edges, *, together: bool = False) -> None:
        self._edges = edges
        self._together = together
        self._found: dict[str, dict[str, Use]] = {}

    def of(self, project_id: str, name: str) -> Use:
        found = self._found.setdefault("" if self._together else project_id, {})
        use = found.get(name)
        if use is None:
            use = found[name] = Use(self._edges)
        return use

    def by_name(self, project_id: str = "") -> dict[str, Use]:
        """In the names' order; nothing of a project that held nothing."""
        return dict(sorted(self._found.get(project_id, {}).items()))


class Projects(NamedTuple):
    """Which projects a read is of: all of them, or those from `first` to `last`, both included."""

    first: str | None = None
    last: str | None = None

    @property
    def conditions(self) -> list[ColumnElement[bool]]:
        bounds = [] if self.first is None else [claims.c.project_id >= self.first]
        return bounds if self.last is None else [*bounds, claims.c.project_id <= self.last]


def one_project(project_id: str) -> Projects:
    return Projects(project_id, project_id)


def count_classes(table: UseTable, connection: Connection, edges: Edges, of: Projects) -> None:
    """Count each resource class; amounts of different ones are never added up."""
    statement = select(
        claims.c.project_id, claims.c.status, claims.c.from_at, claims.c.to_at, claims.c.shares
    ).where(*_within(edges[0], edges[-1]), *of.conditions)
    for project_id, status, from_at, to_at, shares in rows_of(connection, statement):
        for share in from_text(shares).values():
            for name, amount in share["resources"].items():
                table.of(project_id, name).of(status).add(amount, from_at, to_at)


def read_intervals_after(
    connection: Connection, edges: Edges, of: Projects, after: int, limit: int
) -> list[ClaimInterval]:
    """Claims and holds with a part in the steps, in the log's order, those after a position."""
    statement = (
        select(*columns_in(connection, claims))
        .where(*_within(edges[0], edges[-1]), *of.conditions)
        .where(claims.c.from_position > after)
        .order_by(claims.c.from_position)
        .limit(limit)
    )
    return [ClaimInterval(*row) for row in connection.execute(statement)]


def count_flavors(table: UseTable, held: Iterable[Held], project_of: Mapping[int, str]) -> None:
    """Count each flavor for as long as all that it is made of is held, as bills do.

    `project_of` gives the project by the position at which an interval began.
    """
    for one in held:
        for name in whole_flavors(one):
            use = table.of(project_of[one.position], name)
            use.of(one.status).add(1, one.from_at, one.to_at)


def _within(start: Micros, end: Micros) -> Sequence[ColumnElement[bool]]:
    return (claims.c.from_at < end, or_(claims.c.to_at.is_(None), claims.c.to_at > start))
