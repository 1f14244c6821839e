"""Events of older shapes, upcast when they are read; stored samples are in test_event_shapes.py."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, ClassVar

import pytest
from eventsourcing.persistence import MapperDeserialisationError, StoredEvent

from domain.events import Event
from domain.inventory import DiscreteInventory, Unit
from domain.provider_events import InventoryChanged
from infra.mapper import EventMapper
from tests.pinned_events import registered


class Measured(Event):
    """An event whose second shape counts in millimetres."""

    TOPIC: ClassVar[str] = "test.measured"
    class_version: ClassVar[int] = 2
    millimetres: int

    @staticmethod
    def upcast_v1_v2(state: dict[str, Any]) -> None:
        state["millimetres"] = 10 * state.pop("centimetres")


class Weighed(Event):
    """An event whose first shape said pounds and its second grams, before tares were known."""

    TOPIC: ClassVar[str] = "test.weighed"
    class_version: ClassVar[int] = 3
    grams: int
    tare: int

    @staticmethod
    def upcast_v1_v2(state: dict[str, Any]) -> None:
        state["grams"] = 500 * state.pop("pounds")

    @staticmethod
    def upcast_v2_v3(state: dict[str, Any]) -> None:
        state["tare"] = state["grams"] // 10


@pytest.fixture(autouse=True)
def made_up_events() -> Iterator[None]:
    with registered(Measured), registered(Weighed):
        yield


def read(topic: str, state: bytes) -> Any:
    return EventMapper().to_domain_event(StoredEvent("test:1", 1, topic, state))


def measured(state: bytes) -> Measured:
    event = read(Measured.TOPIC, state)
    assert isinstance(event, Measured)
    return event


def test_an_older_shape_is_upcast() -> None:
    old = measured(b'{"at":"2026-01-01T00:00:00Z","centimetres":5}')
    assert old.millimetres == 50


@pytest.mark.parametrize(
    "state",
    [
        b'{"at":"2026-01-01T00:00:00Z","pounds":2}',
        b'{"class_version":2,"at":"2026-01-01T00:00:00Z","grams":1000}',
        b'{"class_version":3,"at":"2026-01-01T00:00:00Z","grams":1000,"tare":100}',
        b'{"at":"2026-01-01T00:00:00Z","grams":1000,"tare":100,"class_version":3}',
    ],
    ids=["version 1", "version 2", "version 3", "version 3, said last"],
)
def test_every_version_is_read_as_the_newest(state: bytes) -> None:
    event = read(Weighed.TOPIC, state)
    assert (event.grams, event.tare, event.originator_version) == (1000, 100, 1)
    assert EventMapper().to_stored_event(event).state == (
        b'{"class_version":3,"at":"2026-01-01T00:00:00Z","grams":1000,"tare":100}'
    )


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


def test_an_attribute_is_stored_as_what_it_is_whatever_was_asked_of_the_inventory_before() -> None:
    unit = Unit(name="gpu0", attributes={"nvlink": True, "rack": 1, "model": "A100"})
    inventory = DiscreteInventory(units=(unit,))
    changed = InventoryChanged(
        originator_id="provider:1",
        originator_version=1,
        at=datetime(2026, 1, 1, tzinfo=UTC),
        resource_class="PGPU",
        inventory=inventory,
    )
    assert inventory.capacity == 1
    state = EventMapper().to_stored_event(changed).state
    assert b'"attributes":{"nvlink":true,"rack":1,"model":"A100"}' in state
