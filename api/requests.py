"""Requests: submit, read, list, confirm, withdraw. Submitting is the hot path of the service."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import Query
from fastapi import Request as Call
from pydantic import ConfigDict, Field
from starlette.responses import Response

from api.identities import GangId, RequestId, new_id, new_seed
from api.openapi import noun, reads, writes
from api.paging import Cursor, CursorText, Limit, Page
from api.reads import OfConsumer, OfProject, OfUser, house_of, not_found, tagged
from api.times import Time
from api.wishes import WISH_CODES, WishBody
from api.writes import Write, shows, told
from domain import ledger
from domain.books import Books
from domain.component import Consumer
from domain.decision import Decision, Relaxation
from domain.request import Request
from domain.values import OwnerId
from domain.wish import Wish
from projections import requests
from projections.allocation_rows import AllocationRow, allocation_rows
from projections.requests import ReasonRow, RequestRow, RequestStatus

router = noun("requests")

# --- What is asked --------------------------------------------------------------------------------


class RequestBody(WishBody):
    """A request: who asks, for what, and until when it is to be held if it is not a claim yet."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "consumer": {"id": "server-1", "type": "server"},
                    "project_id": "acme",
                    "user_id": "ada",
                    "components": [
                        {"kind": "amounts", "resources": {"VCPU": 4, "MEMORY_MB": 8192}},
                        {
                            "kind": "units",
                            "resource_class": "PGPU",
                            "count": 1,
                            "where": [{"attribute": "model", "in": ["A100", "H100"]}],
                        },
                    ],
                    "required_traits": ["HW_CPU_X86_AVX2"],
                }
            ]
        }
    )

    consumer: Consumer
    project_id: OwnerId
    user_id: OwnerId
    hold_until: Time | None = Field(
        default=None, description="Hold, to be confirmed before this moment. Null: claim at once."
    )

    def facts(self, books: Books) -> dict[str, Any]:
        """For the use case."""
        return {
            "consumer": self.consumer,
            "project_id": self.project_id,
            "user_id": self.user_id,
            "wish": self.wish(books),
            "hold_until": self.hold_until,
        }


# --- What is told ---------------------------------------------------------------------------------


class RequestView(Wish):
    """A request and what became of it."""

    id: str | None = Field(description="Null for a dry run: there is no such request.")
    status: RequestStatus
    consumer: Consumer
    project_id: str
    user_id: str
    hold_until: datetime | None
    gang_id: str | None
    submitted_at: datetime
    allocations: list[AllocationRow]
    reasons: list[ReasonRow]
    relaxations: tuple[Relaxation, ...]
    decision: Decision | None
    version: int


def reasons_of(request: Request) -> list[ReasonRow]:
    return [
        ReasonRow(
            option=reason.option,
            code=reason.code,
            resource_class=reason.resource_class,
            detail=reason.detail,
            count=reason.count,
        )
        for reason in request.reasons
    ]


def request_view(request: Request) -> RequestView:
    submitted = request.require_submitted()
    wish = submitted.wish
    assert request.status != "submitted"
    return RequestView(
        id=request.id,
        status=request.status,
        consumer=submitted.consumer,
        project_id=submitted.project_id,
        user_id=submitted.user_id,
        hold_until=submitted.hold_until,
        gang_id=submitted.gang_id,
        submitted_at=submitted.at,
        allocations=allocation_rows(request.shares),
        reasons=reasons_of(request),
        relaxations=request.relaxations,
        decision=request.decision,
        **dict(wish),
        version=request.version,
    )


_submitted = shows(request_view, status=201, under="/v1/requests")
_became = shows(request_view)

# --- Reads ----------------------------------------------------------------------------------------

_cursor: Cursor[int] = Cursor("requests", int)


