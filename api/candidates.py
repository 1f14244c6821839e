"""Candidates: where a wish could go, for a client that wants to choose itself."""

from __future__ import annotations

from itertools import islice
from typing import Annotated

from fastapi import Query
from fastapi import Request as Call
from pydantic import BaseModel, Field
from starlette.responses import Response

from api.openapi import noun, reads, settles
from api.reads import house_of, json_response
from api.wish_parameters import AskedWish
from api.wishes import WISH_CODES, WishBody
from api.writes import Write
from domain.books import Books
from domain.choosing import Choice, asked, choices
from domain.demand import INDIFFERENT
from domain.provider import Provider
from projections.allocation_rows import AllocationRow, allocation_rows

router = noun("candidates")

AtMost = Annotated[int, Query(alias="limit", ge=1, le=100, description="At most so many.")]


class CandidateView(BaseModel):
    """A place where the wish fits now. To claim it, send the request with this `in_tree`."""

    in_tree: str
    provider_name: str
    option: int = Field(description="The wish itself (0), or one of its alternatives.")
    score: int
    allocations: list[AllocationRow]
    mappings: tuple[tuple[str, ...], ...] = Field(description="Who serves each component.")


class CandidatesView(BaseModel):
    """The preferred ones first."""

    items: list[CandidateView]


@router.get("/v1/candidates", response_model=CandidatesView, **reads("busy", *WISH_CODES))
async def list_candidates(call: Call, wish: AskedWish, limit: AtMost = 10) -> Response:
    """Where a plain wish could go: each place with what it would get there."""
    return json_response(await house_of(call).ask(lambda books: _candidates(books, wish, limit)))


@router.post(
    "/v1/candidates",
    response_model=CandidatesView,
    **settles("busy", *WISH_CODES, body=True),
)
async def find_candidates(write: Write, body: WishBody, limit: AtMost = 10) -> Response:
    """Where any wish could go. Nothing is recorded, and the consumer's group is not looked at."""
    return json_response(await house_of(write).ask(lambda books: _candidates(books, body, limit)))


def _candidates(books: Books, body: WishBody, limit: int) -> CandidatesView:
    wanted = asked(books, body.wish(books), INDIFFERENT, seed=0)
    found = islice(choices(books, wanted), limit)
    return CandidatesView(items=[_view(books, one) for one in found])


def _view(books: Books, choice: Choice) -> CandidateView:
    decision, placement = choice.decision, choice.placement
    scores = {one.provider_id: one.score for one in decision.candidates}
    return CandidateView(
        in_tree=decision.chosen,
        provider_name=books.get(Provider, decision.chosen).name,
        option=decision.option,
        score=scores[decision.chosen],
        allocations=allocation_rows(placement.shares),
        mappings=placement.mappings,
    )
