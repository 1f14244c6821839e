"""A claim: what a consumer was granted and holds, over all its providers. The other half."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, Literal

from pydantic import AwareDatetime

from domain.aggregate import Aggregate
from domain.allocation import Shares, subtract
from domain.errors import Conflict, Invalid, NotFound
from domain.events import Event
from domain.values import ConsumerGroupName, ConsumerId, ConsumerType, OwnerId

# --- Events ---------------------------------------------------------------------------------------


class ClaimEvent(Event):
    consumer_id: ConsumerId
    project_id: OwnerId


class ClaimHeld(ClaimEvent):
    TOPIC: ClassVar[str] = "claim.held"
    class_version: ClassVar[int] = 2
    request_id: str
    user_id: OwnerId
    consumer_type: ConsumerType
    shares: Shares
    hold_until: AwareDatetime
    consumer_group: ConsumerGroupName | None = None

    @staticmethod
    def upcast_v1_v2(state: dict[str, Any]) -> None:
        """Consumers had no groups."""


class ClaimGranted(ClaimEvent):
    TOPIC: ClassVar[str] = "claim.granted"
    class_version: ClassVar[int] = 2
    request_id: str
    user_id: OwnerId
    consumer_type: ConsumerType
    shares: Shares
    consumer_group: ConsumerGroupName | None = None

    @staticmethod
    def upcast_v1_v2(state: dict[str, Any]) -> None:
        """Consumers had no groups."""


class ClaimChanged(ClaimEvent):
    """Re-decided whole: the claim now consists of these shares and no others. It may have gone to
    another project, user or type of consumer; None: as it was."""

    TOPIC: ClassVar[str] = "claim.changed"
    class_version: ClassVar[int] = 2
    request_id: str
    shares: Shares
    user_id: OwnerId | None = None
    consumer_type: ConsumerType | None = None

    @staticmethod
    def upcast_v1_v2(state: dict[str, Any]) -> None:
        """Nobody's claim went to somebody else."""


class ClaimReleased(ClaimEvent):
    """These shares were given back; what is not named is still held."""

    TOPIC: ClassVar[str] = "claim.released"
    shares: Shares


class ClaimLapsed(ClaimEvent):
    """The hold ended without a claim. It stopped counting at `lapsed_at`."""

    TOPIC: ClassVar[str] = "claim.lapsed"
    request_id: str
    reason: Literal["expired", "withdrawn"]
    lapsed_at: AwareDatetime


# --- State and decisions --------------------------------------------------------------------------

ClaimStatus = Literal["none", "held", "active", "released"]


