"""Events as they are stored: golden samples of every shape that was ever written, and upcasts."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import pytest
from eventsourcing.persistence import MapperDeserialisationError, StoredEvent
from eventsourcing.utils import register_topic

from domain.events import Event
from domain.streams import event_types
from infra.mapper import EventMapper

GOLDEN = Path(__file__).parent / "golden" / "events.json"
"""Stored events as releases wrote them: one at least for each event and class version. Samples are
added when a shape changes, never edited: they stand for logs that cannot be written again."""

SAMPLES: list[dict[str, Any]] = json.loads(GOLDEN.read_text(encoding="utf-8"))


def stored(sample: dict[str, Any]) -> StoredEvent:
    return StoredEvent(
        originator_id=sample["stream"],
        originator_version=sample["version"],
        topic=sample["topic"],
        state=sample["state"].encode(),
    )


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample["topic"])
def test_what_was_ever_stored_is_still_read(sample: dict[str, Any]) -> None:
    event = EventMapper().to_domain_event(stored(sample))
    assert isinstance(event, event_types()[sample["topic"]])
    assert (event.originator_id, event.originator_version) == (sample["stream"], sample["version"])


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample["topic"])
def test_an_event_of_the_newest_shape_is_stored_as_it_always_was(sample: dict[str, Any]) -> None:
    """Fails if a shape changed: then raise the class version, add an upcast and a new sample."""
    mapper = EventMapper()
    event = mapper.to_domain_event(stored(sample))
    newest = json.loads(sample["state"]).get("class_version", 1) == type(event).class_version
    if newest:
        assert mapper.to_stored_event(event).state.decode() == sample["state"]


def test_every_event_has_a_sample_of_its_newest_shape() -> None:
    sampled = {
        (sample["topic"], json.loads(sample["state"]).get("class_version", 1)) for sample in SAMPLES
    }
    newest = {(topic, kind.class_version) for topic, kind in event_types().items()}
    assert newest <= sampled, "add a stored sample of each to tests/golden/events.json"


class Measured(Event):
    """An event whose second shape counts in millimetres."""

    TOPIC: ClassVar[str] = "test.measured"
    class_version: ClassVar[int] = 2
    millimetres: int

    @staticmethod
    def upcast_v1_v2(state: dict[str, Any]) -> None:
        state["millimetres"] = 10 * state.pop("centimetres")


def measured(state: bytes) -> Measured:
    register_topic(Measured.TOPIC, Measured)
    event = EventMapper().to_domain_event(StoredEvent("test:1", 1, Measured.TOPIC, state))
    assert isinstance(event, Measured)
    return event


def test_an_older_shape_is_upcast() -> None:
    old = measured(b'{"at":"2026-01-01T00:00:00Z","centimetres":5}')
    assert old.millimetres == 50


def test_a_newer_shape_says_its_version_and_comes_back_as_it_was() -> None:
    event = Measured(
        originator_id="test:1",
        originator_version=1,
        at=datetime(2026, 1, 1, tzinfo=UTC),
        millimetres=7,
    )
    state = EventMapper().to_stored_event(event).state
    assert state.startswith(b'{"class_version":2,')
    assert measured(state) == event


@pytest.mark.parametrize(
    "state", [b"", b"{}", b"[]", b'{"at":"2026-01-01T00:00:00Z","centimetres":"x"}']
)
def test_what_cannot_be_read_names_the_event(state: bytes) -> None:
    with pytest.raises(MapperDeserialisationError, match=r"test\.measured at version 1 of test:1"):
        measured(state)
