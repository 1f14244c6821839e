"""The HTTP application around a house."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

from fastapi import FastAPI
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from api import (
    candidates,
    capacity,
    claims,
    closed_statements,
    costs,
    events,
    explanations,
    flavors,
    gangs,
    groups,
    health,
    history,
    inventories,
    price_books,
    projections,
    proofs,
    providers,
    reasons,
    requests,
    resource_classes,
    statement_comparison,
    statement_lines,
    statement_totals,
    statements,
    stranding,
    traits,
    usage,
    utilization,
    webhooks,
)
from api.bills import RecentBills
from api.docs import install_docs
from api.house import House
from api.openapi import DESCRIPTION, TAGS, install_openapi
from api.placement.face import PlacementFace
from api.placement.options import FaceOptions
from api.problems import install_problems

NOUNS = (
    requests,
    claims,
    health,
    candidates,
    gangs,
    capacity,
    reasons,
    explanations,
    history,
    projections,
    providers,
    inventories,
    traits,
    groups,
    resource_classes,
    flavors,
    price_books,
    statements,
    statement_comparison,
    statement_lines,
    statement_totals,
    closed_statements,
    costs,
    usage,
    utilization,
    stranding,
    events,
    webhooks,
    proofs,
)
"""Routes are tried in this order, so the hot ones come first."""

Lifespan = Callable[[Any], AbstractAsyncContextManager[None]]


PLACEMENT = "/placement"
"""Where OpenStack Placement's API is."""


def create_app(lifespan: Lifespan, placement: FaceOptions | None = None) -> FastAPI:
    """The application; its lifespan puts a `House` into `app.state.house`.

    The routes stand in the application itself: an included router would cost a search of its own.
    """
    app = FastAPI(
        title="Tallystick",
        summary="An event-sourced ledger of claims on resources",
        description=DESCRIPTION,
        version="1",
        openapi_tags=TAGS,
        routes=[route for noun in NOUNS for route in noun.router.routes],
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
    )
    face = PlacementFace(placement or FaceOptions(), lambda _scope: app.state.house)
    app.router.routes[:0] = [Mount(PLACEMENT, face), Route(PLACEMENT, MountedRoot(face))]
    app.state.recent_bills = RecentBills()
    install_problems(app)
    install_docs(app)
    install_openapi(app)
    return app


class MountedRoot:
    """What is mounted under a path, for a call of that path itself."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app({**scope, "root_path": scope["path"]}, receive, send)


def hang_up(app: FastAPI) -> None:
    """End the streams of all who listen: a server that stops waits until its calls have ended."""
    house: House | None = getattr(app.state, "house", None)
    if house is not None:
        house.hang_up()
