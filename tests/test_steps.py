"""Steps of time, and exact sums of amount × time in each."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.billing_time import Micros, month_of
from domain.errors import Invalid
from domain.steps import MOST_STEPS, Edges, Step, StepSums, edges_of, told_in_hours
from domain.times import from_micros, to_micros
from tests.rated import HOUR, JANUARY, MARCH

STEPS: tuple[Step, ...] = ("hour", "day", "month")
moments = st.integers(JANUARY, JANUARY + 40 * 24 * HOUR)


def micros(*parts: int) -> Micros:
    return to_micros(datetime(*parts, tzinfo=UTC))  # type: ignore[misc, arg-type]


@pytest.mark.parametrize(
    ("step", "begins"),
    [
        ("hour", [(2026, 1, 31, 22, 30), (2026, 1, 31, 23), (2026, 2, 1), (2026, 2, 1, 0, 20)]),
        ("day", [(2026, 1, 30, 12), (2026, 1, 31), (2026, 2, 1), (2026, 2, 1, 1)]),
        ("month", [(2025, 12, 5), (2026, 1, 1), (2026, 2, 1), (2026, 2, 28, 5)]),
        ("month", [(2026, 1, 1), (2026, 2, 1)]),
    ],
)
def test_steps_begin_where_the_calendar_says(step: Step, begins: list[tuple[int, ...]]) -> None:
    edges = [micros(*one) for one in begins]
    assert list(edges_of(edges[0], edges[-1], step)) == edges


def test_a_period_of_no_time_or_of_too_many_steps_is_refused() -> None:
    for end in (JANUARY, JANUARY - 1):
        with pytest.raises(Invalid, match="ends before it begins"):
            edges_of(JANUARY, end, "day")
    assert len(edges_of(JANUARY, JANUARY + MOST_STEPS * HOUR, "hour")) == MOST_STEPS + 1
    with pytest.raises(Invalid, match="more than 1000 steps of one hour") as refused:
        edges_of(0, JANUARY, "hour")
    assert refused.value.code == "too_many_steps"


@given(moments, moments, st.sampled_from(STEPS))
def test_steps_fill_the_period_and_none_reaches_over_a_month(
    one: Micros, other: Micros, step: Step
) -> None:
    start, end = min(one, other), max(one, other) + 1
    edges = edges_of(start, end, step)
    assert (edges[0], edges[-1]) == (start, end)
    for before, after in pairwise(edges):
        assert before < after <= month_of(before).end
        inner = (before, after)[before == start]
        assert from_micros(inner).minute == 0 or inner in (start, end)


intervals = st.tuples(st.integers(0, 2**31), moments, st.one_of(st.none(), moments))


@given(st.lists(intervals, max_size=6), moments, moments, st.sampled_from(STEPS))
def test_each_step_has_what_was_held_within_it(
    held: list[tuple[int, Micros, Micros | None]], one: Micros, other: Micros, step: Step
) -> None:
    edges = edges_of(min(one, other), max(one, other) + 1, step)
    sums = StepSums(edges)
    for amount, from_at, to_at in held:
        sums.add(amount, from_at, to_at)
    assert sums.sums() == [
        sum(simply(interval, start, end) for interval in held) for start, end in pairwise(edges)
    ]


def simply(interval: tuple[int, Micros, Micros | None], start: Micros, end: Micros) -> int:
    amount, from_at, to_at = interval
    until = end if to_at is None else min(end, to_at)
    return amount * max(0, until - max(start, from_at))


@given(st.lists(st.integers(0, 10**18), max_size=20))
def test_hours_are_told_so_that_they_add_up(sums: list[int]) -> None:
    told = told_in_hours(sums)
    assert sum(told, Decimal(0)) == sum(told_in_hours([sum(sums)]), Decimal(0))
    for hours, exact in zip(told, sums, strict=True):
        assert abs(Fraction(hours) - Fraction(exact, HOUR)) < Fraction(1, 10**6)


def test_a_whole_hour_is_one() -> None:
    edges: Edges = edges_of(JANUARY, MARCH, "month")
    sums = StepSums(edges)
    sums.add(4, JANUARY, JANUARY + HOUR // 2)
    assert [str(one) for one in told_in_hours(sums.sums())] == ["2.000000", "0.000000"]
