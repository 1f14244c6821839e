"""The shape of every aggregate: a state folded from one stream, and decisions that write events.

A decision is a method that looks at the state and returns the events that would follow; it
changes nothing. Applying events is the only thing that changes state. Time and ids are arguments.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, ClassVar, Self, TypeVar

from domain.errors import Conflict, Stale
from domain.events import Event

E = TypeVar("E", bound=Event)


class Aggregate:
    """One stream's state. `version` 0 means that nothing has happened yet."""

    CATEGORY: ClassVar[str]
    __slots__ = ("at", "id", "stream", "version")

    def __init__(self, id: str) -> None:
        self.id = id
        self.stream = self.stream_of(id)
        self.version = 0
        self.at: datetime | None = None

    @classmethod
    def stream_of(cls, id: str) -> str:
        return f"{cls.CATEGORY}:{id}"

    def apply(self, event: Event) -> None:
        """Fold the stream's next event into the state."""
        if event.originator_version != self.version + 1:
            raise AssertionError(
                f"{self.stream} is at version {self.version}; "
                f"event {event.originator_version} does not follow"
            )
        self._evolve(event)
        self.version = event.originator_version
        self.at = event.at

    def fold(self, events: Iterable[Event]) -> Self:
        for event in events:
            self.apply(event)
        return self

    def _evolve(self, event: Any) -> None:
        raise NotImplementedError

    def _next(self, kind: type[E], at: datetime, offset: int = 1, **facts: Any) -> E:
        """Build the stream's next event (or the one `offset` places on)."""
        self.require_not_before(at)
        return kind(
            originator_id=self.stream,
            originator_version=self.version + offset,
            at=at,
            **facts,
        )

    def require_not_before(self, at: datetime) -> None:
        """A stream's times never run backwards, or no moment of its past could be told."""
        if self.at is not None and at < self.at:
            raise Conflict(
                "time_runs_backwards",
                f"{self.stream} already has an event at {self.at.isoformat()}; "
                f"{at.isoformat()} is earlier",
                newest=self.at.isoformat(),
            )

    def require_version(self, expected: int | None) -> None:
        """Hold the client to the version that it read, where it sent one."""
        if expected is not None and expected != self.version:
            raise Stale(
                "stale_version",
                f"{self.stream} is at version {self.version}, not {expected}: read it again",
                version=self.version,
            )
