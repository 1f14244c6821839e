"""The one way in which every write comes in and its answer goes out.

A route of this kind reads the body once, straight from its bytes, and calls the handler; FastAPI
reads the same signature for the OpenAPI document, and its dependency machinery is left aside. That
keeps the hot path (POST /v1/requests) close to an endpoint that does nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime
from inspect import Parameter, signature
from typing import Any, TypeVar, get_type_hints
from urllib.parse import parse_qsl

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel, TypeAdapter, ValidationError
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from api.house import Answer, Command, House, Reply
from api.preconditions import (
    IfMatch,
    entity_tag,
    header,
    read_idempotency_key,
    read_if_match,
    read_ledger_time,
)
from api.problems import BadCall, faults_of, sentence_of
from api.times import require_past
from domain.aggregate import Aggregate
from domain.books import Books

LARGEST_BODY_BYTES = 1024 * 1024

A = TypeVar("A", bound=Aggregate)
Handler = Callable[[Request], Coroutine[Any, Any, Response]]
UseCase = Callable[[Books, datetime], Aggregate]
Render = Callable[[Aggregate, bool], Reply]


class Write(Request):
    """A call that changes something, with its whole body read."""

    def __init__(self, request: Request, body: bytes) -> None:
        super().__init__(request.scope, request.receive)
        self.body_bytes = body
        self.first_headers: dict[bytes, bytes] = dict(request.scope["headers"])

    def if_match(self) -> IfMatch:
        return read_if_match(header(self.scope["headers"], b"if-match"))

    async def record(
        self,
        use_case: UseCase,
        render: Render,
        streams: Sequence[str] = (),
        *,
        makes: Sequence[str] = (),
    ) -> Response:
        """Have the use case decided and appended, and answer what came of it."""
        house: House = self.scope["app"].state.house
        key = read_idempotency_key(self.first_headers.get(b"idempotency-key"))
        at = read_ledger_time(self.first_headers.get(b"tallystick-at"))
        if at is not None:
            require_past(house.now(), at)
        fingerprint = self.fingerprint() if key is not None else ""
        command = Command(use_case, render, streams, makes, key, fingerprint, at)
        return response_of(await house.submit(command))

    def fingerprint(self) -> str:
        """What a repetition under the same key must repeat: method, path, query and body.

        The body counts byte by byte: the same JSON spaced differently is another body. A client
        that repeats a call sends the bytes that it sent, and nothing has to be parsed to know.
        """
        target = f"{self.scope['method']} {self.scope['path']}?".encode(errors="replace")
        parts = (target, self.scope["query_string"], b"\n", self.body_bytes)
        return hashlib.sha256(b"".join(parts)).hexdigest()


def response_of(answer: Answer) -> Response:
    reply = answer.reply
    headers = {"Tallystick-Position": str(answer.position)}
    if reply.version is not None:
        headers["ETag"] = entity_tag(reply.version)
    if reply.location is not None:
        headers["Location"] = reply.location
    return Response(reply.body, reply.status, headers, reply.media_type if reply.body else None)


# --- What an answer shows -------------------------------------------------------------------------


def told(view: BaseModel) -> bytes:
    """A view as JSON: the shortest way from a pydantic model to bytes."""
    return view.__pydantic_serializer__.to_json(view)


def shows(
    view: Callable[[A], BaseModel],
    *,
    status: int = 200,
    created: int | None = None,
    under: str | None = None,
) -> Render:
    """A rendering by a view of the aggregate.

    `created` is the status if the command made it, where that is another one. With `under`, the
    answer says that it can be read at that path and its id.
    """

    def render(aggregate: Any, is_new: bool) -> Reply:  # noqa: FBT001 - Command calls it so.
        location = None if under is None else f"{under}/{aggregate.id}"
        code = created if created is not None and is_new else status
        return Reply(code, told(view(aggregate)), aggregate.version, location)

    return render


def shows_nothing(aggregate: Aggregate, _is_new: bool) -> Reply:  # noqa: FBT001 - as above.
    """A rendering for what is gone."""
    return Reply(204, b"", aggregate.version)


# --- Routes ---------------------------------------------------------------------------------------


class LedgerRoute(APIRoute):
    """Refuses parameters that nobody reads; lets FastAPI serve reads, and serves writes itself."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        if self.methods != {"GET"}:
            # FastAPI's wrapping keeps the resources of dependencies; a write has none.
            self.app = _served(self.get_route_handler())

    def get_route_handler(self) -> Handler:
        allowed = sorted(_query_names(self.dependant))
        stock = super().get_route_handler()
        handle = stock if self.methods == {"GET"} else _write_handler(self)

        async def checked(request: Request) -> Response:
            if request.scope["query_string"]:
                refuse_unknown_parameters(request.scope["query_string"], allowed)
            return await handle(request)

        return checked


