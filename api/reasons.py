"""A refusal's reasons, provider by provider."""

from __future__ import annotations

from fastapi import Request as Call
from pydantic import BaseModel
from starlette.responses import Response

from api.identities import RequestId
from api.openapi import noun, reads
from api.paging import Cursor, CursorText, Limit, Page, page_response
from api.reads import house_of
from api.requests import find_request
from projections.projection import Connection
from projections.providers import expand_ranges
from projections.requests import RequestRow

router = noun("requests")

Place = tuple[int, int]
"""Which reason of the refusal, and which provider of those it names, by registered position."""

_cursor: Cursor[Place] = Cursor("reasons", Place)


class ProviderReason(BaseModel):
    """Why one provider (with those below it) could not serve a request."""

    provider_id: str
    provider_name: str
    option: int
    code: str
    resource_class: str | None
    detail: str


@router.get(
    "/v1/requests/{request_id}/reasons",
    response_model=Page[ProviderReason],
    **reads("request_not_found", paged=True),
)
async def list_reasons(
    call: Call, request_id: RequestId, limit: Limit = 100, cursor: CursorText = None
) -> Response:
    """Each provider that was considered, with the first condition that it failed.

    Empty for a request that was not refused.
    """
    after = _cursor.find(cursor)
    request = await find_request(call, request_id)
    found = await house_of(call).query(
        lambda connection: _read_reasons(connection, request, after, limit + 1), "capacity"
    )
    following = _cursor.after(found, limit, lambda one: one[0])
    return page_response([reason for _, reason in found[:limit]], following)


def _read_reasons(
    connection: Connection, request: RequestRow, after: Place | None, limit: int
) -> list[tuple[Place, ProviderReason]]:
    """Reason by reason, each with its providers by registration."""
    found: list[tuple[Place, ProviderReason]] = []
    first, last_position = after or (0, 0)
    for index, reason in enumerate(request.refusal):
        if index < first or len(found) == limit or request.refused_position is None:
            continue
        roots = expand_ranges(
            connection,
            reason.providers,
            request.refused_position,
            after=last_position if index == first else None,
            limit=limit - len(found),
        )
        for root in roots:
            told = ProviderReason(
                provider_id=root.provider_id,
                provider_name=root.provider_name,
                option=reason.option,
                code=reason.code,
                resource_class=reason.resource_class,
                detail=reason.detail,
            )
            found.append(((index, root.registered_position), told))
    return found
