"""The use case of clients that choose themselves: what consumers are to hold from now on.

The client names providers and amounts, as Placement's clients do. Nothing is searched; the
providers decide, by the same conditions as ever, and a refusal is a fact that is kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from domain.allocation import Share, Shares
from domain.assigned import Misfit, Seating, seat
from domain.books import Books
from domain.claim import Claim
from domain.component import AmountsComponent, Consumer
from domain.consumer_group import ConsumerGroup
from domain.errors import Invalid, Stale
from domain.events import Event
from domain.known_names import require_classes
from domain.provider import Provider
from domain.provider_events import Holding
from domain.request import Reason, Request, RequestSubmitted
from domain.wish import Wish

MOST_PROVIDERS = 64
"""How many one consumer may hold something of, assigned in one call."""
UNTYPED = "unknown"
"""The type of consumers whose client names none."""

Move = tuple[ConsumerGroup, str, tuple[str, ...]]
"""The providers on which a member of a group holds something from now on; none: it leaves."""


@dataclass(frozen=True)
class Assignment:
    """What one consumer is to hold from now on, by provider and class; nothing, if that is empty.

    `generation` is the one that the client read: None for a consumer that holds nothing yet.
    Without a `consumer_type` it stays what it is.
    """

    request_id: str
    consumer_id: str
    project_id: str
    user_id: str
    amounts: Mapping[str, Mapping[str, int]]
    consumer_type: str | None = None
    generation: int | Literal["any"] | None = "any"


def assign(books: Books, at: datetime, assignments: Sequence[Assignment]) -> Claim | Request:
    """Assign all of them in one append, or none.

    Returns the first consumer's claim, or the request that did not fit. Raises Stale for a consumer
    that has changed since, Conflict for one that only holds, Invalid for names that are not known.
    """
    for one in assignments:
        _require_sensible(books, one)
    amounts = {one.consumer_id: one.amounts for one in assignments}
    seating = seat(books, amounts)
    if isinstance(seating, Misfit):
        return _refuse(books, at, assignments, seating)
    submitted = [_submitted(books, at, one) for one in assignments if one.amounts]
    moves = [move for one in assignments for move in _moves(books, at, one, seating)]
    books.record(
        [
            *submitted,
            *_provider_events(books, at, assignments, seating),
            *(e for one in assignments for e in _claim_events(books, at, one, seating)),
            *(e for one in submitted for e in _placed(books, one, seating)),
        ]
    )
    for group, consumer_id, provider_ids in moves:
        # One after the other, as several consumers may be in one group.
        books.record(
            group.place(at, consumer_id, provider_ids)
            if provider_ids
            else group.leave(at, consumer_id)
        )
    return books.get(Claim, assignments[0].consumer_id)


# --- Guards ---------------------------------------------------------------------------------------


def _require_sensible(books: Books, one: Assignment) -> None:
    claim = books.get(Claim, one.consumer_id)
    if one.generation != "any" and (one.generation or 0) != claim.generation:
        found = claim.generation or None
        raise Stale(
            "stale_consumer_generation",
            f"consumer {one.consumer_id} is at generation {found}, not {one.generation}",
            expected=one.generation,
            generation=found,
        )
    if not claim.is_free:
        claim.require_active()
    for provider_id, resources in one.amounts.items():
        if not books.get(Provider, provider_id).exists:
            raise Invalid("unknown_provider", f"there is no provider {provider_id}")
        require_classes(books, resources)
    if len(one.amounts) > MOST_PROVIDERS:
        raise Invalid(
            "request_too_large", f"a consumer is assigned at most {MOST_PROVIDERS} providers"
        )


# --- What becomes of it ---------------------------------------------------------------------------


def _submitted(books: Books, at: datetime, one: Assignment) -> RequestSubmitted:
    """The client's choice, as the wish that only this placement serves."""
    claim = books.get(Claim, one.consumer_id)
    components = tuple(
        AmountsComponent(resources=dict(resources), granular=True, within=provider_id)
        for provider_id, resources in one.amounts.items()
    )
    held_type = None if claim.is_free else claim.consumer_type
    return books.get(Request, one.request_id).submit(
        at,
        consumer=Consumer(id=one.consumer_id, type=one.consumer_type or held_type or UNTYPED),
        project_id=one.project_id,
        user_id=one.user_id,
        wish=Wish(components=components),
        changes_claim=not claim.is_free,
    )


