"""The use cases of requests and claims: who asked, who holds, who gave back.

Each takes the books, the ledger's time and its input; decides on the aggregates; records all its
events at once; and returns the aggregate that the answer is about. An error is raised before
anything is recorded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Literal

from domain.allocation import Shares
from domain.books import Books
from domain.claim import Claim
from domain.component import (
    Component,
    Consumer,
    ExpandedFlavor,
    FlavorComponent,
    StoredComponent,
    Wish,
)
from domain.demand import Demand
from domain.errors import Invalid
from domain.events import Event
from domain.flavor import Flavor
from domain.known_names import require_classes, require_traits
from domain.placing import Placement, place_in_tree
from domain.provider import Provider
from domain.request import Request

MOST_LINES = 128
"""Amounts and selections of one request, all components together."""


def expand(books: Books, components: Iterable[Component]) -> tuple[StoredComponent, ...]:
    """Put in place of each flavor's name what it means now, so that later edits change nothing."""
    return tuple(
        _expanded(books, component) if isinstance(component, FlavorComponent) else component
        for component in components
    )


def submit_request(
    books: Books,
    at: datetime,
    *,
    request_id: str,
    consumer: Consumer,
    project_id: str,
    user_id: str,
    wish: Wish,
    hold_until: datetime | None,
) -> Request:
    """Store the request, try it, and hold or claim what fits: in one append, whatever comes out."""
    request = books.get(Request, request_id)
    if request.version:
        return request  # The same submission, decided before.
    claim = books.get(Claim, consumer.id)
    claim.require_free()
    demand = _checked_demand(books, wish)
    if hold_until is not None and hold_until <= at:
        raise Invalid("deadline_passed", f"hold_until {hold_until.isoformat()} has passed")
    submitted = request.submit(
        at,
        consumer=consumer,
        project_id=project_id,
        user_id=user_id,
        wish=wish,
        hold_until=hold_until,
    )
    placement = _place(books, demand, books.search.candidates(demand))
    if placement is None:
        books.record(request.refuse(submitted, *books.search.reasons(demand)))
        return request
    first, *rest = request.place(submitted, placement.shares, placement.mappings)
    events: list[Event] = [first]
    for provider_id, share in placement.shares.items():
        events += books.get(Provider, provider_id).request(
            at,
            request_id=request_id,
            consumer_id=consumer.id,
            project_id=project_id,
            share=share,
            hold_until=hold_until,
        )
    events += claim.hold(
        at,
        request_id=request_id,
        project_id=project_id,
        user_id=user_id,
        consumer_type=consumer.type,
        shares=placement.shares,
        hold_until=hold_until,
    )
    books.record([*events, *rest])
    return request


def confirm_request(
    books: Books, at: datetime, request_id: str, expected: int | None = None
) -> Request:
    """Turn a hold into a claim."""
    request = books.get(Request, request_id)
    submitted = request.require_submitted()
    request.require_version(expected)
    placed = request.confirm(at)
    if not placed:
        return request
    events: list[Event] = []
    for provider_id in request.shares:
        events += books.get(Provider, provider_id).claim(at, submitted.consumer.id)
    events += books.get(Claim, submitted.consumer.id).grant(at)
    books.record([*events, *placed])
    return request


def withdraw_request(
    books: Books, at: datetime, request_id: str, expected: int | None = None
) -> Request:
    """Give a hold back before its deadline."""
    request = books.get(Request, request_id)
    request.require_submitted()
    request.require_version(expected)
    _end_hold(books, request, request.withdraw(at), "withdrawn", at)
    return request


def expire_overdue(books: Books, at: datetime) -> None:
    """Record every hold whose deadline passed by `at`: what is true anyway gets its events.

    The writer does this before each command, so nothing outside has to run for a lapsed hold to
    stop counting.
    """
    for request_id in books.search.overdue(at):
        request = books.get(Request, request_id)
        if request.overdue(at):
            assert request.submitted is not None
            touched = [books.get(Claim, request.submitted.consumer.id), request]
            touched += [books.get(Provider, provider_id) for provider_id in request.shares]
            when = max(at, *(stream.at for stream in touched if stream.at is not None))
            deadline = request.hold_until
            assert deadline is not None
            _end_hold(books, request, request.expire(when), "expired", deadline)


