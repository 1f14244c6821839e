"""Events as logs hold them, for ever: every shape that was ever stored is kept, and still read.

What is kept, and the command that writes it, is told in `tests/pinned_events.py`. The second half
shows, with made-up events, that each mistake is found.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, ClassVar

import pytest
from eventsourcing.persistence import StoredEvent
from pydantic import Field, PlainSerializer

from domain.events import Event, Fact
from domain.streams import event_types
from infra.mapper import EventMapper
from tests.event_shapes import shape, unreached
from tests.pin_events import pin, pin_all
from tests.pinned_events import BY_HAND, Pins, objections, registered, sample_line


def teach(lessons: list[str]) -> None:
    if lessons:
        pytest.fail("\n".join(lessons), pytrace=False)


@pytest.mark.parametrize("kind", event_types().values(), ids=lambda kind: kind.TOPIC)
def test_every_shape_of_an_event_is_kept_and_read(kind: type[Event]) -> None:
    teach(objections(kind, Pins()))


def vanished(pins: Pins) -> list[str]:
    return sorted(pins.versions().keys() - event_types().keys())


def test_a_stored_name_never_disappears() -> None:
    teach(
        [
            f"no event is called {topic} any more, but logs hold some: bring its class back, to be "
            "read, even if nothing writes it"
            for topic in vanished(Pins())
        ]
    )


def test_the_folder_holds_nothing_else() -> None:
    assert Pins().strangers() == []


# --- The guard itself -----------------------------------------------------------------------------

TOPIC = "test.painted"


class Painted(Event):
    """The first shape, of which logs hold events."""

    TOPIC: ClassVar[str] = TOPIC
    colour: str


class Coat(Fact):
    thickness: int
    primer: str | None = None


class Recoated(Event):
    """The second shape, with the older one's way to it."""

    TOPIC: ClassVar[str] = TOPIC
    class_version: ClassVar[int] = 2
    colours: tuple[str, ...]
    coat: Coat | None = None

    @staticmethod
    def upcast_v1_v2(state: dict[str, Any]) -> None:
        state["colours"] = [state.pop("colour")]


def stored(state: str) -> StoredEvent:
    return StoredEvent("test:1", 1, TOPIC, state.encode())


RED = stored('{"at":"2026-01-01T12:00:00Z","colour":"red"}')
COATED = (
    '{"class_version":2,"at":"2026-01-01T12:00:00Z","colours":["red"],'
    '"coat":{"thickness":2,"primer":%s}}'
)


@pytest.fixture
def pins(tmp_path: Path) -> Pins:
    """Version 1 is pinned, and no log may lose it."""
    pins = Pins(tmp_path)
    pins.write_samples(TOPIC, 1, [RED])
    with registered(Painted):
        assert pin(Painted, pins) == []
    return pins


def files(pins: Pins) -> dict[str, str]:
    return {path.name: path.read_text("utf-8") for path in pins.folder.iterdir()}


def refused(kind: type[Event], pins: Pins) -> str:
    """What the test of such a class says; the command says the same, and writes nothing."""
    before = files(pins)
    with registered(kind):
        found = objections(kind, pins)
        assert found
        assert pin(kind, pins) == found
    assert files(pins) == before
    return "\n".join(found)


def added(pins: Pins, version: int, *samples: StoredEvent) -> None:
    """What a person does by hand: more lines."""
    with pins.samples_path(TOPIC, version).open("a", encoding="utf-8") as file:
        file.writelines(f"{sample_line(sample)}\n" for sample in samples)


def test_an_unchanged_event_is_left_in_peace(pins: Pins) -> None:
    with registered(Painted):
        assert objections(Painted, pins) == []


def test_a_changed_shape_without_a_version_is_told_what_to_do(pins: Pins) -> None:
    class Changed(Event):
        TOPIC: ClassVar[str] = TOPIC
        colour: str
        gloss: bool = False

    lesson = refused(Changed, pins)
    for step in (
        'properties.gloss: is new, {"default": false, "type": "boolean"}',
        "raise `class_version` of Changed to 2",
        "write `upcast_v1_v2(state)`",
        "keep test.painted.v1.*",
        "run `python -m tests.pin_events`",
    ):
        assert step in lesson


def test_a_narrower_field_is_a_changed_shape(pins: Pins) -> None:
    class Narrowed(Event):
        TOPIC: ClassVar[str] = TOPIC
        colour: Annotated[str, Field(max_length=2)]

    assert "properties.colour.maxLength: is new, 2" in refused(Narrowed, pins)


def test_a_field_that_is_written_otherwise_is_found_by_its_bytes(pins: Pins) -> None:
    class Louder(Event):
        TOPIC: ClassVar[str] = TOPIC
        colour: Annotated[str, PlainSerializer(str.upper)]

    assert shape(Louder) == shape(Painted)
    assert "is not stored like this any more, but like" in refused(Louder, pins)


def test_words_and_class_names_are_no_part_of_the_shape() -> None:
    class Layer(Fact):
        """Another name for a coat."""

        thickness: int = Field(description="in micrometres")
        primer: str | None = Field(default=None, title="What is below")

    class Relayered(Event):
        TOPIC: ClassVar[str] = TOPIC
        colours: tuple[str, ...]
        coat: Layer | None = None

    assert shape(Relayered) == shape(Recoated)


