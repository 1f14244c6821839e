"""Moments as clients write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from api.problems import BadCall
from api.times import Time, parse_time, require_past

MOMENT = datetime(2026, 11, 23, 14, 32, 0, 123456, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-23T14:32:00.123456Z",
        "2026-11-23t14:32:00.123456z",
        "2026-11-23 14:32:00.123456Z",
        "2026-11-23T15:32:00.123456+01:00",
        "2026-11-23T15:32:00.123456 01:00",
        "2026-11-23T04:02:00.123456-10:30",
        "2026-11-23T14:32:00.123456789Z",
    ],
)
def test_one_moment_can_be_written_in_many_ways(text: str) -> None:
    assert parse_time(text) == MOMENT
    assert parse_time(text).tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2026-11-23",
        "2026-11-23T14:32:00",
        "2026-11-23T14:32Z",
        "2026-13-23T14:32:00Z",
        "2026-11-23T14:32:00+25:00",
        "1700000000",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "2026-11-23T14:32:00Z\n",
        "२०२६-11-23T14:32:00Z",
    ],
)
def test_what_is_no_moment_within_reach_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_time(text)


@given(
    st.datetimes(min_value=datetime(1971, 1, 1), max_value=datetime(9998, 1, 1)),  # noqa: DTZ001
    st.integers(-14 * 60, 14 * 60),
)
def test_every_moment_survives_being_written(naive: datetime, offset_minutes: int) -> None:
    moment = naive.replace(tzinfo=timezone(timedelta(minutes=offset_minutes)))
    assert parse_time(moment.isoformat()) == moment


def test_a_number_is_no_time() -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Time).validate_json(b"1700000000")


def test_the_present_is_not_the_future() -> None:
    require_past(MOMENT, None, MOMENT)
    with pytest.raises(BadCall) as refused:
        require_past(MOMENT, MOMENT + timedelta(microseconds=1))
    assert refused.value.code == "at_in_future"
