"""What the history says of each event, as people read it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.events import Event
from domain.streams import event_types
from domain.times import EPOCH, from_micros, to_micros
from projections.sentences import providers_of, summary
from tests.projected_log import random_log
from tests.said_events import NAMES, SAID


@pytest.mark.parametrize(("event", "sentence"), SAID, ids=lambda one: getattr(one, "TOPIC", ""))
def test_an_event_is_told_in_a_sentence(event: Event, sentence: str) -> None:
    assert summary(event, NAMES) == sentence


def test_every_type_of_event_has_its_sentence() -> None:
    assert {event.TOPIC for event, _ in SAID} == set(event_types())


def test_the_providers_that_a_sentence_names_are_known_before_it_is_told(tmp_path: Path) -> None:
    """With their names given, no id of a provider is left in any sentence but of naming one."""
    log = random_log(tmp_path, seed=3, steps=150)
    ids = {one.event.originator_id[9:] for one in log if one.event.TOPIC == "provider.registered"}
    assert len(ids) > 3
    for recorded in log:
        names = dict.fromkeys(providers_of(recorded.event), "NAME")
        assert set(names) <= ids
        told = summary(recorded.event, names)
        if recorded.event.TOPIC not in ("provider.renamed", "provider_name.taken"):
            assert not [id for id in ids if id in told]


# --- Times ----------------------------------------------------------------------------------------


@given(st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=-7, minutes=-30))])))
def test_a_time_survives_as_whole_microseconds(moment: datetime) -> None:
    micros = to_micros(moment)
    assert from_micros(micros) == moment
    assert to_micros(from_micros(micros) + timedelta(microseconds=1)) == micros + 1


def test_times_count_from_the_epoch() -> None:
    assert to_micros(EPOCH) == 0
    assert to_micros(datetime(2001, 9, 9, 1, 46, 40, 123456, tzinfo=UTC)) == 1_000_000_000_123_456
