"""Gangs: several consumers, all placed or none."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import Request as Call
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from api.identities import GangId, new_id, new_seed
from api.openapi import noun, reads, writes
from api.reads import house_of, json_response
from api.times import Time
from api.wishes import WISH_CODES, WishBody
from api.writes import Write, shows
from domain import gangs
from domain.books import Books
from domain.component import Consumer
from domain.errors import NotFound
from domain.events import Fact
from domain.gang import MOST_MEMBERS, Gang
from domain.values import OwnerId
from projections import requests
from projections.allocation_rows import AllocationRow, allocation_rows
from projections.requests import RequestRow

router = noun("gangs")


class MemberBody(WishBody):
    """One consumer, and what it asks for."""

    consumer: Consumer
    project_id: OwnerId
    user_id: OwnerId


class GangBody(Fact):
    """Who is to be placed together. With a deadline all of them are held, each to be confirmed."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "requests": [
                        {
                            "consumer": {"id": f"worker-{number}", "group": "training"},
                            "project_id": "acme",
                            "user_id": "ada",
                            "components": [{"kind": "amounts", "resources": {"VCPU": 8}}],
                            "affinity": "anti_affinity",
                        }
                        for number in (1, 2)
                    ]
                }
            ]
        }
    )

    requests: Annotated[tuple[MemberBody, ...], Field(min_length=1, max_length=MOST_MEMBERS)]
    hold_until: Time | None = None


class MemberView(BaseModel):
    """`GET /v1/requests/{request_id}` tells the rest."""

    request_id: str
    consumer_id: str
    allocations: list[AllocationRow]


class GangView(BaseModel):
    """How a gang was decided. `failed` are the requests that found no place."""

    id: str
    status: Literal["placed", "refused"]
    members: list[MemberView]
    failed: tuple[str, ...]


def gang_view(gang: Gang) -> GangView:
    shares = {one.request_id: one.shares for one in gang.members}
    return GangView(
        id=gang.id,
        status="placed" if gang.placed else "refused",
        members=[
            MemberView(
                request_id=one.request_id,
                consumer_id=one.consumer_id,
                allocations=allocation_rows(shares.get(one.request_id, {})),
            )
            for one in gang.askers
        ],
        failed=gang.failed,
    )


class GangRequests(BaseModel):
    """The requests of a gang, as they are now."""

    items: list[RequestRow]


_submitted = shows(gang_view, status=201, under="/v1/gangs")


@router.post(
    "/v1/gangs",
    response_model=GangView,
    **writes(
        "consumer_holds_already",
        "deadline_passed",
        "duplicate_consumer",
        "no_consumer_group",
        *WISH_CODES,
        status=201,
    ),
)
async def submit_gang(write: Write, body: GangBody) -> Response:
    """Place several consumers in one append, all of them or none. What does not fit is refused,
    and stored with its reasons: so that, too, is answered 201."""
    gang_id, seed = new_id(), new_seed()
    request_ids = [new_id() for _ in body.requests]

    def use_case(books: Books, at: datetime) -> Gang:
        members = [
            gangs.MemberRequest(
                request_id, one.consumer, one.project_id, one.user_id, one.wish(books)
            )
            for request_id, one in zip(request_ids, body.requests, strict=True)
        ]
        return gangs.submit_gang(
            books, at, gang_id=gang_id, members=members, hold_until=body.hold_until, seed=seed
        )

    streams = [f"claim:{one.consumer.id}" for one in body.requests]
    makes = [f"gang:{gang_id}", *(f"request:{one}" for one in request_ids)]
    return await write.record(use_case, _submitted, streams, makes=makes)


@router.get("/v1/gangs/{gang_id}", response_model=GangRequests, **reads("gang_not_found"))
async def read_gang(call: Call, gang_id: GangId) -> Response:
    """The requests of a gang, in their order, and what became of each."""
    house = house_of(call)
    rows = await house.query(
        lambda connection: requests.read_requests(
            connection, house.now(), gang_id=gang_id, limit=MOST_MEMBERS
        ),
        "requests",
    )
    if not rows:
        raise NotFound("gang_not_found", f"there is no gang {gang_id}")
    return json_response(GangRequests(items=rows))
