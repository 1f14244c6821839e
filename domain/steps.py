"""A stretch of time in steps: calendar hours, days or months in UTC, and sums for each of them.

Sums are of an amount times how long it was held (amount × microseconds): whole numbers, exact.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import accumulate, pairwise
from typing import Literal

from domain.billing_time import LENGTHS, Micros, month_of
from domain.errors import Invalid

Step = Literal["hour", "day", "month"]

MOST_STEPS = 1_000
HOURS_DECIMALS = 6

Edges = Sequence[Micros]
"""Where each step begins, in order, and at last where the last one ends."""


def edges_of(start: Micros, end: Micros, step: Step) -> Edges:
    """The first and the last step may be parts of one. Raises Invalid."""
    if start >= end:
        raise Invalid("bad_period", "the period ends before it begins")
    edges = [start]
    for edge in _beginnings(start, step):
        if edge >= end:
            break
        if len(edges) == MOST_STEPS:
            raise Invalid(
                "too_many_steps", f"the period has more than {MOST_STEPS} steps of one {step}"
            )
        edges.append(edge)
    return (*edges, end)


def _beginnings(after: Micros, step: Step) -> Iterator[Micros]:
    """Of all the steps that begin after a moment."""
    if step == "month":
        while True:
            after = month_of(after).end
            yield after
    length = LENGTHS[step]
    while True:
        after = (after // length + 1) * length
        yield after


class StepSums:
    """Amount × time for each step. Adding an interval costs the same however long it is."""

    __slots__ = ("_edges", "_parts", "_turns")

    def __init__(self, edges: Edges) -> None:
        self._edges = edges
        self._parts = [0] * (len(edges) - 1)
        self._turns = [0] * len(edges)
        """By how much the amount that is there through whole steps changes where a step begins."""

    def add(self, amount: int, from_at: Micros, to_at: Micros | None) -> None:
        """Count what is within the steps; `to_at` None: to their end."""
        edges = self._edges
        start = max(from_at, edges[0])
        end = edges[-1] if to_at is None else min(to_at, edges[-1])
        if start >= end:
            return
        first = bisect_right(edges, start) - 1
        last = bisect_right(edges, end - 1) - 1
        if first == last:
            self._parts[first] += amount * (end - start)
            return
        self._parts[first] += amount * (edges[first + 1] - start)
        self._parts[last] += amount * (end - edges[last])
        self._turns[first + 1] += amount
        self._turns[last] -= amount

    def sums(self) -> list[int]:
        """Amount × microseconds of each step."""
        through = accumulate(self._turns)
        return [
            part + amount * (end - start)
            for part, amount, (start, end) in zip(
                self._parts, through, pairwise(self._edges), strict=False
            )
        ]


def told_in_hours(sums: Sequence[int]) -> list[Decimal]:
    """Amount × hours with six decimals, rounded half up so that they add up to the rounded sum."""
    hour = LENGTHS["hour"]
    parts = 10**HOURS_DECIMALS
    rounded = [(2 * total * parts + hour) // (2 * hour) for total in accumulate(sums, initial=0)]
    return [Decimal(after - before).scaleb(-HOURS_DECIMALS) for before, after in pairwise(rounded)]
