"""A client's Idempotency-Key, and what its first use was answered.

The answer is not stored: it is told by the version that the first use left a stream at, so the
same rendering of the same events gives it again, after a crash and through another worker. The
event is appended together with the events of the command, so there is never one without the other.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from pydantic import JsonValue

from domain.aggregate import Aggregate
from domain.errors import KINDS, Invalid, LedgerError
from domain.events import Event, Fact


class RecordedError(Fact):
    kind: str
    code: str
    detail: str
    extras: dict[str, JsonValue] = {}


class CommandAnswered(Event):
    TOPIC: ClassVar[str] = "idempotency_key.answered"
    fingerprint: str
    stream: str | None = None
    version: int | None = None
    created: bool = False
    error: RecordedError | None = None


class IdempotencyKey(Aggregate):
    CATEGORY: ClassVar[str] = "idempotency_key"
    __slots__ = ("answered",)

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self.answered: CommandAnswered | None = None

    def _evolve(self, event: Any) -> None:
        self.answered = event

    def earlier(self, fingerprint: str) -> CommandAnswered | None:
        """The first use's answer, None for a first use. Another body under the key is an error."""
        if self.answered is None:
            return None
        if self.answered.fingerprint != fingerprint:
            raise Invalid(
                "idempotency_key_reused",
                f"Idempotency-Key {self.id!r} was used for another request",
            )
        return self.answered

    def done(
        self, at: datetime, fingerprint: str, about: Aggregate, *, created: bool
    ) -> CommandAnswered:
        return self._next(
            CommandAnswered,
            at,
            fingerprint=fingerprint,
            stream=about.stream,
            version=about.version,
            created=created,
        )

    def failed(self, at: datetime, fingerprint: str, error: LedgerError) -> CommandAnswered:
        recorded = RecordedError(
            kind=type(error).__name__, code=error.code, detail=error.detail, extras=error.extras
        )
        return self._next(CommandAnswered, at, fingerprint=fingerprint, error=recorded)


def raise_recorded(error: RecordedError) -> None:
    raise KINDS[error.kind](error.code, error.detail, **error.extras)
