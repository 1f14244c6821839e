"""What the OpenAPI document says about every route: its answers, headers and error codes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from api.problems import PROBLEM_JSON, PROBLEMS, Problem
from api.writes import LedgerRoute

ANY = (
    "invalid_parameter",
    "unknown_parameter",
    "no_such_route",
    "method_not_allowed",
    "unavailable",
    "internal_error",
)
PAGED = ("bad_cursor",)
TIMED = ("bad_time", "at_in_future")
WRITTEN = (
    *ANY,
    *TIMED,
    "bad_idempotency_key",
    "idempotency_key_reused",
    "body_too_large",
    "client_time_refused",
    "time_runs_backwards",
    "busy",
)
EMBODIED = ("malformed_json", "unsupported_media_type", "invalid_body")
CONDITIONAL = ("bad_if_match", "stale_version")

DESCRIPTION = """
A ledger of claims on resources. Everything that happens is an immutable event: what providers
have, what consumers ask for, what they are granted, and what they give back.

| word | meaning |
|---|---|
| resource provider | something that has inventory: a host, a NUMA cell, a GPU, a storage pool, a bare-metal machine; providers form trees |
| resource class | what is counted: `VCPU`, `MEMORY_MB`, `CUSTOM_…` |
| inventory | how much of one class a provider has: an amount (*divisible*), or named *units* with attributes (*discrete*) |
| trait | a qualitative fact about a provider: `HW_CPU_X86_AVX2`, `CUSTOM_SSD` |
| group | a name that providers share: a rack, a zone, the hosts around a storage pool |
| flavor | a named, versioned component of a request |
| request | what a consumer asked for, stored whole before it is tried; a refusal is kept with its reasons |
| claim | what a consumer was granted and holds; it consists of allocations |
| capacity, usage, available | (total - reserved) × allocation_ratio; what is held; the rest |
| utilization, stranded | usage / capacity; what is free but cannot be sold, as another class has run out |

