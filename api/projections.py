"""How far the read models have followed the log."""

from __future__ import annotations

from fastapi import Request
from pydantic import BaseModel
from starlette.responses import Response

from api.house import ProjectionHealth
from api.openapi import noun, reads
from api.reads import house_of, json_response

router = noun("health")


class Projections(BaseModel):
    items: list[ProjectionHealth]


@router.get("/v1/projections", response_model=Projections, **reads())
async def list_projections(request: Request) -> Response:
    """Each read model: its schema version, its position, and its lag."""
    health = await house_of(request).health()
    return json_response(Projections(items=health.projections))
