"""The use case of gangs: several consumers are placed in one append, all of them or none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from domain import fit
from domain.books import Books
from domain.choosing import Choice, Surroundings, asked, choices, choose
from domain.claim import Claim
from domain.component import Consumer
from domain.consumer_group import ConsumerGroup
from domain.demand import INDIFFERENT, Affinities
from domain.errors import Invalid
from domain.events import Event
from domain.gang import Asker, Gang, Member
from domain.ledger import affinities_of, groups_of, placed, refused, require_open
from domain.placing import Effort
from domain.provider import Provider
from domain.request import Reason, Request, RequestSubmitted
from domain.wish import Wish

MOST_TRIES = 2_000
"""How many placements of single members are tried before a gang is given up."""


@dataclass(frozen=True)
class MemberRequest:
    request_id: str
    consumer: Consumer
    project_id: str
    user_id: str
    wish: Wish


def submit_gang(
    books: Books,
    at: datetime,
    *,
    gang_id: str,
    members: Sequence[MemberRequest],
    hold_until: datetime | None,
    seed: int = 0,
) -> Gang:
    """Store all requests, and place (or hold) all of them or none."""
    gang = books.get(Gang, gang_id)
    if gang.version:
        return gang
    if len({one.consumer.id for one in members}) < len(members):
        raise Invalid("duplicate_consumer", "two members of the gang are the same consumer")
    require_open(hold_until, at)
    for one in members:
        books.get(Claim, one.consumer.id).require_free()
    attempt = _Attempt(books, members, seed)
    submitted = [_submitted(books, at, gang_id, one, hold_until) for one in members]
    if attempt.place(0):
        _record_placed(books, gang, submitted, attempt.choices)
    else:
        _record_refused(books, gang, submitted, attempt)
    return gang


@dataclass
class _Attempt:
    """A walk over the members in their order: each is tried in its preferred places, with what
    those before it took, until all have one."""

    books: Books
    members: Sequence[MemberRequest]
    seed: int
    choices: list[Choice] = field(default_factory=list)
    effort: Effort = field(default_factory=Effort)
    tries: int = 0
    farthest: int = 0

    def place(self, index: int) -> bool:
        if index == len(self.members):
            return True
        self.farthest = max(self.farthest, index)
        taken = [one.placement.shares for one in self.choices]
        around = Surroundings(taken=taken, effort=self.effort)
        wanted = asked(
            self.books, self.members[index].wish, self._affinities(index), self.seed + index
        )
        for choice in choices(self.books, wanted, around):
            self.tries += 1
            self.choices.append(choice)
            if self.place(index + 1):
                return True
            self.choices.pop()
            if self.tries >= MOST_TRIES:
                return False
        return False

    def _affinities(self, index: int) -> Affinities:
        """Those to the members that were placed just now, too."""
        one = self.members[index]
        found = affinities_of(self.books, one.consumer, one.project_id, one.wish)
        if one.wish.affinity is None or one.consumer.group is None:
            return found
        group = ConsumerGroup.id_of(one.project_id, one.consumer.group)
        placed_now = {
            before.consumer.id: tuple(choice.placement.shares)
            for before, choice in zip(self.members, self.choices, strict=False)
            if before.consumer.group is not None
            and ConsumerGroup.id_of(before.project_id, before.consumer.group) == group
        }
        aggregate = self.books.get(ConsumerGroup, group)
        return aggregate.affinities(one.wish.affinity, one.consumer.id, placed_now)


def _submitted(
    books: Books, at: datetime, gang_id: str, member: MemberRequest, hold_until: datetime | None
) -> RequestSubmitted:
    return books.get(Request, member.request_id).submit(
        at,
        consumer=member.consumer,
        project_id=member.project_id,
        user_id=member.user_id,
        wish=member.wish,
        hold_until=hold_until,
        gang_id=gang_id,
    )


def _record_placed(
    books: Books, gang: Gang, submitted: Sequence[RequestSubmitted], chosen: Sequence[Choice]
) -> None:
    _require_times(books, submitted, chosen)
    members: list[Member] = []
    for one, choice in zip(submitted, chosen, strict=True):
        request = books.get(Request, _request_id(one))
        members.append(
            Member(
                request_id=request.id,
                consumer_id=one.consumer.id,
                shares=choice.placement.shares,
            )
        )
        # Each is recorded before the next is put together, as they may share streams.
        books.record(placed(books, request, one, choice))
    books.record(gang.place(submitted[0].at, tuple(members)))


def _require_times(
    books: Books, submitted: Sequence[RequestSubmitted], chosen: Sequence[Choice]
) -> None:
    """All that will be touched lets in events of this time: nothing is recorded before that is
    known."""
    for one, choice in zip(submitted, chosen, strict=True):
        books.get(Claim, one.consumer.id).require_not_before(one.at)
        for provider_id in choice.placement.shares:
            books.get(Provider, provider_id).require_not_before(one.at)
        for group in groups_of(books, one):
            group.require_not_before(one.at)


def _record_refused(
    books: Books, gang: Gang, submitted: Sequence[RequestSubmitted], attempt: _Attempt
) -> None:
    events: list[Event] = []
    failed: list[str] = []
    for index, one in enumerate(submitted):
        request = books.get(Request, _request_id(one))
        wanted = asked(books, one.wish, INDIFFERENT, attempt.seed + index)
        if choose(books, wanted) is None:
            failed.append(request.id)
            events += refused(books, request, one, wanted)
            continue
        if index == attempt.farthest:
            failed.append(request.id)
        detail = f"could be placed, but not all {len(submitted)} of its gang together"
        events += request.refuse(
            one, (Reason(code=fit.GANG_REFUSED, detail=detail, count=0),), 0, ()
        )
    askers = tuple(
        Asker(request_id=_request_id(one), consumer_id=one.consumer.id) for one in submitted
    )
    books.record([*events, *gang.refuse(submitted[0].at, askers, tuple(failed))])


def _request_id(submitted: RequestSubmitted) -> str:
    return submitted.originator_id.removeprefix(f"{Request.CATEGORY}:")
