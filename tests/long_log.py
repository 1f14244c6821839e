"""A long log: one random history, many times under other names, all at once."""

from __future__ import annotations

import random
import re
from pathlib import Path

from eventsourcing.persistence import StoredEvent

from infra.event_log import EventLog
from infra.mapper import EventMapper
from tests.projected_log import random_log

RANDOM_ID = r"(?P<head>[0-9a-f]{8})(?P<tail>(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
NAME = r"\b(?:(?:server|host|key|book|pair)-\d+|CUSTOM_\w+)\b"
FLAVOR = r"(?<=flavor:)(?:small|large)|(?<=\")(?:small|large)(?=\")"
NAMES = re.compile(f"{RANDOM_ID}|{NAME}|{FLAVOR}")
BATCH = 500


def long_log(folder: Path, *, seed: int, steps: int, copies: int) -> list[StoredEvent]:
    """`copies` histories of so many steps, each stream's events in order, to be appended."""
    mapper = EventMapper()
    history = [mapper.to_stored_event(one.event) for one in random_log(folder, seed, steps)]
    renamed = [[_renamed(event, copy) for event in history] for copy in range(copies)]
    turns = [copy for copy in range(copies) for _ in history]
    random.Random(seed).shuffle(turns)
    remaining = [iter(copy) for copy in renamed]
    return [next(remaining[turn]) for turn in turns]


def _renamed(event: StoredEvent, copy: int) -> StoredEvent:
    def other_name(found: re.Match[str]) -> str:
        if found["head"] is not None:  # The end of an id decides which part of a build it is in.
            return f"{int(found['head'], 16) ^ copy:08x}{found['tail']}"
        separator = "_" if "CUSTOM" in found[0] else "-"
        return f"{found[0]}{separator}{copy}"

    return StoredEvent(
        originator_id=NAMES.sub(other_name, str(event.originator_id)),
        originator_version=event.originator_version,
        topic=event.topic,
        state=NAMES.sub(other_name, event.state.decode()).encode(),
    )


def append_stored(log: EventLog, events: list[StoredEvent]) -> None:
    """Append through the log, some hundred at a time."""
    mapper = EventMapper()
    for start in range(0, len(events), BATCH):
        batch = events[start : start + BATCH]
        log.append([mapper.to_domain_event(event) for event in batch], batch)
