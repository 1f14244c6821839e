"""Events as CloudEvents 1.0 in JSON, for whoever follows the log from outside."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import TypeAdapter

from projections.projection import Recorded

CLOUD_EVENT_JSON = "application/cloudevents+json"
CLOUD_EVENTS_BATCH_JSON = "application/cloudevents-batch+json"

_attributes: TypeAdapter[dict[str, Any]] = TypeAdapter(dict[str, Any])


def cloud_event(recorded: Recorded, source: str) -> bytes:
    """One event on one line. `source` is the ledger's own name; with `id` it is unique for ever.

    `sequence` is the documented extension of that name: its texts sort as the positions do.
    """
    event = recorded.event
    attributes = {
        "specversion": "1.0",
        "id": str(recorded.position),
        "source": source,
        "type": event.TOPIC,
        "subject": event.originator_id,
        "time": event.at,
        "datacontenttype": "application/json",
        "sequence": f"{recorded.position:020}",
        "streamversion": event.originator_version,
    }
    facts = event.__pydantic_serializer__.to_json(event)
    return b'%b,"data":%b}' % (_attributes.dump_json(attributes)[:-1], facts)


def json_array(items: Iterable[bytes]) -> bytes:
    return b"[%b]" % b",".join(items)
