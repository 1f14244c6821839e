"""The HTTP application around a house."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

from fastapi import FastAPI

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


def create_app(lifespan: Lifespan) -> FastAPI:
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
    app.state.recent_bills = RecentBills()
    install_problems(app)
    install_docs(app)
    install_openapi(app)
    return app


def hang_up(app: FastAPI) -> None:
    """End the streams of all who listen: a server that stops waits until its calls have ended."""
    house: House | None = getattr(app.state, "house", None)
    if house is not None:
        house.hang_up()
