"""The face as an ASGI application: from a call's bytes to a handler, and its answer back.

Not FastAPI's: Placement's own 404, 405, 406 and 415, its checks of queries and bodies, and where
its headers stand, are what its clients know.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from urllib.parse import parse_qsl

from starlette.types import Receive, Scope, Send

from api.house import Busy, House, Unavailable
from api.placement import (
    aggregates,
    allocations,
    candidates,
    explanation,
    inventories,
    reshaper,
    resource_classes,
    resource_providers,
    root,
    traits,
    usages,
)
from api.placement.call import Answer, Call
from api.placement.cors import allowed, preflight
from api.placement.error_answers import error_answer, unauthorized
from api.placement.faults import Fault, fault_of
from api.placement.identity import Caller, believe
from api.placement.negotiation import VERSION_HEADER, admits_json, read_minor
from api.placement.options import FaceOptions
from api.placement.policies import TOTAL_USAGES, require_allowed
from api.placement.routes import Route, RouteTable
from domain.errors import LedgerError

logger = logging.getLogger(__name__)

LARGEST_BODY_BYTES = 32 * 1024 * 1024
NOUNS = (
    root,
    allocations,
    candidates,
    explanation,
    resource_providers,
    inventories,
    usages,
    aggregates,
    traits,
    resource_classes,
    reshaper,
)
NOBODY = Caller("", None, frozenset())
SINCE_DATES = 15
"""From 1.15 on answers say when what they show was changed."""

Headers = Mapping[str, str]


class PlacementFace:
    """An application for the root of a port of its own, or mounted under a path."""

    def __init__(self, options: FaceOptions, house: Callable[[Scope], House]) -> None:
        self._options = options
        self._house = house
        self._identify = options.identify or believe
        self._table = RouteTable(noun.ROUTES for noun in NOUNS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        headers = _headers(scope)
        told = {"x-openstack-request-id": f"req-{_uuid4()}"}
        origins = self._options.cors_origins
        if origins and scope["method"] == "OPTIONS" and "origin" in headers:
            answer = Answer(200, b"")
            told |= preflight(headers, origins)
        else:
            answer = await self._answered(scope, receive, headers, told)
            told |= allowed(headers, origins, told.get("vary")) if origins else {}
        await _send(send, scope, headers, answer, told)

    async def _answered(
        self, scope: Scope, receive: Receive, headers: Headers, told: dict[str, str]
    ) -> Answer:
        prefix = scope.get("root_path", "")
        path = scope["path"].removeprefix(prefix)
        caller = await self._identify(headers)
        if caller is None and path not in ("", "/"):
            return unauthorized()
        minor: int | None = None
        try:
            minor = read_minor(headers)
            told[VERSION_HEADER] = f"placement 1.{minor}"
            _check_length(headers)
            route, arguments = self._table.find(scope["method"], path, minor)
            _check_content(route, headers)
            call = Call(
                house=self._house(scope),
                method=scope["method"],
                path=path,
                minor=minor,
                prefix=prefix,
                options=self._options,
                caller=caller or NOBODY,
                arguments=arguments,
                query=_query(scope),
                headers=headers,
                body=await _body(receive),
            )
            if route.rule is not None:
                project = call.last("project_id") if route.rule == TOTAL_USAGES else None
                require_allowed(self._options.policy, route.rule, call.caller, project)
            answer = await route.handler(call)
        except Exception as error:  # noqa: BLE001 - every failure is told in Placement's form
            fault = _fault(error, scope)
            if not fault.leaves_handler and minor is not None:
                told["vary"] = VERSION_HEADER
            request_id = told["x-openstack-request-id"]
            return error_answer(fault, headers.get("accept", ""), minor, request_id)
        told["vary"] = VERSION_HEADER
        if answer.is_dated and minor >= SINCE_DATES:
            told["cache-control"] = "no-cache"
            if answer.shows_anything:
                changed_at = answer.changed_at or datetime.now(UTC)
                told["last-modified"] = format_datetime(changed_at.astimezone(UTC), usegmt=True)
        return answer


def _query(scope: Scope) -> list[tuple[str, str]]:
    # As in Placement, a semicolon separates, too.
    text = scope["query_string"].decode("latin-1").replace(";", "&")
    return parse_qsl(text, keep_blank_values=True, errors="strict") if text else []


def _headers(scope: Scope) -> dict[str, str]:
    """By lower-case name; several of one name are joined."""
    headers: dict[str, str] = {}
    for name, value in scope["headers"]:
        key, text = name.decode("latin-1"), value.decode("latin-1")
        headers[key] = f"{headers[key]},{text}" if key in headers else text
    return headers


def _check_length(headers: Headers) -> None:
    """What Placement asks of any call, whether there is something at its path or not."""
    length = headers.get("content-length") or "0"
    if not length.isdecimal():
        raise Fault(400, "content-length header must be an integer", leaves_handler=True)
    if int(length) > 0 and not headers.get("content-type"):
        detail = "content-type header required when content-length > 0"
        raise Fault(400, detail, leaves_handler=True)


def _check_content(route: Route, headers: Headers) -> None:
    if route.reads_json:
        content_type = headers.get("content-type", "").split(";")[0].strip() or None
        if content_type != "application/json":
            detail = f"The media type {content_type} is not supported, use application/json"
            raise Fault(415, detail)
    if route.shows_json and not admits_json(headers.get("accept", "")):
        raise Fault(406, "Only application/json is provided")


async def _body(receive: Receive) -> bytes:
    parts: list[bytes] = []
    size, more = 0, True
    while more:
        message = await receive()
        part = message.get("body", b"")
        size += len(part)
        if size > LARGEST_BODY_BYTES:
            raise Fault(413, f"a body has at most {LARGEST_BODY_BYTES} bytes")
        parts.append(part)
        more = message.get("more_body", False)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _fault(error: Exception, scope: Scope) -> Fault:
    match error:
        case Fault():
            return error
        case LedgerError():
            return fault_of(error)
        case Busy():
            seconds = str(error.retry_after_seconds)
            return Fault(503, str(error), headers={"retry-after": seconds})
        case Unavailable():
            return Fault(503, str(error), headers={"retry-after": "1"})
        case UnicodeDecodeError():
            return Fault(400, f"Invalid query string parameters: {error}")
    logger.error("%s %s failed", scope["method"], scope["path"], exc_info=error)
    return Fault(500, "the failure is in the service's log")


async def _send(
    send: Send, scope: Scope, headers: Headers, answer: Answer, extras: Mapping[str, str]
) -> None:
    pieces = (answer.body, *answer.rest)
    told: list[tuple[bytes, bytes]] = []
    if answer.body:
        told.append((b"content-type", answer.media_type.encode()))
    if answer.status != 204:
        told.append((b"content-length", str(sum(map(len, pieces))).encode()))
    if answer.location is not None:
        address = f"{scope['scheme']}://{headers.get('host', '')}{scope.get('root_path', '')}"
        told.append((b"location", f"{address}{answer.location}".encode()))
    for name, value in _pairs(answer.headers, extras):
        told.append((name.encode(), value.encode("latin-1")))
    await send({"type": "http.response.start", "status": answer.status, "headers": told})
    for number, piece in enumerate(pieces, 1):
        more = number < len(pieces)
        await send({"type": "http.response.body", "body": piece, "more_body": more})


def _pairs(*some: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    return (pair for one in some for pair in one.items())


def _uuid4() -> str:
    """As a random one is written, without the way over an object."""
    text = secrets.token_hex(16)
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"
