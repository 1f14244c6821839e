"""A request: what a consumer asked for, stored whole before it is tried, and what became of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, Literal

from pydantic import AwareDatetime

from domain.aggregate import Aggregate
from domain.allocation import Shares
from domain.component import Consumer
from domain.decision import Decision, Relaxation
from domain.errors import Conflict, NotFound
from domain.events import Event, Fact
from domain.values import ClassName, OwnerId
from domain.wish import Wish

Mappings = tuple[tuple[str, ...], ...]
"""For each component of the request, the ids of the providers that serve it."""


class Reason(Fact):
    """Why a number of providers could not serve the request: the first condition that failed.

    `providers` is compressed: pairs (first, last) of registration positions, each a run of
    neighbours, in registration order, among the trees that were considered. `option` is the wish
    itself (0) or one of its alternatives.
    """

    option: int = 0
    code: str
    resource_class: ClassName | None = None
    detail: str
    count: int
    providers: tuple[tuple[int, int], ...] = ()


# --- Events ---------------------------------------------------------------------------------------


class RequestSubmitted(Event):
    """With `gang_id`, it is placed together with all others of that gang, or none of them is."""

    TOPIC: ClassVar[str] = "request.submitted"
    class_version: ClassVar[int] = 2
    consumer: Consumer
    project_id: OwnerId
    user_id: OwnerId
    wish: Wish
    hold_until: AwareDatetime | None = None
    changes_claim: bool = False
    gang_id: str | None = None

    @staticmethod
    def upcast_v1_v2(state: dict[str, Any]) -> None:
        """Wishes had no rules, alternatives or preferences, and consumers no groups."""


class RequestHeld(Event):
    TOPIC: ClassVar[str] = "request.held"
    class_version: ClassVar[int] = 2
    shares: Shares
    mappings: Mappings
    hold_until: AwareDatetime
    decision: Decision | None = None

    @staticmethod
    def upcast_v1_v2(state: dict[str, Any]) -> None:
        """How it was decided was not kept."""


class RequestPlaced(Event):
    """The claim is granted. A two-step request repeats what was held, so that one event tells."""

    TOPIC: ClassVar[str] = "request.placed"
    class_version: ClassVar[int] = 2
    shares: Shares
    mappings: Mappings
    decision: Decision | None = None

    @staticmethod
    def upcast_v1_v2(state: dict[str, Any]) -> None:
        """How it was decided was not kept."""


class RequestRefused(Event):
    """`relaxations` begin with the smallest."""

    TOPIC: ClassVar[str] = "request.refused"
    class_version: ClassVar[int] = 2
    reasons: tuple[Reason, ...]
    considered: int
    relaxations: tuple[Relaxation, ...] = ()

    @staticmethod
    def upcast_v1_v2(state: dict[str, Any]) -> None:
        """What would have fitted was not told."""


class RequestWithdrawn(Event):
    TOPIC: ClassVar[str] = "request.withdrawn"


class RequestExpired(Event):
    """The deadline of the hold passed; it stopped counting at `expired_at`, not when written."""

    TOPIC: ClassVar[str] = "request.expired"
    expired_at: AwareDatetime


# --- State and decisions --------------------------------------------------------------------------

Status = Literal["submitted", "held", "placed", "refused", "withdrawn", "expired"]


class Request(Aggregate):
    CATEGORY: ClassVar[str] = "request"
    __slots__ = (
        "considered",
        "decision",
        "hold_until",
        "mappings",
        "reasons",
        "relaxations",
        "shares",
        "status",
        "submitted",
    )

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self.submitted: RequestSubmitted | None = None
        self.status: Status = "submitted"
        self.shares: Shares = {}
        self.mappings: Mappings = ()
        self.hold_until: datetime | None = None
        self.reasons: tuple[Reason, ...] = ()
        self.considered = 0
        self.relaxations: tuple[Relaxation, ...] = ()
        self.decision: Decision | None = None

    def _evolve(self, event: Any) -> None:
        match event:
            case RequestSubmitted():
                self.submitted = event
            case RequestHeld():
                self.status = "held"
                self.shares, self.mappings = event.shares, event.mappings
                self.hold_until, self.decision = event.hold_until, event.decision
            case RequestPlaced():
                self.status = "placed"
                self.shares, self.mappings = event.shares, event.mappings
                self.decision = event.decision
            case RequestRefused():
                self.status = "refused"
                self.reasons, self.considered = event.reasons, event.considered
                self.relaxations = event.relaxations
            case RequestWithdrawn():
                self.status = "withdrawn"
            case RequestExpired():
                self.status = "expired"

    def overdue(self, at: datetime) -> bool:
        return self.status == "held" and self.hold_until is not None and self.hold_until <= at

    def place(
        self,
        submitted: RequestSubmitted,
        shares: Shares,
        mappings: Mappings,
        decision: Decision | None,
    ) -> list[Event]:
        """Submitted and placed (or held) in one go. Without a decision, the client chose itself."""
        facts: dict[str, Any] = {"shares": shares, "mappings": mappings, "decision": decision}
        if submitted.hold_until is None:
            placed: Event = self._next(RequestPlaced, submitted.at, 2, **facts)
        else:
            until = submitted.hold_until
            placed = self._next(RequestHeld, submitted.at, 2, hold_until=until, **facts)
        return [submitted, placed]

    def submit(self, at: datetime, **facts: Any) -> RequestSubmitted:
        return self._next(RequestSubmitted, at, **facts)

    def refuse(
        self,
        submitted: RequestSubmitted,
        reasons: tuple[Reason, ...],
        considered: int,
        relaxations: tuple[Relaxation, ...],
    ) -> list[Event]:
        refused = self._next(
            RequestRefused,
            submitted.at,
            2,
            reasons=reasons,
            considered=considered,
            relaxations=relaxations,
        )
        return [submitted, refused]

    def require_submitted(self) -> RequestSubmitted:
        if self.submitted is None:
            raise NotFound("request_not_found", f"there is no request {self.id}")
        return self.submitted

    def confirm(self, at: datetime) -> list[Event]:
        """Turn the hold into a claim. Confirming again what is placed writes nothing."""
        if self.status == "placed":
            return []
        self._require_hold(at, "confirmed")
        facts: dict[str, Any] = {
            "shares": self.shares,
            "mappings": self.mappings,
            "decision": self.decision,
        }
        return [self._next(RequestPlaced, at, **facts)]

    def withdraw(self, at: datetime) -> list[Event]:
        """Give the hold back. Withdrawing twice writes nothing."""
        if self.status == "withdrawn":
            return []
        self._require_hold(at, "withdrawn")
        return [self._next(RequestWithdrawn, at)]

    def expire(self, at: datetime) -> list[Event]:
        if not self.overdue(at):
            return []
        return [self._next(RequestExpired, at, expired_at=self.hold_until)]

    def _require_hold(self, at: datetime, verb: str) -> None:
        if self.status == "expired" or self.overdue(at):
            raise Conflict(
                "hold_lapsed", f"the hold of request {self.id} lapsed at {self.hold_until}"
            )
        if self.status != "held":
            raise Conflict(
                "request_not_held",
                f"request {self.id} is {self.status}, so it cannot be {verb}",
                state=self.status,
            )
