"""A stretch of the past in steps, as the reads over time take it: `from`, `until` and `step`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import Query
from pydantic import BaseModel

from api.house import House
from api.times import Time, require_past
from domain.steps import MOST_STEPS, Edges, Step, edges_of
from domain.times import from_micros, to_micros

MOST_VALUES = 50_000
"""About so many numbers are told in one page: with many steps, pages are shorter."""

From = Annotated[
    Time,
    Query(
        alias="from",
        description="Where it begins (RFC 3339 with an offset).",
        examples=["2026-11-01T00:00:00Z"],
    ),
]
UntilNow = Annotated[
    Time | None,
    Query(description="The first moment after it; else now.", examples=["2026-11-24T00:00:00Z"]),
]
InSteps = Annotated[
    Step,
    Query(
        description="Calendar hours, days or months in UTC. The first and the last may be parts of "
        f"one; {MOST_STEPS} are the most."
    ),
]


class WindowView(BaseModel):
    """`edges` are where each step begins, and at last where the last one ends."""

    step: Step
    edges: list[datetime]


def edges_between(house: House, start: datetime, until: datetime | None, step: Step) -> Edges:
    """Raises BadCall, Invalid."""
    now = house.now()
    require_past(now, start, until)
    return edges_of(to_micros(start), to_micros(until or now), step)


def window_view(edges: Edges, step: Step) -> WindowView:
    return WindowView(step=step, edges=[from_micros(edge) for edge in edges])


def page_size(limit: int, edges: Edges) -> int:
    return min(limit, max(1, MOST_VALUES // len(edges)))
