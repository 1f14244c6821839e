"""The composition root: the only place that knows how the house is put together."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fastapi import FastAPI

from api.app import create_app
from api.house import ProjectionHealth
from api.placement.face import PlacementFace
from api.placement.options import FaceOptions
from infra.database import open_database
from infra.event_log import EventLog
from infra.house import TallystickHouse
from infra.read_models import ReadModels
from infra.settings import Settings


def build_app(settings: Settings) -> FastAPI:
    """The service as an ASGI application. Nothing is opened before it starts."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        house = TallystickHouse(settings)
        await house.open()
        app.state.house = house
        try:
            yield
        finally:
            await house.close()

    return create_app(lifespan, face_options(settings))


def build_placement(app: FastAPI, settings: Settings) -> PlacementFace:
    """The same service's Placement API, for the root of a port of its own."""
    return PlacementFace(face_options(settings), lambda _scope: app.state.house)


def face_options(settings: Settings) -> FaceOptions:
    origins = (origin.strip() for origin in settings.placement_cors_origins.split(","))
    return FaceOptions(
        policy=settings.placement_policy,
        cors_origins=tuple(origin for origin in origins if origin),
        max_candidates=settings.placement_max_candidates,
        candidate_order=settings.placement_candidate_order,
    )


def run_projector(
    settings: Settings,
    report: Callable[[list[ProjectionHealth]], None],
    *,
    every_seconds: float = 2.0,
    until: Callable[[], bool] = lambda: False,
) -> None:
    """Keep the read models in the foreground, reporting where they are, until told to stop."""
    database = open_database(settings)
    read_models = ReadModels(settings, database, EventLog(database))
    try:
        database.create_tables()
        read_models.declare()
        read_models.start_building()
        reported = 0.0
        while not until():
            moved = read_models.projector.run_round()
            if time.monotonic() - reported > every_seconds:
                reported = time.monotonic()
                report(read_models.statuses())
            if not moved:
                time.sleep(0.02)
    finally:
        read_models.stop()
        database.close()
