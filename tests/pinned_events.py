"""What logs hold for ever: for each event and class version, stored samples and the shape.

Two files in `tests/golden/events` stand for one version of one event. They are written once, by
`python -m tests.pin_events`, and kept when the next version comes:

- `<topic>.v<N>.jsonl`: stored events, one a line, their state byte for byte. Lines may be added.
- `<topic>.v<N>.schema.json`: the shape of the state.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from eventsourcing.persistence import MapperDeserialisationError, StoredEvent
from eventsourcing.utils import _topic_cache, register_topic

from domain.events import Event
from infra.mapper import EventMapper
from tests.event_shapes import Schema, differences, shape, unreached

GOLDEN = Path(__file__).parent / "golden" / "events"
COMMAND = "python -m tests.pin_events"

FILE_NAME = re.compile(r"(?P<topic>.+)\.v(?P<version>[1-9][0-9]*)\.(jsonl|schema\.json)")
STATE = ',"state":'
BY_HAND = '{"stream":"…:…","version":1,"state":{…}}'


@dataclass(frozen=True)
class Pins:
    """The files of one folder. None is ever written over."""

    folder: Path = GOLDEN

    def strangers(self) -> list[str]:
        """Files that stand for no version of an event."""
        return [path.name for path in self.folder.iterdir() if not FILE_NAME.fullmatch(path.name)]

    def versions(self) -> dict[str, set[int]]:
        """By topic, the class versions that have a file."""
        found: dict[str, set[int]] = {}
        for path in self.folder.iterdir():
            if name := FILE_NAME.fullmatch(path.name):
                found.setdefault(name["topic"], set()).add(int(name["version"]))
        return found

    def samples_path(self, topic: str, version: int) -> Path:
        return self.folder / f"{topic}.v{version}.jsonl"

    def shape_path(self, topic: str, version: int) -> Path:
        return self.folder / f"{topic}.v{version}.schema.json"

    def samples(self, topic: str, version: int) -> list[StoredEvent]:
        """The stored samples; none if there is no file."""
        path = self.samples_path(topic, version)
        if not path.exists():
            return []
        # Not splitlines, which also splits at characters that a name may contain.
        lines = path.read_text("utf-8").split("\n")
        return [_sample(topic, line) for line in lines if line]

    def shape(self, topic: str, version: int) -> Schema | None:
        path = self.shape_path(topic, version)
        if not path.exists():
            return None
        pinned: Schema = json.loads(path.read_text("utf-8"))
        return pinned

    def write_samples(self, topic: str, version: int, samples: Iterable[StoredEvent]) -> None:
        with self.samples_path(topic, version).open("x", encoding="utf-8") as file:
            file.writelines(f"{sample_line(sample)}\n" for sample in samples)

    def write_shape(self, topic: str, version: int, pinned: Schema) -> None:
        with self.shape_path(topic, version).open("x", encoding="utf-8") as file:
            file.write(json.dumps(pinned, indent=1) + "\n")


def _sample(topic: str, line: str) -> StoredEvent:
    """A line's event. Its state is cut out, not decoded: every byte of it counts."""
    head, found, state = line.partition(STATE)
    if not found:
        raise ValueError(f"a sample of {topic} is no line like {BY_HAND}: {line}")
    columns = json.loads(head + "}")
    return StoredEvent(columns["stream"], columns["version"], topic, state[:-1].encode())


def sample_line(stored: StoredEvent) -> str:
    columns = {"stream": stored.originator_id, "version": stored.originator_version}
    head = json.dumps(columns, separators=(",", ":"), ensure_ascii=False)
    return head[:-1] + STATE + stored.state.decode() + "}"


# --- What the files say about a class -------------------------------------------------------------


def objections(kind: type[Event], pins: Pins) -> list[str]:
    """Why this class may not become part of the house; nothing if it may."""
    return (
        list(history_objections(kind, pins))
        or list(_shape_objections(kind, pins))
        or list(sample_objections(kind, pins))
    )