def _query_names(dependant: Dependant) -> set[str]:
    """Of the endpoint and of all that it depends on."""
    own = {parameter.alias for parameter in dependant.query_params}
    return own.union(*map(_query_names, dependant.dependencies))


def _served(handle: Handler) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        response = await handle(Request(scope, receive, send))
        await response(scope, receive, send)

    return app


def refuse_unknown_parameters(query: bytes, allowed: Sequence[str]) -> None:
    """A misspelt filter must not quietly select everything."""
    names = {name for name, _ in parse_qsl(query.decode("latin-1"), keep_blank_values=True)}
    unknown = sorted(names.difference(allowed))
    if unknown:
        takes = f"it takes {', '.join(allowed)}" if allowed else "it takes none"
        raise BadCall("unknown_parameter", f"{unknown[0]!r}: {takes}", allowed=[*allowed])


def _write_handler(route: APIRoute) -> Handler:
    endpoint = route.endpoint
    hints = get_type_hints(endpoint, include_extras=True)
    path = {name: TypeAdapter(hints[name]) for name in route.param_convertors}
    body = TypeAdapter(hints["body"]) if "body" in hints else None
    parameters = signature(endpoint).parameters
    optional = parameters.get("body", _NOTHING).default is None
    queried = {one.alias: one.name for one in route.dependant.query_params}
    query = {alias: TypeAdapter(hints[name]) for alias, name in queried.items()}

    async def handle(request: Request) -> Response:
        write = Write(request, await _read_body(request))
        given = write.scope["path_params"]
        arguments = {name: _value("path", name, given[name], one) for name, one in path.items()}
        if write.scope["query_string"]:
            for alias, value in parse_qsl(write.scope["query_string"].decode("latin-1")):
                arguments[queried[alias]] = _value("query", alias, value, query[alias])
        if body is not None and (write.body_bytes or not optional):
            arguments["body"] = _parsed(write, body)
        response: Response = await endpoint(write, **arguments)
        return response

    return handle


_NOTHING = Parameter("body", Parameter.KEYWORD_ONLY)


async def _read_body(request: Request) -> bytes:
    """The whole body, or a refusal as soon as it is known to be too large."""
    parts: list[bytes] = []
    size, more = 0, True
    while more:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        part = message.get("body", b"")
        size += len(part)
        if size > LARGEST_BODY_BYTES:
            raise BadCall("body_too_large", f"a body has at most {LARGEST_BODY_BYTES} bytes")
        parts.append(part)
        more = message.get("more_body", False)
    return b"".join(parts)


def _value(place: str, name: str, given: str, adapter: TypeAdapter[Any]) -> Any:
    try:
        return adapter.validate_python(given)
    except ValidationError as wrong:
        errors = wrong.errors(include_url=False, include_context=False, include_input=False)
        for error in errors:
            error["loc"] = (place, name)
        detail = f"{name}: {sentence_of(errors[0])}"
        raise BadCall("invalid_parameter", detail, errors=faults_of(errors)) from wrong


def _parsed(write: Write, adapter: TypeAdapter[Any]) -> Any:
    """The body as the handler wants it. Bytes go to the validator without a detour over dicts."""
    media_type = write.first_headers.get(b"content-type", b"application/json")
    if media_type != b"application/json":
        _require_json(media_type)
    try:
        return adapter.validate_json(write.body_bytes)
    except ValidationError as wrong:
        errors = wrong.errors(include_url=False, include_context=False, include_input=False)
        if errors[0]["type"] == "json_invalid":
            raise BadCall("malformed_json", errors[0]["msg"]) from wrong
        where = ".".join(str(part) for part in errors[0]["loc"])
        detail = f"{where}: {sentence_of(errors[0])}" if where else sentence_of(errors[0])
        raise BadCall("invalid_body", detail, errors=faults_of(errors)) from wrong


def _require_json(media_type: bytes) -> None:
    if media_type.split(b";")[0].strip().lower() != b"application/json":
        raise BadCall("unsupported_media_type", "send the body as application/json")
