"""How the service is: whether it lives, whether it is well, and how far its projections are."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import Request
from pydantic import BaseModel
from starlette.responses import Response

from api.house import Health
from api.openapi import noun, reads
from api.reads import house_of
from api.writes import told

router = noun("health")


class Alive(BaseModel):
    status: Literal["alive"]


@router.get("/livez", response_model=Alive, **reads())
async def is_alive(_request: Request) -> Response:
    """The process answers. It touches nothing: also the no-op that benchmarks compare with."""
    return Response(b'{"status":"alive"}', media_type="application/json")


def _health_document() -> dict[str, Any]:
    """503 carries the same form as 200, and says what is wrong."""
    answers = dict(reads()["responses"])
    answers[503] = {"model": Health, "description": "Degraded."}
    return {"responses": answers}


@router.get("/healthz", response_model=Health, **_health_document())
async def read_health(request: Request) -> Response:
    """Whether the ledger can be written and read, and each projection's lag. 503 if it cannot."""
    health = await house_of(request).health()
    status = 200 if health.status == "ok" else 503
    return Response(told(health), status, media_type="application/json")
