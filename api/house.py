"""What the handlers need from the house behind them: to submit commands and to read.

`infra` implements it. Nothing here knows how commands are decided together or where rows live.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict

from domain.aggregate import Aggregate
from domain.books import Books
from projections.live_capacity import LiveCapacity
from projections.projection import Connection, Recorded

T = TypeVar("T")


@dataclass(slots=True)
class Reply:
    """An answer but for the log position: its body is serialised already."""

    status: int
    body: bytes
    version: int | None = None
    location: str | None = None
    media_type: str = "application/json"


@dataclass(slots=True)
class Command:
    """One use case to decide and append, and how to tell its outcome.

    `render` is pure and takes the aggregate that the use case returned, and whether the command
    created it. The same rendering repeats the answer to a known Idempotency-Key from the aggregate
    as of the recorded version.
    """

    use_case: Callable[[Books, datetime], Aggregate]
    render: Callable[[Aggregate, bool], Reply]
    streams: Sequence[str] = ()
    """Streams that it will surely touch, so that they are loaded in one query."""
    makes: str | None = None
    """A stream under an id that was made for this command, so that nothing can be on it yet."""
    key: str | None = None
    """The client's Idempotency-Key."""
    fingerprint: str = ""
    """Tells two calls under one key apart; empty without a key."""
    at: datetime | None = None
    """The client's own time for the events; None: the ledger's clock."""


@dataclass(slots=True)
class Answer:
    reply: Reply
    position: int
    """The log's position after the command, as far as this command knows it."""


class Busy(Exception):
    """The queue of commands is full."""

    def __init__(self, retry_after_seconds: int = 1) -> None:
        super().__init__(f"try again in {retry_after_seconds} s")
        self.retry_after_seconds = retry_after_seconds


class Unavailable(Exception):
    """The database is gone, or a projection is too far behind to answer."""


# --- Health ---------------------------------------------------------------------------------------


class Told(BaseModel):
    """A value that is only ever told, never read from outside."""

    model_config = ConfigDict(frozen=True)


class ProjectionHealth(Told):
    name: str
    version: int
    position: int
    state: str
    lag_events: int
    lag_seconds: float
    error: str | None = None


class QueueHealth(Told):
    """The writer's queue: commands that wait for it, and how many it takes before it says busy."""

    waiting: int
    limit: int


class Health(Told):
    status: Literal["ok", "degraded"]
    engine: Literal["sqlite", "postgresql"]
    position: int
    projections: list[ProjectionHealth]
    queue: QueueHealth


class House(Protocol):
    def now(self) -> datetime:
        """The ledger's clock."""

    async def submit(self, command: Command) -> Answer:
        """Decide and append, with the others in flight. Raises LedgerError, Busy, Unavailable."""

    async def query(self, read: Callable[[Connection], T], of: str) -> T:
        """Read the projection of this name once it has reached the log's head; in a thread."""

    async def live(self, read: Callable[[LiveCapacity], T]) -> T:
        """Read the live capacity view at the log's head; on the writer's thread."""

    async def events(self, positions: Sequence[int]) -> list[Recorded]:
        """The events at these positions of the log, in the order of the positions given."""

    async def health(self) -> Health:
        """How the house is; never raises, and answers even while the database is gone."""
