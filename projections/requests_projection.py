"""Folds the log into the requests read model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection, MetaData

from domain.events import Event
from domain.request import (
    RequestExpired,
    RequestHeld,
    RequestPlaced,
    RequestRefused,
    RequestSubmitted,
    RequestWithdrawn,
)
from domain.streams import id_of, topics_of
from domain.times import to_micros
from projections.projection import Changes, Recorded
from projections.requests_tables import REQUESTS, RequestState, metadata


class RequestsProjection:
    name: str = "requests"
    version: int = 2
    oldest: int = 1
    metadata: MetaData = metadata
    by_stream: bool = True

    @property
    def topics(self) -> frozenset[str] | None:
        return topics_of(*_OUTCOMES)

    def fold(self, connection: Connection, page: Sequence[Recorded]) -> Changes:
        of_requests = [
            (one, id_of(one.event.originator_id)) for one in page if type(one.event) in _OUTCOMES
        ]
        states = _states_from_before(connection, of_requests)
        for recorded, request_id in of_requests:
            event = recorded.event
            if isinstance(event, RequestSubmitted):
                state = states[request_id] = _submitted(event, request_id, recorded.position)
            else:
                state = states[request_id]
            _OUTCOMES[type(event)](state, event, recorded.position)
            state.version = event.originator_version
            if event.originator_version > 1:
                state.changed_at = to_micros(event.at)
        return [(REQUESTS, states.values())]


def _states_from_before(
    connection: Connection, of_requests: Sequence[tuple[Recorded, str]]
) -> dict[str, RequestState]:
    """The requests that the page goes on with, as they stand: most are submitted in the page."""
    submitted = {id for one, id in of_requests if one.event.originator_version == 1}
    keys = {(id,): None for _, id in of_requests if id not in submitted}
    return {row.id: row for row in REQUESTS.find(connection, ["id"], keys)}


def _submitted(event: RequestSubmitted, request_id: str, position: int) -> RequestState:
    at = to_micros(event.at)
    wish = event.wish
    return RequestState(
        submitted_position=position,
        id=request_id,
        status="submitted",
        version=event.originator_version,
        submitted_at=at,
        changed_at=at,
        hold_until=None if event.hold_until is None else to_micros(event.hold_until),
        consumer_id=event.consumer.id,
        consumer_type=event.consumer.type,
        project_id=event.project_id,
        user_id=event.user_id,
        changes_claim=int(event.changes_claim),
        wish=wish.__pydantic_serializer__.to_json(wish).decode(),
        outcome="{}",
        refused_position=None,
        gang_id=event.gang_id,
        consumer_group=event.consumer.group,
    )


# --- What became of it ----------------------------------------------------------------------------


def _stays(state: RequestState, event: RequestSubmitted, position: int) -> None:
    """Its row says already what was submitted."""


def _held(state: RequestState, event: RequestHeld, _: int) -> None:
    state.status = "held"
    state.outcome = _json(event)


def _placed(state: RequestState, event: RequestPlaced, _: int) -> None:
    state.status = "placed"
    state.outcome = _json(event)


def _refused(state: RequestState, event: RequestRefused, position: int) -> None:
    state.status = "refused"
    state.outcome = _json(event)
    state.refused_position = position


def _withdrawn(state: RequestState, _: RequestWithdrawn, __: int) -> None:
    state.status = "withdrawn"


def _expired(state: RequestState, _: RequestExpired, __: int) -> None:
    state.status = "expired"


def _json(event: Event) -> str:
    return event.__pydantic_serializer__.to_json(event).decode()


_OUTCOMES: dict[type[Event], Callable[[RequestState, Any, int], None]] = {
    RequestSubmitted: _stays,
    RequestHeld: _held,
    RequestPlaced: _placed,
    RequestRefused: _refused,
    RequestWithdrawn: _withdrawn,
    RequestExpired: _expired,
}
