"""What the handlers need from the house behind them: to submit commands and to read.

`infra` implements it. Nothing here knows how commands are decided together or where rows live.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from domain.aggregate import Aggregate
from domain.books import Books
from domain.proof import Checkpoint, ConsistencyProof, InclusionProof, PublicKey
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
    makes: Sequence[str] = ()
    """Streams under ids that were made for this command, so that nothing can be on them yet."""
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


class Stopping(Exception):
    """The service stops: whoever waits for something to happen should wait no longer."""


# --- Health ---------------------------------------------------------------------------------------


class Told(BaseModel):
    """A value that is only ever told, never read from outside."""

    model_config = ConfigDict(frozen=True)


BuildState = Literal[
    "following", "stopped", "building", "paused", "ready", "switching", "kept", "unknown"
]
SwitchRule = Literal["if_equal", "always", "never"]
BuildAction = Literal["pause", "resume", "switch", "drop"]


BuildPhase = Literal["waiting", "reading", "indexing", "catching up", "comparing", "switching"]


class BuildProgress(Told):
    """What a build is doing (`waiting`: for its turn, as one is filled at a time). `done` and `of`
    are positions, the rate is of the last seconds."""

    phase: BuildPhase
    done: int
    of: int
    events_per_second: float
    seconds_left: float | None


class TableComparison(Told):
    """One table in two builds, and the columns of both whose values differ."""

    table: str
    rows_before: int
    rows: int
    columns: int
    differing: list[str]


class BuildComparison(Told):
    """A build against the one that served, as of a position; `note` says why if there is none."""

    against: str | None
    position: int
    equal: bool
    tables: list[TableComparison]
    note: str | None = None


class ProjectionHealth(Told):
    """One build of a projection. `version` is its schema version and its number among the builds
    of that: `2.1`. One build of each projection serves."""

    name: str
    version: str
    serving: bool
    position: int
    state: BuildState
    lag_events: int
    lag_seconds: float
    size_bytes: int
    error: str | None = None
    to_go_on: str | None = Field(default=None, description="The command that goes on from here.")
    progress: BuildProgress | None = None
    comparison: BuildComparison | None = None


class QueueHealth(Told):
    """The writer's queue: commands that wait for it, and how many it takes before it says busy.
    Since the process began: commands that were decided, and those that had to be decided again, as
    other processes were first."""

    waiting: int
    limit: int
    decided: int = 0
    decided_again: int = 0


class Health(Told):
    status: Literal["ok", "degraded"]
    engine: Literal["sqlite", "postgresql"]
    position: int
    projections: list[ProjectionHealth]
    queue: QueueHealth


# --- Webhooks -------------------------------------------------------------------------------------

WebhookMode = Literal["batch", "structured"]
"""Up to a hundred events in one POST, or one."""


class WebhookStatus(Told):
    """Where events are pushed to, and how far. Its secret is never told."""

    name: str
    url: str
    mode: WebhookMode
    state: Literal["active", "paused"]
    is_signed: bool
    position: int
    """Up to here the receiver has answered for every event."""
    lag_events: int
    failures: int
    """Failed tries since the last that succeeded."""
    last_error: str | None
    next_try_at: datetime | None
    updated_at: datetime


@dataclass(slots=True)
class WebhookChange:
    url: str
    mode: WebhookMode
    position: int | None
    """None: where it is; for a new one, the log's head."""
    secret: str | None
    keeps_secret: bool


class Webhooks(Protocol):
    """Operators' settings. Each call but `all` and `put` raises NotFound; all raise Unavailable."""

    async def all(self) -> list[WebhookStatus]: ...

    async def read(self, name: str) -> WebhookStatus: ...

    async def put(self, name: str, change: WebhookChange) -> tuple[WebhookStatus, bool]:
        """Create or change it; True if it is new. Raises Invalid, Conflict."""

    async def remove(self, name: str) -> None: ...

    async def pause(self, name: str) -> WebhookStatus: ...

    async def resume(self, name: str) -> WebhookStatus:
        """Deliver again, and at once if it waits for its next try."""


class Proofs(Protocol):
    """What seals the log. `size` and `new`: None is the newest checkpoint. All raise Unavailable,
    and NotFound where there is no such checkpoint."""

    async def checkpoint(self, size: int | None) -> Checkpoint: ...

    async def checkpoint_of(self, position: int) -> Checkpoint | None:
        """The smallest checkpoint that seals this position; None while there is none yet."""

    async def checkpoints(self, before: int | None, limit: int) -> list[Checkpoint]:
        """The largest first, of those that are smaller than `before`."""

    async def inclusion(self, position: int, size: int | None) -> InclusionProof:
        """Raises Conflict where the event is not sealed, or not what was sealed."""

    async def consistency(self, old: int, new: int | None) -> ConsistencyProof:
        """Raises Invalid if they come in the other order."""

    async def key(self) -> PublicKey: ...


class House(Protocol):
    @property
    def event_source(self) -> str:
        """The `source` of this ledger's events, as CloudEvents want it."""

    @property
    def webhooks(self) -> Webhooks: ...

    @property
    def proofs(self) -> Proofs: ...

    def now(self) -> datetime:
        """The ledger's clock."""

    async def submit(self, command: Command) -> Answer:
        """Decide and append, with the others in flight. Raises LedgerError, Busy, Unavailable."""

    async def query(self, read: Callable[[Connection], T], of: str) -> T:
        """Read the projection of this name once it has reached the log's head; in a thread."""

    async def live(self, read: Callable[[LiveCapacity], T]) -> T:
        """Read the live capacity view at the log's head; on the writer's thread."""

    async def ask(self, question: Callable[[Books], T]) -> T:
        """Decide something on the books as of the log's head, and record nothing. Raises
        LedgerError, Busy, Unavailable."""

    async def events(self, positions: Sequence[int]) -> list[Recorded]:
        """The events at these positions of the log, in the order of the positions given."""

    async def projections(self) -> list[ProjectionHealth]:
        """Every build of every projection."""

    async def rebuild(self, name: str, switch: SwitchRule) -> ProjectionHealth:
        """Begin to build a projection anew, beside the build that serves. Raises LedgerError."""

    async def steer_build(self, name: str, version: str, action: BuildAction) -> None:
        """Pause, resume, switch to, or drop a build. Raises LedgerError."""

    async def log(self, after: int, limit: int) -> list[Recorded]:
        """The events after a position, in order and without gaps; none beyond the head."""

    async def head(self) -> int:
        """The log's newest position; 0 in an empty log."""

    async def beyond(self, position: int, seconds: float) -> int:
        """Wait until the log has grown past a position, at most so long, and return a head that
        was seen: not past the position if it took longer. Raises Stopping."""

    def hang_up(self) -> None:
        """The service is to stop: whoever waits in `beyond` gets Stopping, now and later."""

    async def health(self) -> Health:
        """How the house is; never raises, and answers even while the database is gone."""