def change_claim(
    books: Books,
    at: datetime,
    *,
    request_id: str,
    consumer_id: str,
    wish: Wish,
    expected: int | None = None,
) -> Claim | Request:
    """Decide the claim again, whole: all of the new wish, or the claim stays as it is.

    Its own resources count as free, and its own trees are tried first. Returns the changed claim,
    or the request that was refused (it is stored like any other).
    """
    request = books.get(Request, request_id)
    claim = books.get(Claim, consumer_id)
    if request.version:
        return request if request.status == "refused" else claim
    claim.require_active()
    claim.require_version(expected)
    demand = _checked_demand(books, wish)
    submitted = request.submit(
        at,
        consumer=Consumer(id=consumer_id, type=claim.consumer_type),
        project_id=claim.project_id,
        user_id=claim.user_id,
        wish=wish,
        changes_claim=True,
    )
    placement = _place(books, demand, _own_trees_first(books, claim, demand), claim.shares)
    if placement is None:
        books.record(request.refuse(submitted, *books.search.reasons(demand)))
        return request
    first, *rest = request.place(submitted, placement.shares, placement.mappings)
    events: list[Event] = [first]
    for provider_id in dict.fromkeys([*claim.shares, *placement.shares]):
        events += books.get(Provider, provider_id).exchange(
            at,
            claim.shares.get(provider_id),
            placement.shares.get(provider_id),
            request_id=request_id,
            consumer_id=consumer_id,
            project_id=claim.project_id,
        )
    events += claim.change(at, request_id, placement.shares)
    books.record([*events, *rest])
    return claim


def release_claim(
    books: Books,
    at: datetime,
    consumer_id: str,
    shares: Shares | None = None,
    expected: int | None = None,
) -> Claim:
    """Give back a part of a claim, or all of it (None)."""
    claim = books.get(Claim, consumer_id)
    claim.require_version(expected)
    released = claim.release(at, shares)
    events: list[Event] = []
    if released:
        for provider_id, share in (claim.shares if shares is None else shares).items():
            events += books.get(Provider, provider_id).release(at, consumer_id, share)
    books.record([*events, *released])
    return claim


# --- How it is decided ----------------------------------------------------------------------------


def _expanded(books: Books, component: FlavorComponent) -> ExpandedFlavor:
    if isinstance(component, ExpandedFlavor):
        return component
    definition = books.get(Flavor, component.name).definition(component.number)
    return ExpandedFlavor(
        name=component.name, number=definition.number, expansion=definition.expansion
    )


def _checked_demand(books: Books, wish: Wish) -> Demand:
    """The demand, if it makes sense: known names, and no trait both required and forbidden."""
    demand = Demand.of(wish)
    if len(demand.lines) > MOST_LINES:
        raise Invalid(
            "request_too_large", f"asks for {len(demand.lines)} things; {MOST_LINES} is the most"
        )
    require_classes(books, demand.resource_classes)
    require_traits(books, demand.traits)
    both = demand.required & demand.forbidden
    if both:
        raise Invalid(
            "contradicting_traits", f"both required and forbidden: {', '.join(sorted(both))}"
        )
    if demand.within is not None and not books.get(Provider, demand.within).exists:
        raise Invalid("unknown_provider", f"`within`: there is no provider {demand.within}")
    return demand


def _place(
    books: Books,
    demand: Demand,
    candidates: Iterator[tuple[str, ...]],
    freed: Shares | None = None,
) -> Placement | None:
    """The first proposed tree that really serves the demand."""
    for tree in candidates:
        placement = place_in_tree(
            demand, [books.get(Provider, provider_id) for provider_id in tree], freed
        )
        if placement is not None:
            return placement
    return None


def _own_trees_first(books: Books, claim: Claim, demand: Demand) -> Iterator[tuple[str, ...]]:
    allowed = None if demand.within is None else set(books.search.subtree_of(demand.within))
    for tree in dict.fromkeys(books.search.tree_of(provider_id) for provider_id in claim.shares):
        yield tree if allowed is None else tuple(one for one in tree if one in allowed)
    yield from books.search.candidates(demand)


def _end_hold(
    books: Books,
    request: Request,
    ended: list[Event],
    reason: Literal["expired", "withdrawn"],
    lapsed_at: datetime,
) -> None:
    if not ended:
        return
    at = ended[0].at
    assert request.submitted is not None
    consumer_id = request.submitted.consumer.id
    events: list[Event] = []
    for provider_id in request.shares:
        provider = books.get(Provider, provider_id)
        events += provider.lapse(at, consumer_id, reason, lapsed_at)
    events += books.get(Claim, consumer_id).lapse(at, reason, lapsed_at)
    books.record([*events, *ended])