class Claim(Aggregate):
    """One stream per consumer. After a whole release the consumer may claim again. `generation` is
    Placement's: it counts the writes since the consumer began to hold something."""

    CATEGORY: ClassVar[str] = "claim"
    __slots__ = (
        "consumer_group",
        "consumer_type",
        "generation",
        "hold_until",
        "project_id",
        "request_id",
        "shares",
        "status",
        "user_id",
    )

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self.status: ClaimStatus = "none"
        self.generation = 0
        self.project_id = ""
        self.user_id = ""
        self.consumer_type = ""
        self.consumer_group: str | None = None
        self.request_id = ""
        self.shares: Shares = {}
        self.hold_until: datetime | None = None

    def _evolve(self, event: Any) -> None:
        match event:
            case ClaimGranted() | ClaimHeld():
                self.status = "active" if isinstance(event, ClaimGranted) else "held"
                self.project_id, self.user_id = event.project_id, event.user_id
                self.consumer_type, self.request_id = event.consumer_type, event.request_id
                self.consumer_group = event.consumer_group
                self.shares = event.shares
                self.hold_until = event.hold_until if isinstance(event, ClaimHeld) else None
            case ClaimChanged():
                self.request_id, self.shares = event.request_id, event.shares
                self.project_id = event.project_id
                self.user_id = event.user_id or self.user_id
                self.consumer_type = event.consumer_type or self.consumer_type
            case ClaimReleased():
                self.shares = rest_of(self.shares, event.shares)
                if not self.shares:
                    self.status = "released"
            case ClaimLapsed():
                self.status, self.shares, self.hold_until = "released", {}, None
        # As in Placement: who holds nothing is forgotten, and begins anew.
        self.generation = 0 if self.is_free else self.generation + 1

    @property
    def is_free(self) -> bool:
        """True if the consumer holds nothing, so that it may claim."""
        return self.status in ("none", "released")

    def require_free(self) -> None:
        if not self.is_free:
            raise Conflict(
                "consumer_holds_already",
                f"consumer {self.id} already has a claim ({self.status}, from request "
                f"{self.request_id}): change or release that one",
                request_id=self.request_id,
            )

    def require_active(self) -> None:
        if self.version == 0:
            raise NotFound("claim_not_found", f"consumer {self.id} never held anything")
        if self.status != "active":
            raise Conflict(
                "claim_not_active",
                f"the claim of consumer {self.id} is {self.status}",
                state=self.status,
            )

    def hold(
        self,
        at: datetime,
        *,
        request_id: str,
        project_id: str,
        user_id: str,
        consumer_type: str,
        consumer_group: str | None,
        shares: Shares,
        hold_until: datetime | None,
    ) -> list[Event]:
        """Hold until a deadline, or without one be granted at once."""
        self.require_free()
        facts: dict[str, Any] = {
            "request_id": request_id,
            "project_id": project_id,
            "user_id": user_id,
            "consumer_id": self.id,
            "consumer_type": consumer_type,
            "consumer_group": consumer_group,
            "shares": shares,
        }
        if hold_until is None:
            return [self._next(ClaimGranted, at, **facts)]
        return [self._next(ClaimHeld, at, hold_until=hold_until, **facts)]

    def grant(self, at: datetime) -> list[Event]:
        """Confirm the hold."""
        return [
            self._next(
                ClaimGranted,
                at,
                request_id=self.request_id,
                project_id=self.project_id,
                user_id=self.user_id,
                consumer_id=self.id,
                consumer_type=self.consumer_type,
                consumer_group=self.consumer_group,
                shares=self.shares,
            )
        ]

    def change(
        self,
        at: datetime,
        request_id: str,
        shares: Shares,
        *,
        project_id: str | None = None,
        user_id: str | None = None,
        consumer_type: str | None = None,
    ) -> list[Event]:
        """None: the owner is who it was."""
        self.require_active()
        return [
            self._next(
                ClaimChanged,
                at,
                request_id=request_id,
                consumer_id=self.id,
                project_id=project_id or self.project_id,
                shares=shares,
                user_id=user_id,
                consumer_type=consumer_type,
            )
        ]

    def release(self, at: datetime, shares: Shares | None) -> list[Event]:
        """Give back some shares, or all (None). Releasing again what is released writes nothing."""
        if self.status == "released" and shares is None:
            return []
        self.require_active()
        given = self.shares if shares is None else shares
        try:
            rest_of(self.shares, given)
        except ValueError as wrong:
            raise Invalid("not_held", f"consumer {self.id}: {wrong}") from wrong
        return [
            self._next(
                ClaimReleased, at, consumer_id=self.id, project_id=self.project_id, shares=given
            )
        ]

    def lapse(
        self, at: datetime, reason: Literal["expired", "withdrawn"], lapsed_at: datetime
    ) -> list[Event]:
        return [
            self._next(
                ClaimLapsed,
                at,
                request_id=self.request_id,
                consumer_id=self.id,
                project_id=self.project_id,
                reason=reason,
                lapsed_at=lapsed_at,
            )
        ]


def rest_of(held: Shares, given: Shares) -> Shares:
    """What is left of `held`. Raises ValueError where `given` is not part of it."""
    rest = dict(held)
    for provider_id, share in given.items():
        if provider_id not in held:
            raise ValueError(f"nothing is held on provider {provider_id}")
        left = subtract(held[provider_id], share)
        if left is None:
            del rest[provider_id]
        else:
            rest[provider_id] = left
    return rest
