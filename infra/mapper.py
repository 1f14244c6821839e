"""Between events and stored events: JSON by pydantic's compiled serializers, upcast when old.

The stored state is the event's own JSON without stream and version, which are columns. A class of
version above 1 puts its version first. An event of the newest shape goes straight from bytes to
the model; only an older one takes the way over a dictionary and its upcasts.
"""

from __future__ import annotations

from typing import Any, cast

from eventsourcing.persistence import (
    Mapper,
    MapperDeserialisationError,
    StoredEvent,
    Transcoder,
)
from eventsourcing.utils import register_topic, resolve_topic
from pydantic_core import from_json, to_json

from domain.events import Event
from domain.streams import event_types


class JSONTextTranscoder(Transcoder):
    """For what the library itself encodes. Our events never pass through it."""

    def encode(self, obj: Any) -> bytes:
        return to_json(obj)

    def decode(self, data: bytes) -> Any:
        return from_json(data)


class EventMapper(Mapper[str]):
    """The library's mapper, with its upcasting protocol, for pydantic events."""

    def __init__(self, transcoder: Transcoder | None = None, **options: Any) -> None:
        super().__init__(transcoder or JSONTextTranscoder(), **options)
        for topic, kind in event_types().items():
            register_topic(topic, kind)

    def to_stored_event(self, domain_event: Any) -> StoredEvent:
        event = cast(Event, domain_event)
        state = event.__pydantic_serializer__.to_json(event)
        if event.class_version > 1:
            state = _version_prefix(event.class_version) + state[1:]
        return StoredEvent(
            originator_id=event.originator_id,
            originator_version=event.originator_version,
            topic=event.TOPIC,
            state=state,
        )

    def to_domain_event(self, stored_event: StoredEvent) -> Any:
        kind: type[Event] = resolve_topic(stored_event.topic)
        try:
            return self._decoded(kind, stored_event)
        except (ValueError, LookupError, TypeError) as wrong:
            raise MapperDeserialisationError(
                f"cannot read {stored_event.topic} at version "
                f"{stored_event.originator_version} of {stored_event.originator_id}: {wrong}"
            ) from wrong

    def _decoded(self, kind: type[Event], stored: StoredEvent) -> Event:
        state = stored.state
        if kind.class_version > 1:
            prefix = _version_prefix(kind.class_version)
            if not state.startswith(prefix):
                return self._upcast(kind, stored)
            state = b"{" + state[len(prefix) :]
        # The two columns are put in front of the stored object: one pass over the bytes, then.
        stream = to_json(stored.originator_id)
        head = b'{"originator_id":%b,"originator_version":%d,' % (stream, stored.originator_version)
        return cast(Event, kind.__pydantic_validator__.validate_json(head + state[1:]))

    def _upcast(self, kind: type[Event], stored: StoredEvent) -> Event:
        facts: dict[str, Any] = from_json(stored.state)
        version = facts.pop("class_version", 1)
        facts["originator_id"] = stored.originator_id
        facts["originator_version"] = stored.originator_version
        while version < kind.class_version:
            getattr(kind, f"upcast_v{version}_v{version + 1}")(facts)
            version += 1
        return cast(Event, kind.__pydantic_validator__.validate_json(to_json(facts)))


def _version_prefix(version: int) -> bytes:
    return b'{"class_version":%d,' % version
