"""Every error code of the service, its HTTP status, and how it is told: RFC 9457 problem details.

This is the one table. Handlers raise, and never catch.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, JsonValue
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from api.house import Busy, Unavailable
from domain.errors import LedgerError

logger = logging.getLogger(__name__)

PROBLEM_JSON = "application/problem+json"
MOST_ERRORS = 50
"""How many faults of one body are listed."""

PROBLEMS: dict[str, tuple[int, str]] = {
    # The call itself.
    "bad_idempotency_key": (400, "The Idempotency-Key header cannot be used"),
    "bad_if_match": (400, "The If-Match or If-None-Match header cannot be read"),
    "bad_request": (400, "The call cannot be read"),
    "malformed_json": (400, "The body is not JSON"),
    "client_time_refused": (403, "This service keeps its own time"),
    "no_such_route": (404, "There is nothing under this path"),
    "method_not_allowed": (405, "This path does not take that method"),
    "body_too_large": (413, "The body is too large"),
    "unsupported_media_type": (415, "The body has to be application/json"),
    "at_in_future": (422, "That moment has not come yet"),
    "bad_cursor": (422, "The cursor is not one of this list's"),
    "bad_time": (422, "The time cannot be read"),
    "idempotency_key_reused": (422, "The Idempotency-Key was used for another call"),
    "invalid_body": (422, "The body does not say what it should"),
    "invalid_parameter": (422, "A parameter does not say what it should"),
    "unknown_parameter": (422, "The path does not take that parameter"),
    "internal_error": (500, "Something broke on our side"),
    "busy": (503, "Too many writes are waiting"),
    "unavailable": (503, "The ledger cannot be reached at the moment"),
    # What is named does not exist.
    "build_not_found": (404, "The projection has no such build"),
    "checkpoint_not_found": (404, "There is no such checkpoint"),
    "claim_not_found": (404, "There is no such claim"),
    "flavor_not_found": (404, "There is no such flavor"),
    "gang_not_found": (404, "There is no such gang"),
    "inventory_not_found": (404, "The provider has no inventory of this class"),
    "line_not_found": (404, "The statement has no such line"),
    "no_inventory": (404, "The provider has no inventory of this class"),
    "price_book_not_found": (404, "There is no such price book"),
    "projection_not_found": (404, "There is no such projection"),
    "provider_not_found": (404, "There is no such provider"),
    "request_not_found": (404, "There is no such request"),
    "resource_class_not_found": (404, "There is no such resource class"),
    "statement_not_found": (404, "The statement is not closed"),
    "trait_not_found": (404, "There is no such trait"),
    "webhook_not_found": (404, "There is no such webhook"),
    # It exists, but its state forbids this.
    "bill_differs": (409, "The bill cannot be made again as it was"),
    "build_not_in_that_state": (409, "The build's state forbids this"),
    "claim_not_active": (409, "The claim is not active"),
    "consumer_holds_already": (409, "The consumer already has a claim"),
    "duplicate_name": (409, "Another provider has this name"),
    "event_differs": (409, "The event is not the one that was sealed"),
    "hold_lapsed": (409, "The hold has lapsed"),
    "inventory_in_use": (409, "The inventory is in use"),
    "no_price": (409, "Something that was held has no price in the book"),
    "nothing_to_correct": (409, "The statement is as the log has it"),
    "period_closed": (409, "The period is closed"),
    "period_not_over": (409, "The period is not over"),
    "position_not_sealed": (409, "The event is not sealed yet"),
    "provider_exists": (409, "There is a provider with this id already"),
    "provider_has_children": (409, "The provider has others below it"),
    "provider_in_use": (409, "The provider is in use"),
    "rebuild_under_way": (409, "The projection is being built already"),
    "request_not_held": (409, "The request does not hold anything"),
    "request_refused": (409, "The request was refused, and the claim stays as it was"),
    "resource_class_in_use": (409, "The resource class is in use"),
    "standard_name": (409, "Standard names cannot be removed"),
    "time_runs_backwards": (409, "A stream's times never run backwards"),
    "too_many_webhooks": (409, "There are as many webhooks as there can be"),
    "trait_in_use": (409, "The trait is in use"),
    "tree_loop": (409, "A provider cannot be below itself"),
    # The client's version is not the newest.
    "stale_consumer_generation": (412, "The consumer's claim has changed since you read it"),
    "stale_generation": (412, "The provider has changed since you read it"),
    "stale_version": (412, "It has changed since you read it"),
    # Well-formed, yet it contradicts itself or names unknown things.
    "bad_period": (422, "That is no period"),
    "contradicting_traits": (422, "A trait is both required and forbidden"),
    "deadline_passed": (422, "The deadline has passed"),
    "duplicate_consumer": (422, "Two members of the gang are the same consumer"),
    "no_consumer_group": (422, "The consumer is in no group"),
    "currencies_differ": (422, "The price books are in different currencies"),
    "from_beyond_to": (422, "The first checkpoint is the larger one"),
    "not_custom": (422, "Names of your own start with CUSTOM_"),
    "position_beyond_head": (422, "The log has not come to this position yet"),
    "request_too_large": (422, "The request asks for too many things at once"),
    "not_held": (422, "The consumer does not hold that"),
    "too_many_steps": (422, "The period has more steps than one answer tells"),
    "unknown_provider": (422, "There is no such provider"),
    "unknown_resource_class": (422, "There is no such resource class"),
    "unknown_trait": (422, "There is no such trait"),
}


class BadCall(LedgerError):
    """The HTTP of a call is wrong: a header, a parameter, the body's form."""


