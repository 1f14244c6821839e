"""Folds the log into the claims read model."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, MetaData

from domain.allocation import Shares
from domain.claim import (
    ClaimChanged,
    ClaimEvent,
    ClaimGranted,
    ClaimHeld,
    ClaimLapsed,
    ClaimReleased,
    rest_of,
)
from domain.streams import topics_of
from domain.times import to_micros
from projections.allocation_rows import shares_from_json, shares_to_json
from projections.claims_tables import (
    CLAIM_PROVIDERS,
    CLAIMS,
    ClaimInterval,
    ClaimProvider,
    metadata,
)
from projections.projection import Changes, Recorded


class ClaimsProjection:
    name: str = "claims"
    version: int = 1
    oldest: int = 1
    metadata: MetaData = metadata
    topics: frozenset[str] | None = topics_of(
        ClaimHeld, ClaimGranted, ClaimChanged, ClaimReleased, ClaimLapsed
    )
    by_stream: bool = True

    def fold(self, connection: Connection, page: Sequence[Recorded]) -> Changes:
        of_claims = [(one.position, one.event) for one in page if isinstance(one.event, ClaimEvent)]
        held = _HeldClaims(connection, [event for _, event in of_claims])
        for position, event in of_claims:
            held.fold(position, event)
        return [(CLAIMS, held.touched.values()), (CLAIM_PROVIDERS, held.providers)]


class _HeldClaims:
    """The open interval of each of the page's consumers, and the intervals the page touched."""

    def __init__(self, connection: Connection, events: Sequence[ClaimEvent]) -> None:
        self.touched: dict[int, ClaimInterval] = {}
        self.providers: list[ClaimProvider] = []
        first: dict[str, ClaimEvent] = {}
        for event in events:
            first.setdefault(event.consumer_id, event)
        # A consumer's very first event follows nothing, and most pages are full of these.
        keys = [(id,) for id, event in first.items() if event.originator_version > 1]
        is_open = CLAIMS.table.c.to_position.is_(None)
        self.open = {
            row.consumer_id: row for row in CLAIMS.find(connection, ["consumer_id"], keys, is_open)
        }

    def fold(self, position: int, event: ClaimEvent) -> None:
        at = to_micros(event.at)
        ended = self.open.pop(event.consumer_id, None)
        if ended is not None:
            ended.to_position = position
            ended.to_at = to_micros(event.lapsed_at) if isinstance(event, ClaimLapsed) else at
            ended.ended_version = event.originator_version
            self.touched[ended.from_position] = ended
        match event:
            case ClaimGranted() | ClaimHeld():
                self._start(position, at, event, event.shares, event)
            case ClaimChanged():
                self._start(position, at, event, event.shares, _known(ended, event))
            case ClaimReleased():
                self._keep_rest(position, at, event, _known(ended, event))
            case ClaimLapsed():
                _known(ended, event)
            case _:
                raise TypeError(f"the claims read model does not know {event.TOPIC}")

    def _keep_rest(
        self, position: int, at: int, event: ClaimReleased, before: ClaimInterval
    ) -> None:
        if before.shares == shares_to_json(event.shares):
            return  # All of it, as mostly; other cases (or another order) take longer to tell.
        rest = rest_of(shares_from_json(before.shares), event.shares)
        if rest:
            self._start(position, at, event, rest, before)

    def _start(
        self,
        position: int,
        at: int,
        event: ClaimEvent,
        shares: Shares,
        owner: ClaimGranted | ClaimHeld | ClaimInterval,
    ) -> None:
        """Start an interval. What the event itself does not say is as `owner` has it."""
        hold_until = to_micros(event.hold_until) if isinstance(event, ClaimHeld) else None
        # A change tells of the owner only what is new.
        consumer_type = getattr(event, "consumer_type", None) or owner.consumer_type
        user_id = getattr(event, "user_id", None) or owner.user_id
        self.open[event.consumer_id] = self.touched[position] = ClaimInterval(
            from_position=position,
            to_position=None,
            from_at=at,
            to_at=hold_until,
            consumer_id=event.consumer_id,
            consumer_type=consumer_type,
            project_id=event.project_id,
            user_id=user_id,
            request_id=getattr(event, "request_id", owner.request_id),
            status="active" if hold_until is None else "held",
            hold_until=hold_until,
            version=event.originator_version,
            ended_version=None,
            shares=shares_to_json(shares),
        )
        self.providers += [ClaimProvider(provider_id, position) for provider_id in shares]


def _known(row: ClaimInterval | None, event: ClaimEvent) -> ClaimInterval:
    if row is None:
        raise LookupError(f"{event.TOPIC}: consumer {event.consumer_id} holds nothing")
    return row
