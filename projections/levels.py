"""Capacity and usage of one class over time: their averages and peaks, step by step.

Averages are exact: usage × time over capacity × time. The peak is the largest part that was in use
at any moment; moments at which there was no capacity count for neither.
"""

from __future__ import annotations

from array import array
from math import floor

import numpy as np

from domain.billing_time import Micros
from domain.steps import Edges, StepSums

PARTS = 10_000


class Levels:
    def __init__(self, edges: Edges) -> None:
        self._edges = edges
        self._usage = StepSums(edges)
        self._capacity = StepSums(edges)
        # What changes when, in three columns: a large cloud has millions of changes.
        self._times = array("q")
        self._usage_changes = array("q")
        self._capacity_changes = array("q")

    def add_usage(self, amount: int, from_at: Micros, to_at: Micros | None) -> None:
        self._usage.add(amount, from_at, to_at)
        self._change(amount, 0, from_at, to_at)

    def add_capacity(self, amount: int, from_at: Micros, to_at: Micros | None) -> None:
        self._capacity.add(amount, from_at, to_at)
        self._change(0, amount, from_at, to_at)

    def _change(self, usage: int, capacity: int, from_at: Micros, to_at: Micros | None) -> None:
        start, end = self._edges[0], self._edges[-1]
        if from_at >= end or (to_at is not None and to_at <= max(from_at, start)):
            return
        self._record(max(from_at, start), usage, capacity)
        if to_at is not None and to_at < end:
            self._record(to_at, -usage, -capacity)

    def _record(self, time: Micros, usage: int, capacity: int) -> None:
        self._times.append(time)
        self._usage_changes.append(usage)
        self._capacity_changes.append(capacity)

    def means(self) -> list[float | None]:
        """The part that was in use in each step; None where there was no capacity."""
        return [
            part_of(*one) for one in zip(self._usage.sums(), self._capacity.sums(), strict=True)
        ]

    def mean(self) -> float | None:
        return part_of(sum(self._usage.sums()), sum(self._capacity.sums()))

    def peaks(self) -> list[float | None]:
        """The largest part that was in use in each step."""
        edges = np.array(self._edges[:-1], dtype=np.int64)
        # A step that nothing changes in has the level with which it begins.
        times = np.concatenate([np.frombuffer(self._times, dtype=np.int64), edges])
        nothing = np.zeros(len(edges), dtype=np.int64)
        order = np.argsort(times, kind="stable")
        times = times[order]
        is_last = np.append(times[1:] != times[:-1], True)
        levels = [
            np.cumsum(np.concatenate([np.frombuffer(one, dtype=np.int64), nothing])[order])[is_last]
            for one in (self._usage_changes, self._capacity_changes)
        ]
        usage, capacity = levels
        part = np.full(len(usage), -1.0)
        np.divide(usage, capacity, out=part, where=capacity > 0)
        starts = np.searchsorted(times[is_last], edges)
        greatest = np.maximum.reduceat(part, starts)
        return [floor(one * PARTS + 0.5) / PARTS if one >= 0 else None for one in greatest]


def levels_of(table: dict[str, Levels], resource_class: str, edges: Edges) -> Levels:
    """Those of the class in the table, made where they are missing."""
    found = table.get(resource_class)
    if found is None:
        found = table[resource_class] = Levels(edges)
    return found


def part_of(usage: int, capacity: int) -> float | None:
    """Usage over capacity, rounded half up to four decimals; None where there is no capacity."""
    if capacity <= 0:
        return None
    return (2 * usage * PARTS + capacity) // (2 * capacity) / PARTS
