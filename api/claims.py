"""Claims: read, list, change, release."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Self

from fastapi import Query
from fastapi import Request as Call
from pydantic import Field, model_validator
from starlette.responses import Response

from api.allocations import AllocationBody, shares_of
from api.house import Reply
from api.identities import new_id, new_seed
from api.openapi import noun, reads, writes
from api.paging import Cursor, CursorText, Limit, Page
from api.problems import PROBLEM_JSON, problem_body
from api.reads import OfProject, OfProvider, OfUser, house_of, not_found, tagged
from api.requests import reasons_of
from api.times import At, require_past
from api.wishes import WISH_CODES, WishBody
from api.writes import Write, shows, shows_nothing
from domain import ledger
from domain.aggregate import Aggregate
from domain.allocation import Shares
from domain.books import Books
from domain.claim import Claim
from domain.events import Fact
from domain.request import Request
from domain.values import ConsumerId, ConsumerType
from projections import claims
from projections.allocation_rows import allocation_rows
from projections.claims import ClaimRow, Holder

router = noun("claims")


class ClaimChange(WishBody):
    """What the claim is to consist of from now on: all of it, not only what changes."""


class ReleaseBody(Fact):
    """What to give back. Without allocations: everything."""

    allocations: tuple[AllocationBody, ...] | None = Field(
        default=None, min_length=1, max_length=10_000
    )

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        """A sum that is too large is the body's fault, so it is found while the body is read."""
        self.shares()
        return self

    def shares(self) -> Shares | None:
        return None if self.allocations is None else shares_of(self.allocations)


class ClaimView(ClaimRow):
    """What a consumer holds, and since which request; or, once it is released, what it was."""


def claim_view(claim: Claim) -> ClaimView:
    assert claim.status != "none"
    assert claim.at is not None
    return ClaimView(
        consumer=Holder(id=claim.id, type=claim.consumer_type),
        project_id=claim.project_id,
        user_id=claim.user_id,
        request_id=claim.request_id,
        status=claim.status,
        allocations=allocation_rows(claim.shares),
        held_until=claim.hold_until,
        version=claim.version,
        changed_at=claim.at,
    )


_became = shows(claim_view)


def _changed(outcome: Aggregate, is_new: bool) -> Reply:  # noqa: FBT001 - as Command calls it.
    """The changed claim, or why it stays as it was. The refused request is stored all the same."""
    if isinstance(outcome, Claim):
        return _became(outcome, is_new)
    assert isinstance(outcome, Request)
    body = problem_body(
        "request_refused",
        "what was asked for does not fit anywhere; the claim stays as it was",
        {
            "request_id": outcome.id,
            "reasons": [reason.model_dump(mode="json") for reason in reasons_of(outcome)],
        },
    )
    return Reply(409, body, location=f"/v1/requests/{outcome.id}", media_type=PROBLEM_JSON)


# --- Reads ----------------------------------------------------------------------------------------

_cursor: Cursor[str] = Cursor("claims", str)


@router.get("/v1/claims", response_model=Page[ClaimView], **reads(timed=True, paged=True))
async def list_claims(
    request: Call,
    *,
    project_id: OfProject = None,
    user_id: OfUser = None,
    consumer_type: Annotated[
        ConsumerType | None, Query(description="Only of this type of consumers.")
    ] = None,
    provider_id: OfProvider = None,
    at: At = None,
    limit: Limit = 100,
    cursor: CursorText = None,
) -> Response:
    """What is held or claimed, by consumer; what is released is not listed."""
    house = house_of(request)
    require_past(house.now(), at)
    after = _cursor.find(cursor)
    rows = await house.query(
        lambda connection: claims.read_claims(
            connection,
            at or house.now(),
            project_id=project_id,
            user_id=user_id,
            consumer_type=consumer_type,
            provider_id=provider_id,
            after=after,
            limit=limit + 1,
        ),
        "claims",
    )
    return _cursor.page(rows, limit, lambda row: row.consumer.id)


@router.get(
    "/v1/claims/{consumer_id}",
    response_model=ClaimView,
    **reads("claim_not_found", timed=True, tagged=True),
)
async def read_claim(request: Call, consumer_id: ConsumerId, at: At = None) -> Response:
    """What a consumer holds, or the last that it held."""
    house = house_of(request)
    require_past(house.now(), at)
    row = await house.query(
        lambda connection: claims.read_claim(connection, consumer_id, at or house.now()), "claims"
    )
    if row is None:
        raise not_found("claim", consumer_id)
    return tagged(request, row, None if at else row.version)


# --- Writes ---------------------------------------------------------------------------------------


@router.put(
    "/v1/claims/{consumer_id}",
    response_model=ClaimView,
    **writes(
        "claim_not_found",
        "claim_not_active",
        "request_refused",
        "no_consumer_group",
        *WISH_CODES,
        conditional=True,
    ),
)
async def change_claim(write: Write, consumer_id: ConsumerId, body: ClaimChange) -> Response:
    """Decide a claim again, whole: all of the new wish, or the claim stays as it is.

    Its own resources count as free. A refusal is stored as a request, and told as a 409.
    """
    request_id, seed = new_id(), new_seed()
    if_match = write.if_match()

    def use_case(books: Books, at: datetime) -> Claim | Request:
        return ledger.change_claim(
            books,
            at,
            request_id=request_id,
            consumer_id=consumer_id,
            wish=body.wish(books),
            seed=seed,
            expected=if_match.expected(books.get(Claim, consumer_id)),
        )

    return await write.record(
        use_case, _changed, (f"claim:{consumer_id}",), makes=(f"request:{request_id}",)
    )


@router.post(
    "/v1/claims/{consumer_id}/release",
    response_model=ClaimView,
    **writes("claim_not_found", "claim_not_active", "not_held", conditional=True),
)
async def release_claim(
    write: Write, consumer_id: ConsumerId, body: ReleaseBody | None = None
) -> Response:
    """Give back a part of a claim, or all of it."""
    shares = None if body is None else body.shares()
    if_match = write.if_match()

    def use_case(books: Books, at: datetime) -> Claim:
        expected = if_match.expected(books.get(Claim, consumer_id))
        return ledger.release_claim(books, at, consumer_id, shares, expected)

    return await write.record(use_case, _became, (f"claim:{consumer_id}",))


@router.delete(
    "/v1/claims/{consumer_id}",
    response_model=None,
    **writes("claim_not_found", "claim_not_active", status=204, body=False, conditional=True),
)
async def release_whole_claim(write: Write, consumer_id: ConsumerId) -> Response:
    """Give back all of a claim. It can still be read, as released."""
    if_match = write.if_match()

    def use_case(books: Books, at: datetime) -> Claim:
        expected = if_match.expected(books.get(Claim, consumer_id))
        return ledger.release_claim(books, at, consumer_id, None, expected)

    return await write.record(use_case, shows_nothing, (f"claim:{consumer_id}",))