def _provider_events(
    books: Books, at: datetime, assignments: Sequence[Assignment], seating: Seating
) -> list[Event]:
    """The providers' halves. A provider that is only left keeps its generation, as Placement has
    it, but not one of which everything is taken away from a consumer."""
    given: dict[str, dict[str, Share]] = {}
    taken: dict[str, dict[str, Holding]] = {}
    raised: set[str] = set()
    for one in assignments:
        before = books.get(Claim, one.consumer_id).shares
        for provider_id, share in before.items():
            given.setdefault(provider_id, {})[one.consumer_id] = share
        for provider_id, share in seating[one.consumer_id].items():
            holding = Holding(one.request_id, one.project_id, share)
            taken.setdefault(provider_id, {})[one.consumer_id] = holding
        raised.update(one.amounts or before)
    events: list[Event] = []
    for provider_id in dict.fromkeys([*given, *taken]):
        events += books.get(Provider, provider_id).exchange(
            at,
            given.get(provider_id, {}),
            taken.get(provider_id, {}),
            raises_generation=provider_id in raised,
        )
    return events


def _claim_events(books: Books, at: datetime, one: Assignment, seating: Seating) -> list[Event]:
    """The claim's half."""
    claim = books.get(Claim, one.consumer_id)
    shares = seating[one.consumer_id]
    if claim.is_free:
        return _granted(claim, at, one, shares) if shares else []
    if not shares:
        return claim.release(at, None)
    return claim.change(
        at,
        one.request_id,
        shares,
        project_id=one.project_id,
        user_id=one.user_id,
        consumer_type=one.consumer_type,
    )


def _granted(claim: Claim, at: datetime, one: Assignment, shares: Shares) -> list[Event]:
    return claim.hold(
        at,
        request_id=one.request_id,
        project_id=one.project_id,
        user_id=one.user_id,
        consumer_type=one.consumer_type or UNTYPED,
        consumer_group=None,
        shares=shares,
        hold_until=None,
    )


def _moves(books: Books, at: datetime, one: Assignment, seating: Seating) -> list[Move]:
    """What the consumer's group has to know. Groups are a project's: who goes to another project
    joins the one of that name there."""
    claim = books.get(Claim, one.consumer_id)
    if claim.is_free or claim.consumer_group is None:
        return []
    where = tuple(sorted(seating[one.consumer_id]))
    to = {claim.project_id: (), one.project_id: where} if where else {claim.project_id: ()}
    moves: list[Move] = []
    for project_id, provider_ids in to.items():
        group_id = ConsumerGroup.id_of(project_id, claim.consumer_group)
        group = books.get(ConsumerGroup, group_id)
        group.require_not_before(at)
        moves.append((group, one.consumer_id, provider_ids))
    return moves


def _placed(books: Books, submitted: RequestSubmitted, seating: Seating) -> list[Event]:
    shares = seating[submitted.consumer.id]
    request = books.get(Request, submitted.originator_id.partition(":")[2])
    mappings = tuple((provider_id,) for provider_id in shares)
    return request.place(submitted, shares, mappings, None)[1:]


def _refuse(
    books: Books, at: datetime, assignments: Sequence[Assignment], misfit: Misfit
) -> Request:
    """All requests are refused: one for its own reason, and the others as they are of one call."""
    events: list[Event] = []
    refused: Request | None = None
    for one in assignments:
        if not one.amounts:
            continue
        request = books.get(Request, one.request_id)
        facts: dict[str, Any] = {"code": "gang_refused", "count": 0}
        facts["detail"] = "assigned in one call with another, which does not fit"
        if one.consumer_id == misfit.consumer_id:
            refused = request
            facts = {"code": misfit.code, "resource_class": misfit.resource_class, "count": 1}
            facts["detail"] = misfit.detail
        events += request.refuse(_submitted(books, at, one), (Reason(**facts),), 1, ())
    assert refused is not None
    books.record(events)
    return refused