def test_a_nested_change_changes_the_shape_of_the_event() -> None:
    class Thick(Fact):
        thickness: float
        primer: str | None = None

    class Other(Event):
        TOPIC: ClassVar[str] = TOPIC
        colours: tuple[str, ...]
        coat: Thick | None = None

    assert shape(Other) != shape(Recoated)


def test_a_version_without_an_upcast_is_refused(pins: Pins) -> None:
    class Raised(Event):
        TOPIC: ClassVar[str] = TOPIC
        class_version: ClassVar[int] = 2
        colours: tuple[str, ...]

    assert "has no `upcast_v1_v2`: write it" in refused(Raised, pins)


def test_an_upcast_that_does_not_lead_to_the_new_shape_is_refused(pins: Pins) -> None:
    class Astray(Recoated):
        @staticmethod
        def upcast_v1_v2(state: dict[str, Any]) -> None:
            state["colors"] = [state.pop("colour")]

    with registered(Astray):
        assert "the upcasts of Astray do not lead to it" in pin(Astray, pins)[0]
    assert not pins.samples(TOPIC, 2)


@pytest.mark.parametrize("lost", ["test.painted.v1.jsonl", "test.painted.v1.schema.json"])
def test_an_old_sample_or_shape_may_not_be_lost(pins: Pins, lost: str) -> None:
    (pins.folder / lost).unlink()
    assert f"{lost} is missing: logs hold version 1" in refused(Recoated, pins)


def test_an_emptied_sample_is_a_lost_one(pins: Pins) -> None:
    pins.samples_path(TOPIC, 1).write_text("", "utf-8")
    with registered(Painted):
        assert "test.painted.v1.jsonl holds no sample" in objections(Painted, pins)[0]


def test_a_new_version_is_pinned_beside_the_old_one(pins: Pins) -> None:
    before = files(pins)
    with registered(Recoated):
        assert objections(Recoated, pins) == [
            "version 2 of test.painted is not pinned yet: run `python -m tests.pin_events`"
        ]
        # The older samples, upcast, cannot show what is new: that is asked of a person.
        assert pin(Recoated, pins) == [
            "no sample in test.painted.v2.jsonl has state.coat<object>: add a line that does"
        ]
        added(pins, 2, stored(COATED % "null"), stored(COATED % '"grey"'))
        assert pin(Recoated, pins) == []
    after = files(pins)
    assert before.items() < after.items()
    assert after.keys() - before.keys() == {"test.painted.v2.jsonl", "test.painted.v2.schema.json"}


def test_a_chain_of_upcasts_reads_the_oldest_event(pins: Pins) -> None:
    class Finished(Event):
        TOPIC: ClassVar[str] = TOPIC
        class_version: ClassVar[int] = 3
        layers: tuple[str, ...]

        @staticmethod
        def upcast_v1_v2(state: dict[str, Any]) -> None:
            Recoated.upcast_v1_v2(state)

        @staticmethod
        def upcast_v2_v3(state: dict[str, Any]) -> None:
            state["layers"] = state.pop("colours")
            state.pop("coat", None)

    with registered(Recoated):
        pin(Recoated, pins)
        added(pins, 2, stored(COATED % "null"), stored(COATED % '"grey"'))
        pin(Recoated, pins)
    before = files(pins)
    with registered(Finished):
        assert pin(Finished, pins) == []
        oldest = EventMapper().to_domain_event(RED)
    assert before.items() < files(pins).items()
    assert oldest == Finished(
        originator_id="test:1",
        originator_version=1,
        at=datetime(2026, 1, 1, 12, tzinfo=UTC),
        layers=("red",),
    )


def test_a_pinned_name_is_not_used_anew(pins: Pins) -> None:
    class Another(Event):
        TOPIC: ClassVar[str] = TOPIC
        picture: bytes

    assert "Another has another shape, and is still version 1" in refused(Another, pins)
    with registered(Recoated):
        pin(Recoated, pins)
    assert "a stored name is never used anew" in refused(Painted, pins)
    assert vanished(pins) == [TOPIC]


def test_a_new_event_is_pinned_once_a_person_wrote_a_sample(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pins = Pins(tmp_path)
    with registered(Painted):
        assert pin_all([Painted], pins) == 1
        assert BY_HAND in capsys.readouterr().err
        pins.write_samples(TOPIC, 1, [stored('{"colour":"red", "at":"2026-01-01T12:00:00Z"}')])
        assert pin_all([Painted], pins) == 1
        assert RED.state.decode() in capsys.readouterr().err
        pins.samples_path(TOPIC, 1).unlink()
        pins.write_samples(TOPIC, 1, [RED])
        assert pin_all([Painted], pins) == 0
        assert capsys.readouterr().out == "wrote test.painted.v1.schema.json\n"


def test_every_optional_part_and_every_alternative_needs_a_sample() -> None:
    schema = shape(Recoated, "serialization")
    assert list(unreached(schema, [{"at": "", "colours": [], "coat": None}])) == [
        "state.colours[]",
        "state.coat<object>",
    ]
    coat = {"thickness": 1, "primer": None}
    assert list(unreached(schema, [{"at": "", "colours": ["red"], "coat": coat}])) == [
        "state.coat<object>.primer<string>",
        "state.coat<null>",
    ]