class BadTime(ValueError):
    """A text is no moment that the ledger can keep. The reason is a sentence for people."""


class Problem(BaseModel):
    """An error, as RFC 9457 wants it told. Some codes add fields of their own."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str
    code: str


def problem(
    code: str,
    detail: str,
    extras: Mapping[str, JsonValue] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    return Response(
        problem_body(code, detail, extras),
        PROBLEMS[code][0],
        {**(headers or {}), "Cache-Control": "no-store"},
        PROBLEM_JSON,
    )


def problem_body(code: str, detail: str, extras: Mapping[str, JsonValue] | None = None) -> bytes:
    """The problem as JSON in plain ASCII, so that no broken text of a client's can break it."""
    status, title = PROBLEMS[code]
    told = {
        "type": f"urn:tallystick:problem:{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
    }
    return json.dumps({**told, **(extras or {}), **told}).encode("ascii")


def faults_of(errors: Sequence[Mapping[str, Any]]) -> list[JsonValue]:
    """Pydantic's errors without the input: it may be large, or secret."""
    return [{"loc": [*error["loc"]], "msg": sentence_of(error)} for error in errors[:MOST_ERRORS]]


def sentence_of(error: Mapping[str, Any]) -> str:
    sentence: str = error["msg"]
    return sentence.removeprefix("Value error, ")


# --- From exceptions to answers -------------------------------------------------------------------


def install_problems(app: FastAPI) -> None:
    """Make every exception an answer in the same form."""
    handlers: dict[type[Exception], Any] = {
        LedgerError: _ledger_error,
        Busy: _busy,
        Unavailable: _unavailable,
        RequestValidationError: _invalid_parameter,
        HTTPException: _http_exception,
        ClientDisconnect: _client_gone,
        Exception: _internal_error,
    }
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, handler)


async def _ledger_error(_request: Request, error: LedgerError) -> Response:
    return problem(error.code, error.detail, error.extras)


async def _busy(_request: Request, busy: Busy) -> Response:
    headers = {"Retry-After": str(busy.retry_after_seconds)}
    return problem("busy", "the queue of writes is full: try again shortly", headers=headers)


async def _unavailable(request: Request, error: Unavailable) -> Response:
    logger.warning("%s %s: unavailable: %s", request.method, request.url.path, error)
    return problem("unavailable", str(error) or "try again shortly", headers={"Retry-After": "1"})


async def _invalid_parameter(_request: Request, error: RequestValidationError) -> Response:
    """Path and query; bodies are read by `api.writes`. A time has a code of its own."""
    errors = error.errors()
    first = errors[0]
    is_time = isinstance(first.get("ctx", {}).get("error"), BadTime)
    code = "bad_time" if is_time else "invalid_parameter"
    detail = f"{first['loc'][-1]}: {sentence_of(first)}"
    return problem(code, detail, {"errors": faults_of(errors)})


async def _http_exception(request: Request, error: HTTPException) -> Response:
    path = request.url.path
    if error.status_code == 404:
        return problem("no_such_route", f"there is nothing under {path}")
    if error.status_code == 405:
        allowed = ", ".join(_methods_of(request))
        detail = f"{path} takes {allowed}"
        return problem("method_not_allowed", detail, headers={"Allow": allowed})
    return problem("bad_request", str(error.detail))


def _methods_of(request: Request) -> list[str]:
    """All methods of all routes under the path; the router itself knows only the first route's."""
    methods: set[str] = set()
    for route in request.app.routes:
        pattern = getattr(route, "path_regex", None)
        if pattern is not None and pattern.match(request.scope["path"]):
            methods |= getattr(route, "methods", None) or set()
    return sorted(methods)


async def _client_gone(_request: Request, _error: ClientDisconnect) -> Response:
    return problem("bad_request", "the client went away before its body had arrived")


async def _internal_error(request: Request, error: Exception) -> Response:
    """The server's own log line carries the traceback; the answer carries nothing of it."""
    logger.error("%s %s failed: %r", request.method, request.url.path, error)
    return problem("internal_error", "the failure is in the service's log")
