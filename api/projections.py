"""Projections: how far the read models have followed the log, and building them anew.

What an operator does here changes no fact of the ledger, so no event comes of it.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from starlette.responses import Response

from api.house import BuildAction, ProjectionHealth, SwitchRule
from api.openapi import noun, reads, settles
from api.reads import house_of, json_response
from api.writes import Write, told
from domain.errors import NotFound

router = noun("projections")

ProjectionName = Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,64}$")]
BuildVersion = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9]{1,9}(\.[0-9]{1,9})?$"),
    Field(description="`2.1`, or `2` for the newest build of schema version 2."),
]

STEERED = ("build_not_found", "build_not_in_that_state")


class Projections(BaseModel):
    items: list[ProjectionHealth]


class RebuildBody(BaseModel):
    """When the new build is to serve."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{}]})

    switch: Annotated[
        SwitchRule,
        Field(
            description="By itself if the columns of both equal each other (`if_equal`), in any "
            "case, or never: then it waits for somebody to switch."
        ),
    ] = "if_equal"


@router.get("/v1/projections", response_model=Projections, **reads())
async def list_projections(request: Request) -> Response:
    """Every build of every projection: what serves, where it is, and what is being built."""
    return json_response(Projections(items=await house_of(request).projections()))


@router.post(
    "/v1/projections/{name}/builds",
    response_model=ProjectionHealth,
    **settles("projection_not_found", "rebuild_under_way", status=202, body=True),
)
async def rebuild_projection(write: Write, name: ProjectionName, body: RebuildBody) -> Response:
    """Build a projection anew from the log, beside the build that serves, while writes go on."""
    build = await house_of(write).rebuild(name, body.switch)
    location = f"/v1/projections/{name}/builds/{build.version}"
    return Response(told(build), 202, {"Location": location}, media_type="application/json")


@router.get(
    "/v1/projections/{name}/builds/{version}",
    response_model=ProjectionHealth,
    **reads("build_not_found"),
)
async def read_build(request: Request, name: ProjectionName, version: BuildVersion) -> Response:
    """Where it is, how long it will still take, and how it compares with the one that served."""
    return json_response(await _found(request, name, version))


@router.post(
    "/v1/projections/{name}/builds/{version}/pause",
    response_model=ProjectionHealth,
    **settles(*STEERED, status=202),
)
async def pause_build(write: Write, name: ProjectionName, version: BuildVersion) -> Response:
    """Stop building; `resume` goes on where it was."""
    return await _steered(write, name, version, "pause")


@router.post(
    "/v1/projections/{name}/builds/{version}/resume",
    response_model=ProjectionHealth,
    **settles(*STEERED, status=202),
)
async def resume_build(write: Write, name: ProjectionName, version: BuildVersion) -> Response:
    """Go on: with a build that was paused, or one that stopped at an event it could not handle."""
    return await _steered(write, name, version, "resume")


@router.post(
    "/v1/projections/{name}/builds/{version}/switch",
    response_model=ProjectionHealth,
    **settles(*STEERED, status=202),
)
async def switch_build(write: Write, name: ProjectionName, version: BuildVersion) -> Response:
    """Have it catch up with the log, and then serve; the one that served is kept."""
    return await _steered(write, name, version, "switch")


@router.delete(
    "/v1/projections/{name}/builds/{version}",
    response_model=None,
    **settles(*STEERED, status=204),
)
async def drop_build(write: Write, name: ProjectionName, version: BuildVersion) -> Response:
    """Remove its tables. The build that serves cannot be dropped."""
    await house_of(write).steer_build(name, version, "drop")
    return Response(status_code=204)


async def _steered(call: Request, name: str, version: str, action: BuildAction) -> Response:
    await house_of(call).steer_build(name, version, action)
    build = await _found(call, name, version)
    return Response(told(build), 202, media_type="application/json")


async def _found(call: Request, name: str, version: str) -> ProjectionHealth:
    for one in reversed(await house_of(call).projections()):
        if one.name == name and version in (one.version, one.version.partition(".")[0]):
            return one
    raise NotFound("build_not_found", f"projection {name} has no build {version}")
