"""Webhooks: where the ledger's events are pushed to.

They are operators' settings and not events of the ledger. They say nothing about resources; their
positions move with every delivery, which would write the log full of itself; their secrets must be
forgotten when they are replaced, and the log forgets nothing; and a copy of the log, replayed
elsewhere, must not begin to call other people's receivers.
"""

from __future__ import annotations

import base64
import binascii
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Request
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from starlette.responses import Response

from api.events import LARGEST_POSITION
from api.house import WebhookChange, WebhookMode, WebhookStatus
from api.openapi import noun, reads, settles
from api.reads import house_of, json_response
from api.writes import Write, told

router = noun("webhooks")

WebhookName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")]


def _with_a_place(url: str) -> str:
    """Raises ValueError, also for a port or an IPv6 address that cannot be."""
    parts = urlsplit(url)
    if not parts.hostname or parts.port == 0:
        raise ValueError("the URL names no host that can be called")
    return url


def _usable(secret: str) -> str:
    if secret.startswith("whsec_"):
        try:
            base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        except binascii.Error as wrong:
            raise ValueError("after whsec_ there must be base64") from wrong
    return secret


ReceiverUrl = Annotated[
    str,
    StringConstraints(
        # No credentials and no fragment; whatever is not ASCII is percent-encoded.
        pattern=r"^https?://[A-Za-z0-9._:\[\]-]{1,255}([/?][!-\"$-~]*)?$",
        max_length=2048,
    ),
    AfterValidator(_with_a_place),
]
Secret = Annotated[str, StringConstraints(pattern=r"^[!-~]{16,255}$"), AfterValidator(_usable)]


class WebhookBody(BaseModel):
    """Where to push, how, and from where on."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"url": "https://billing.example/tallystick", "mode": "batch"}]
        },
    )

    url: Annotated[ReceiverUrl, Field(description="http or https, without credentials in it.")]
    mode: Annotated[
        WebhookMode,
        Field(
            description="`batch`: up to 100 events in one POST (application/cloudevents-batch+json)"
            "; `structured`: one (application/cloudevents+json)."
        ),
    ] = "batch"
    position: Annotated[
        Annotated[int, Field(ge=0, le=LARGEST_POSITION, strict=True)] | None,
        Field(
            description="Push the events after it; 0 is everything. Left out: a new webhook begins "
            "with the next event, an old one goes on."
        ),
    ] = None
    secret: Annotated[
        Secret | None,
        Field(
            description="Every POST is signed with it as Standard Webhooks wants it: `whsec_` and "
            "base64, or any text. Never told back. Left out: it stays as it is; null: none."
        ),
    ] = None


class Webhooks(BaseModel):
    items: list[WebhookStatus]


@router.get("/v1/webhooks", response_model=Webhooks, **reads())
async def list_webhooks(request: Request) -> Response:
    """All of them, by name: where each is, how far behind the log, and what went wrong last."""
    return json_response(Webhooks(items=await house_of(request).webhooks.all()))


@router.get("/v1/webhooks/{name}", response_model=WebhookStatus, **reads("webhook_not_found"))
async def read_webhook(request: Request, name: WebhookName) -> Response:
    """Where it is, how far behind the log, and what went wrong last."""
    return json_response(await house_of(request).webhooks.read(name))


@router.put(
    "/v1/webhooks/{name}",
    response_model=WebhookStatus,
    **settles("position_beyond_head", "too_many_webhooks", also=201, body=True),
)
async def put_webhook(write: Write, name: WebhookName, body: WebhookBody) -> Response:
    """Create a webhook, or change it.

    Events are delivered in order and at least once: a receiver tells repetitions by their ids. Any
    2xx is an acceptance. Everything else is tried again, later and later up to five minutes (or
    when `Retry-After` says); 410 pauses the webhook.
    """
    change = WebhookChange(
        url=body.url,
        mode=body.mode,
        position=body.position,
        secret=body.secret,
        keeps_secret="secret" not in body.model_fields_set,
    )
    status, is_new = await house_of(write).webhooks.put(name, change)
    if not is_new:
        return json_response(status)
    headers = {"Location": f"/v1/webhooks/{name}"}
    return Response(told(status), 201, headers, "application/json")


@router.delete(
    "/v1/webhooks/{name}", response_model=None, **settles("webhook_not_found", status=204)
)
async def remove_webhook(write: Write, name: WebhookName) -> Response:
    """Push no more, and forget its position and its secret."""
    await house_of(write).webhooks.remove(name)
    return Response(status_code=204)


@router.post(
    "/v1/webhooks/{name}/pause", response_model=WebhookStatus, **settles("webhook_not_found")
)
async def pause_webhook(write: Write, name: WebhookName) -> Response:
    """Push no more for now; it keeps its position."""
    return json_response(await house_of(write).webhooks.pause(name))


@router.post(
    "/v1/webhooks/{name}/resume", response_model=WebhookStatus, **settles("webhook_not_found")
)
async def resume_webhook(write: Write, name: WebhookName) -> Response:
    """Go on where it was. One that waits for its next try tries now."""
    return json_response(await house_of(write).webhooks.resume(name))