@router.get("/v1/requests", response_model=Page[RequestView], **reads(paged=True))
async def list_requests(
    call: Call,
    *,
    status: Annotated[RequestStatus | None, Query(description="Only of this status.")] = None,
    project_id: OfProject = None,
    user_id: OfUser = None,
    consumer_id: OfConsumer = None,
    gang_id: Annotated[GangId | None, Query(description="Only of this gang.")] = None,
    limit: Limit = 100,
    cursor: CursorText = None,
) -> Response:
    """Requests in the order in which they were submitted."""
    house = house_of(call)
    after = _cursor.find(cursor)
    rows = await house.query(
        lambda connection: requests.read_requests(
            connection,
            house.now(),
            status=status,
            project_id=project_id,
            user_id=user_id,
            consumer_id=consumer_id,
            gang_id=gang_id,
            after=after,
            limit=limit + 1,
        ),
        "requests",
    )
    return _cursor.page(rows, limit, lambda row: row.submitted_position)


@router.get(
    "/v1/requests/{request_id}",
    response_model=RequestView,
    **reads("request_not_found", tagged=True),
)
async def read_request(call: Call, request_id: RequestId) -> Response:
    """One request, and what became of it."""
    row = await find_request(call, request_id)
    return tagged(call, row, row.version)


async def find_request(call: Call, request_id: str) -> RequestRow:
    house = house_of(call)
    row = await house.query(
        lambda connection: requests.read_request(connection, request_id, house.now()), "requests"
    )
    if row is None:
        raise not_found("request", request_id)
    return row


# --- Writes ---------------------------------------------------------------------------------------


@router.post(
    "/v1/requests",
    response_model=RequestView,
    **writes(
        "consumer_holds_already",
        "deadline_passed",
        "no_consumer_group",
        *WISH_CODES,
        status=201,
        also=200,
    ),
)
async def submit_request(
    write: Write,
    body: RequestBody,
    *,
    dry_run: Annotated[
        bool, Query(description="Tell only what would become of it: 200, and nothing is written.")
    ] = False,
) -> Response:
    """Ask for resources.

    What fits is claimed (or held) in the same breath. What does not is refused, and the refusal
    is stored with its reasons: so that, too, is answered 201.
    """
    if dry_run:
        house = house_of(write)
        view = await house.ask(lambda books: _try(books, house.now(), body))
        headers = {"Tallystick-Position": str(await house.head())}
        return Response(told(view), headers=headers, media_type="application/json")
    request_id, seed = new_id(), new_seed()

    def use_case(books: Books, at: datetime) -> Request:
        return ledger.submit_request(
            books, at, request_id=request_id, seed=seed, **body.facts(books)
        )

    return await write.record(
        use_case, _submitted, (f"claim:{body.consumer.id}",), makes=(f"request:{request_id}",)
    )


def _try(books: Books, at: datetime, body: RequestBody) -> RequestView:
    request = ledger.try_request(books, at, request_id="", seed=new_seed(), **body.facts(books))
    return request_view(request).model_copy(update={"id": None, "version": 0})


@router.post(
    "/v1/requests/{request_id}/confirm",
    response_model=RequestView,
    **writes("request_not_found", "request_not_held", "hold_lapsed", body=False, conditional=True),
)
async def confirm_request(write: Write, request_id: RequestId) -> Response:
    """Turn a hold into a claim, before its deadline."""
    if_match = write.if_match()

    def use_case(books: Books, at: datetime) -> Request:
        expected = if_match.expected(books.get(Request, request_id))
        return ledger.confirm_request(books, at, request_id, expected)

    return await write.record(use_case, _became, (f"request:{request_id}",))


@router.post(
    "/v1/requests/{request_id}/withdraw",
    response_model=RequestView,
    **writes("request_not_found", "request_not_held", "hold_lapsed", body=False, conditional=True),
)
async def withdraw_request(write: Write, request_id: RequestId) -> Response:
    """Give a hold back before its deadline."""
    if_match = write.if_match()

    def use_case(books: Books, at: datetime) -> Request:
        expected = if_match.expected(books.get(Request, request_id))
        return ledger.withdraw_request(books, at, request_id, expected)

    return await write.record(use_case, _became, (f"request:{request_id}",))