**Writes** take an `Idempotency-Key` (the same key and body: the same answer, also after a crash) and
answer with `Tallystick-Position`, the log's position. **Reads** see every write that was
acknowledged before them; many take `at`, a moment of the past. **Versions** travel as `ETag` and
`If-Match`. **Lists** come in pages. **Errors** are `application/problem+json` with a stable `code`.
"""  # noqa: E501 - a table's row is one line.

TAGS = [
    {"name": "requests", "description": "What consumers ask for, and what became of it."},
    {"name": "gangs", "description": "Several consumers, placed together or not at all."},
    {"name": "candidates", "description": "Where a wish could go."},
    {"name": "claims", "description": "What consumers hold."},
    {"name": "providers", "description": "Who has something to give."},
    {"name": "inventories", "description": "How much of each class a provider has."},
    {"name": "traits", "description": "Qualitative facts: the catalog, and each provider's."},
    {"name": "resource classes", "description": "What is counted."},
    {"name": "flavors", "description": "Named, versioned components of requests."},
    {"name": "price books", "description": "Dated prices, each publication kept."},
    {"name": "statements", "description": "What a project has to pay for a period."},
    {"name": "costs", "description": "What projects have to pay, over time."},
    {"name": "usage", "description": "How much was held, and for how long, over time."},
    {"name": "utilization", "description": "How full providers are, and what they cannot sell."},
    {"name": "stranding", "description": "What is free and nobody could use of late."},
    {"name": "capacity", "description": "What is there, in use and available, now or then."},
    {"name": "history", "description": "Every event, as people read it or raw."},
    {"name": "events", "description": "The log as a feed, for others to follow."},
    {"name": "projections", "description": "The read models, and building them anew."},
    {"name": "proofs", "description": "Proofs that the log is what it was."},
    {"name": "webhooks", "description": "Where events are pushed to. Settings, not events."},
    {"name": "health", "description": "How the service is."},
]

_KEY_HEADER = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Repeat the call under the same key until it is answered: it counts once.",
    "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
}
_AT_HEADER = {
    "name": "Tallystick-At",
    "in": "header",
    "required": False,
    "description": "When it happened, where that is not now: never before the newest event of a "
    "stream that the call touches.",
    "schema": {"type": "string", "format": "date-time"},
}
_IF_MATCH_HEADER = {
    "name": "If-Match",
    "in": "header",
    "required": False,
    "description": 'Only if this is still its version: `"7"`, several, or `*`.',
    "schema": {"type": "string"},
    "example": '"7"',
}
_IF_NONE_MATCH_HEADER = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": 'Answer 304 if this is still its version: `"7"`.',
    "schema": {"type": "string"},
    "example": '"7"',
}
_ANSWER_HEADERS = {
    "ETag": {"description": "Its version.", "schema": {"type": "string"}},
    "Tallystick-Position": {
        "description": "The log's position: every read from now on shows the write.",
        "schema": {"type": "string", "pattern": "^[0-9]+$"},
    },
}
_LOCATION_HEADER = {"description": "Where to read it.", "schema": {"type": "string"}}


def noun(tag: str) -> APIRouter:
    """The routes of one noun. An operation's id is its handler's name."""
    return APIRouter(route_class=LedgerRoute, tags=[tag], generate_unique_id_function=_own_name)


def _own_name(route: APIRoute) -> str:
    return route.name


def writes(
    *codes: str,
    status: int = 200,
    also: int | None = None,
    body: bool = True,
    conditional: bool = False,
) -> dict[str, Any]:
    """What a writing route says of itself, besides its model: give it to the decorator.

    `also` is the other status of a PUT that creates or replaces.
    """
    every = (*WRITTEN, *codes, *(EMBODIED if body else ()), *(CONDITIONAL if conditional else ()))
    headers = [_KEY_HEADER, _AT_HEADER, *([_IF_MATCH_HEADER] if conditional else [])]
    answers: dict[int | str, dict[str, Any]] = problems(*every)
    for success in filter(None, (status, also)):
        located = {"Location": _LOCATION_HEADER} if success == 201 else {}
        answers[success] = {"headers": {**_ANSWER_HEADERS, **located}}
    return {
        "status_code": status,
        "responses": answers,
        "openapi_extra": {"parameters": headers},
    }


def settles(
    *codes: str, status: int = 200, also: int | None = None, body: bool = False
) -> dict[str, Any]:
    """What a route says that changes an operator's setting: no event comes of it, so it has no
    time, position or version, and needs no key, as repeating it changes nothing."""
    answers = problems(*ANY, "body_too_large", *codes, *(EMBODIED if body else ()))
    if also == 201:
        answers[also] = {"headers": {"Location": _LOCATION_HEADER}}
    return {"status_code": status, "responses": answers}


def reads(
    *codes: str, timed: bool = False, paged: bool = False, tagged: bool = False
) -> dict[str, Any]:
    """What a reading route says of itself. `tagged`: its answer carries its version as ETag."""
    every = (*ANY, *codes, *(TIMED if timed else ()), *(PAGED if paged else ()))
    if not tagged:
        return {"responses": problems(*every)}
    answers = problems(*every, "bad_if_match")
    answers[200] = {"headers": {"ETag": _ANSWER_HEADERS["ETag"]}}
    answers[304] = {"description": "The version that you have is the newest."}
    return {"responses": answers, "openapi_extra": {"parameters": [_IF_NONE_MATCH_HEADER]}}


def problems(*codes: str) -> dict[int | str, dict[str, Any]]:
    """The answers for these codes, by status."""
    by_status: dict[int, list[str]] = {}
    for code in sorted(set(codes)):
        by_status.setdefault(PROBLEMS[code][0], []).append(code)
    return {status: _problem_answer(status, those) for status, those in sorted(by_status.items())}


def _problem_answer(status: int, codes: Sequence[str]) -> dict[str, Any]:
    told = "; ".join(f"`{code}`: {PROBLEMS[code][1]}" for code in codes)
    schema = {
        "allOf": [
            {"$ref": "#/components/schemas/Problem"},
            {"properties": {"code": {"enum": list(codes)}, "status": {"const": status}}},
        ]
    }
    answer: dict[str, Any] = {"description": told, "content": {PROBLEM_JSON: {"schema": schema}}}
    if status == 503:
        seconds = {"description": "Seconds.", "schema": {"type": "string", "pattern": "^[0-9]+$"}}
        answer["headers"] = {"Retry-After": seconds}
    return answer


def install_openapi(app: FastAPI) -> None:
    """Let the document also tell the form of a problem, and every code that there is."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = get_openapi(
                title=app.title,
                version=app.version,
                summary=app.summary,
                description=app.description,
                routes=app.routes,
                tags=app.openapi_tags,
            )
            schemas = app.openapi_schema.setdefault("components", {}).setdefault("schemas", {})
            schemas["Problem"] = _problem_schema()
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]


def _problem_schema() -> dict[str, Any]:
    schema = Problem.model_json_schema()
    schema["properties"]["code"] = {
        "type": "string",
        "title": "Code",
        "enum": sorted(PROBLEMS),
        "description": "\n".join(
            f"- `{code}` ({status}): {title}" for code, (status, title) in sorted(PROBLEMS.items())
        ),
    }
    return schema