def history_objections(kind: type[Event], pins: Pins) -> Iterator[str]:
    """What is missing of the versions before the class's own."""
    topic, now = kind.TOPIC, kind.class_version
    newest = max(pins.versions().get(topic, {0}))
    if newest > now:
        yield (
            f"{topic} was stored as version {newest}, and {kind.__name__} is version {now}: a "
            "stored name is never used anew, and a version never taken back"
        )
    for version in range(1, now):
        upcast = f"upcast_v{version}_v{version + 1}"
        if not hasattr(kind, upcast):
            yield (
                f"{kind.__name__} is version {now} and has no `{upcast}`: write it, a staticmethod "
                "that turns the older state, a dict, into the newer in place"
            )
        for path in (pins.samples_path(topic, version), pins.shape_path(topic, version)):
            if not path.exists():
                yield f"{path.name} is missing: logs hold version {version}, bring it back"


def _shape_objections(kind: type[Event], pins: Pins) -> Iterator[str]:
    topic, now = kind.TOPIC, kind.class_version
    pinned = pins.shape(topic, now)
    if pinned is None:
        yield f"version {now} of {topic} is not pinned yet: run `{COMMAND}`"
        return
    changes = list(differences(pinned, shape(kind)))
    if changes:
        lines = "\n".join(f"    {change}" for change in changes)
        yield (
            f"{kind.__name__} has another shape, and is still version {now} of {topic}:\n{lines}\n"
            "  Logs hold events of the old shape for ever. So:\n"
            f"    1. raise `class_version` of {kind.__name__} to {now + 1}\n"
            f"    2. write `upcast_v{now}_v{now + 1}(state)`, a staticmethod that turns the old "
            "state, a dict, into the new in place\n"
            f"    3. keep {topic}.v{now}.* in tests/golden/events as they are\n"
            f"    4. run `{COMMAND}`, which writes those of version {now + 1}\n"
            f"  Only if version {now} is itself part of this change, so that no log holds it: "
            "delete its two files and run the command."
        )


def sample_objections(kind: type[Event], pins: Pins) -> Iterator[str]:
    """What is wrong with the samples of any version up to the class's own."""
    mapper = EventMapper()
    topic, now = kind.TOPIC, kind.class_version
    for version in range(1, now + 1):
        name = pins.samples_path(topic, version).name
        samples = pins.samples(topic, version)
        if not samples:
            yield f"{name} holds no sample: write lines like {BY_HAND}"
        for number, sample in enumerate(samples, start=1):
            for wrong in _sample_objections(kind, version, sample, mapper):
                yield f"{name}, line {number}: {wrong}"
    states = [json.loads(sample.state) for sample in pins.samples(topic, now)]
    for place in unreached(shape(kind, "serialization"), states) if states else ():
        yield f"no sample in {topic}.v{now}.jsonl has {place}: add a line that does"


def _sample_objections(
    kind: type[Event], version: int, sample: StoredEvent, mapper: EventMapper
) -> Iterator[str]:
    stored_version = json.loads(sample.state).get("class_version", 1)
    if stored_version != version:
        yield f"is of version {stored_version}"
        return
    try:
        event = mapper.to_domain_event(sample)
    except MapperDeserialisationError as wrong:
        yield f"is not read any more: {wrong}"
        return
    if not isinstance(event, kind):
        yield f"is read as {type(event).__name__}, not as {kind.__name__}"
    elif version == kind.class_version and (again := mapper.to_stored_event(event)) != sample:
        yield f"is not stored like this any more, but like\n    {sample_line(again)}"


@contextmanager
def registered(kind: type[Event]) -> Iterator[type[Event]]:
    """Make up an event: while this is held, its stored name leads to the class."""
    register_topic(kind.TOPIC, kind)
    try:
        yield kind
    finally:
        del _topic_cache[kind.TOPIC]
