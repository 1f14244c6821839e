"""Pins what is new among the events: `python -m tests.pin_events`.

For a raised class version it writes the samples, the older ones upcast, and the shape. For a new
event it pins the shape beside samples that a person wrote. It never changes what is pinned, and
says what is wrong, with exit code 1, if a class does not agree with it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable

from eventsourcing.persistence import MapperDeserialisationError, StoredEvent

from domain.events import Event
from domain.streams import event_types
from infra.mapper import EventMapper
from tests.event_shapes import shape
from tests.pinned_events import Pins, history_objections, objections, sample_objections


def pin(kind: type[Event], pins: Pins) -> list[str]:
    """Write what is missing of the class's version; say what then is still wrong."""
    topic, version = kind.TOPIC, kind.class_version
    if pins.shape(topic, version) is None:
        wrong = list(history_objections(kind, pins))
        if wrong:
            return wrong
        if version > 1 and not pins.samples_path(topic, version).exists():
            try:
                pins.write_samples(topic, version, _upcast(pins.samples(topic, version - 1)))
            except MapperDeserialisationError as wrong_upcast:
                return [f"the upcasts of {kind.__name__} do not lead to it: {wrong_upcast}"]
        # The shape comes last: as long as a sample is wrong, the version can still be worked on.
        wrong = list(sample_objections(kind, pins))
        if wrong:
            return wrong
        pins.write_shape(topic, version, shape(kind))
    return objections(kind, pins)


def _upcast(samples: Iterable[StoredEvent]) -> list[StoredEvent]:
    mapper = EventMapper()
    return [mapper.to_stored_event(mapper.to_domain_event(sample)) for sample in samples]


def pin_all(kinds: Iterable[type[Event]], pins: Pins) -> int:
    """Pin each; return the exit code."""
    before = set(pins.folder.iterdir())
    wrong = [objection for kind in kinds for objection in pin(kind, pins)]
    for path in sorted(set(pins.folder.iterdir()) - before):
        sys.stdout.write(f"wrote {path.name}\n")
    for objection in wrong:
        sys.stderr.write(f"refused: {objection}\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(pin_all(event_types().values(), Pins()))
