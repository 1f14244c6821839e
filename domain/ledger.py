"""The use cases of requests and claims: who asked, who holds, who gave back.

Each takes the books, the ledger's time and its input; decides on the aggregates; records all its
events at once; and returns the aggregate that the answer is about. An error is raised before
anything is recorded.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal, TypedDict, Unpack

from domain.allocation import Shares
from domain.books import Books
from domain.choosing import Asked, Choice, Surroundings, asked, choose, refusal
from domain.claim import Claim, rest_of
from domain.component import Consumer
from domain.consumer_group import ConsumerGroup
from domain.demand import INDIFFERENT, Affinities
from domain.errors import Invalid
from domain.events import Event
from domain.provider import Provider
from domain.provider_events import Holding
from domain.request import Request, RequestSubmitted
from domain.wish import Wish


class AskedFor(TypedDict):
    """Who asks, and for what."""

    consumer: Consumer
    project_id: str
    user_id: str
    wish: Wish
    hold_until: datetime | None


def submit_request(
    books: Books,
    at: datetime,
    *,
    request_id: str,
    seed: int = 0,
    **asked_for: Unpack[AskedFor],
) -> Request:
    """Store the request, try it, and hold or claim what fits: in one append, whatever comes out.

    `seed` is for the chance that the preference asks for, if the wish brings none.
    """
    request = books.get(Request, request_id)
    if request.version:
        return request  # The same submission, decided before.
    submitted, wanted, choice = _tried(books, at, request, seed, asked_for)
    if choice is None:
        books.record(refused(books, request, submitted, wanted))
    else:
        books.record(placed(books, request, submitted, choice))
    return request


def try_request(
    books: Books,
    at: datetime,
    *,
    request_id: str,
    seed: int = 0,
    **asked_for: Unpack[AskedFor],
) -> Request:
    """What `submit_request` would decide now. Nothing is recorded."""
    request = Request(request_id)
    submitted, wanted, choice = _tried(books, at, request, seed, asked_for)
    if choice is None:
        return request.fold(refused(books, request, submitted, wanted))
    return request.fold(_placing_events(request, submitted, choice))


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
            touched += groups_of(books, request.submitted)
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
    seed: int = 0,
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
    consumer = Consumer(id=consumer_id, type=claim.consumer_type, group=claim.consumer_group)
    wanted = asked(books, wish, affinities_of(books, consumer, claim.project_id, wish), seed)
    submitted = request.submit(
        at,
        consumer=consumer,
        project_id=claim.project_id,
        user_id=claim.user_id,
        wish=wish,
        changes_claim=True,
    )
    own_trees = tuple(books.search.tree_of(provider_id) for provider_id in claim.shares)
    choice = choose(books, wanted, Surroundings(freed=claim.shares, own_trees=own_trees))
    if choice is None:
        books.record(refused(books, request, submitted, wanted))
        return request
    shares = choice.placement.shares
    first, *rest = _placing_events(request, submitted, choice)
    events: list[Event] = [first]
    for provider_id in dict.fromkeys([*claim.shares, *shares]):
        given, taken = claim.shares.get(provider_id), shares.get(provider_id)
        events += books.get(Provider, provider_id).exchange(
            at,
            {} if given is None else {consumer_id: given},
            {} if taken is None else {consumer_id: Holding(request_id, claim.project_id, taken)},
        )
    events += claim.change(at, request_id, shares)
    events += _moved_in_group(books, at, claim, shares)
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
        left = {} if shares is None else rest_of(claim.shares, shares)
        events += _moved_in_group(books, at, claim, left)
    books.record([*events, *released])
    return claim


# --- How a request is decided ---------------------------------------------------------------------


def _tried(
    books: Books, at: datetime, request: Request, seed: int, asked_for: AskedFor
) -> tuple[RequestSubmitted, Asked, Choice | None]:
    consumer, hold_until = asked_for["consumer"], asked_for["hold_until"]
    books.get(Claim, consumer.id).require_free()
    affinities = affinities_of(books, consumer, asked_for["project_id"], asked_for["wish"])
    wanted = asked(books, asked_for["wish"], affinities, seed)
    require_open(hold_until, at)
    submitted = request.submit(at, **asked_for)
    return submitted, wanted, choose(books, wanted)


def affinities_of(books: Books, consumer: Consumer, project_id: str, wish: Wish) -> Affinities:
    """Where the wish's affinity lets the consumer go. Raises Invalid without a group."""
    if wish.affinity is None:
        return INDIFFERENT
    if consumer.group is None:
        raise Invalid("no_consumer_group", "`affinity` is to the consumer's group: name one")
    group = books.get(ConsumerGroup, ConsumerGroup.id_of(project_id, consumer.group))
    return group.affinities(wish.affinity, consumer.id)


def require_open(hold_until: datetime | None, at: datetime) -> None:
    if hold_until is not None and hold_until <= at:
        raise Invalid("deadline_passed", f"hold_until {hold_until.isoformat()} has passed")


def refused(
    books: Books, request: Request, submitted: RequestSubmitted, wanted: Asked
) -> list[Event]:
    why = refusal(books, wanted)
    return request.refuse(submitted, why.reasons, why.considered, why.relaxations)


def placed(
    books: Books, request: Request, submitted: RequestSubmitted, choice: Choice
) -> list[Event]:
    """The events of all streams that the placing of a new claim or hold touches."""
    at, consumer, shares = submitted.at, submitted.consumer, choice.placement.shares
    first, *rest = _placing_events(request, submitted, choice)
    events: list[Event] = [first]
    for provider_id, share in shares.items():
        holding = Holding(request.id, submitted.project_id, share, submitted.hold_until)
        events += books.get(Provider, provider_id).exchange(at, {}, {consumer.id: holding})
    events += books.get(Claim, consumer.id).hold(
        at,
        request_id=request.id,
        project_id=submitted.project_id,
        user_id=submitted.user_id,
        consumer_type=consumer.type,
        consumer_group=consumer.group,
        shares=shares,
        hold_until=submitted.hold_until,
    )
    for group in groups_of(books, submitted):
        events += group.place(at, consumer.id, tuple(sorted(shares)))
    return [*events, *rest]


def groups_of(books: Books, submitted: RequestSubmitted) -> list[ConsumerGroup]:
    """The one that the consumer is in, or none."""
    if submitted.consumer.group is None:
        return []
    group_id = ConsumerGroup.id_of(submitted.project_id, submitted.consumer.group)
    return [books.get(ConsumerGroup, group_id)]


def _placing_events(request: Request, submitted: RequestSubmitted, choice: Choice) -> list[Event]:
    placement = choice.placement
    return request.place(submitted, placement.shares, placement.mappings, choice.decision)


def _moved_in_group(books: Books, at: datetime, claim: Claim, shares: Shares) -> list[Event]:
    """What the consumer's group, if any, has to know of its new shares; none: it left."""
    if claim.consumer_group is None:
        return []
    group_id = ConsumerGroup.id_of(claim.project_id, claim.consumer_group)
    group = books.get(ConsumerGroup, group_id)
    return group.place(at, claim.id, tuple(sorted(shares))) if shares else group.leave(at, claim.id)


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
    claim = books.get(Claim, consumer_id)
    events += claim.lapse(at, reason, lapsed_at)
    events += _moved_in_group(books, at, claim, {})
    books.record([*events, *ended])
