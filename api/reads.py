"""What every read does: find the house, say which version it tells, and spare what is known."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import Query, Request
from pydantic import BaseModel
from starlette.responses import Response

from api.house import House
from api.identities import ProviderId
from api.preconditions import entity_tag, header, matches_none
from api.times import require_past
from api.writes import told
from domain.errors import NotFound
from domain.values import ClassName, ConsumerId, OwnerId, TraitName
from projections import providers
from projections.providers import ProviderRow

# --- Filters that several lists take --------------------------------------------------------------

OfProvider = Annotated[ProviderId | None, Query(description="Only of this provider.")]
InTree = Annotated[
    ProviderId | None, Query(description="Only of this provider and all those below it.")
]
OfClass = Annotated[ClassName | None, Query(description="Only of this class.")]
WithTrait = Annotated[TraitName | None, Query(description="Only of providers that have this.")]
OfProject = Annotated[OwnerId | None, Query(description="Only of this project.")]
OfUser = Annotated[OwnerId | None, Query(description="Only of this user.")]
OfConsumer = Annotated[ConsumerId | None, Query(description="Only of this consumer.")]


def house_of(request: Request) -> House:
    house: House = request.app.state.house
    return house


def json_response(view: BaseModel) -> Response:
    return Response(told(view), media_type="application/json")


def tagged(request: Request, view: BaseModel, version: int | None) -> Response:
    """An answer with its version, or 304 if the client has that one.

    Without a version (the answer tells of a moment of the past) it carries no tag.
    """
    if version is None:
        return json_response(view)
    headers = {"ETag": entity_tag(version)}
    if matches_none(header(request.scope["headers"], b"if-none-match"), version):
        return Response(status_code=304, headers=headers)
    return Response(told(view), headers=headers, media_type="application/json")


def not_found(noun: str, id: str) -> NotFound:
    return NotFound(f"{noun}_not_found", f"there is no {noun.replace('_', ' ')} {id}")


async def find_provider(
    request: Request, provider_id: str, at: datetime | None = None
) -> ProviderRow:
    """The provider at that moment; one that is deleted by then is no longer found."""
    house = house_of(request)
    require_past(house.now(), at)
    row = await house.query(
        lambda connection: providers.read_provider(connection, provider_id, at), "capacity"
    )
    if row is None:
        raise not_found("provider", provider_id)
    if row.deleted_at is not None:
        raise NotFound(
            "provider_not_found",
            f"provider {provider_id} was deleted at {row.deleted_at.isoformat()}",
        )
    return row
