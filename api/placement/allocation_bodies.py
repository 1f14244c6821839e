"""What consumers are to hold, as clients write it: by microversion, and as the ledger's words."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Literal

from api.identities import new_id
from api.placement.schemas import CLASS_PATTERN, INTEGER, UUID_TEXT, Schema, a_record
from domain.assigning import Assignment

UUID_PATTERN = "^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$"
NOBODY = "00000000-0000-0000-0000-000000000000"
"""The project and the user of consumers whose clients name none, as before 1.8."""
SINCE_OWNERS = 8
SINCE_BY_PROVIDER = 12
SINCE_GENERATIONS = 28
SINCE_MAPPINGS = 34
SINCE_TYPES = 38

_OWNER = {"type": "string", "minLength": 1, "maxLength": 255}
_RESOURCES = {
    "type": "object",
    "minProperties": 1,
    "patternProperties": {CLASS_PATTERN: {"type": "integer", "minimum": 1}},
    "additionalProperties": False,
}
_LISTED = a_record(
    ("resource_provider", "resources"),
    resource_provider=a_record(("uuid",), uuid=UUID_TEXT),
    resources=_RESOURCES,
)
_MAPPINGS = {
    "type": "object",
    "minProperties": 1,
    "patternProperties": {
        "[a-zA-Z0-9_-]{1,64}": {"type": "array", "minItems": 1, "items": UUID_TEXT}
    },
}
_TYPE = {**_OWNER, "pattern": CLASS_PATTERN}


def _consumer(minor: int, *, may_be_empty: bool) -> dict[str, Any]:
    """What is said of one consumer, from 1.12 on."""
    given = a_record(("resources",), generation=INTEGER, resources=_RESOURCES)
    properties: dict[str, Any] = {
        "allocations": {
            "type": "object",
            "minProperties": 0 if may_be_empty else 1,
            "patternProperties": {UUID_PATTERN: given},
            "additionalProperties": False,
        },
        "project_id": _OWNER,
        "user_id": _OWNER,
    }
    required = ["allocations", "project_id", "user_id"]
    if minor >= SINCE_GENERATIONS:
        properties["consumer_generation"] = {"type": ["integer", "null"]}
        required.append("consumer_generation")
    if minor >= SINCE_MAPPINGS:
        properties["mappings"] = _MAPPINGS
    if minor >= SINCE_TYPES:
        properties["consumer_type"] = _TYPE
        required.append("consumer_type")
    return a_record(tuple(required), **properties)


@cache
def schema_of_one(minor: int) -> Schema:
    if minor >= SINCE_BY_PROVIDER:
        return Schema(_consumer(minor, may_be_empty=minor >= SINCE_GENERATIONS))
    listed = {"type": "array", "minItems": 1, "items": _LISTED}
    if minor < SINCE_OWNERS:
        return Schema(a_record(("allocations",), allocations=listed))
    return Schema(
        a_record(
            ("allocations", "project_id", "user_id"),
            allocations=listed,
            project_id=_OWNER,
            user_id=_OWNER,
        )
    )


def consumers_rules(minor: int, *, at_least: int) -> dict[str, Any]:
    return {
        "type": "object",
        "minProperties": at_least,
        "additionalProperties": False,
        "patternProperties": {UUID_PATTERN: _consumer(minor, may_be_empty=True)},
    }


@cache
def schema_of_many(minor: int) -> Schema:
    return Schema(consumers_rules(minor, at_least=1))


def assignment_of(consumer_id: str, body: Mapping[str, Any], minor: int) -> Assignment:
    allocations = body["allocations"]
    if isinstance(allocations, list):
        allocations = {one["resource_provider"]["uuid"]: one for one in allocations}
    generation: int | Literal["any"] | None = "any"
    if minor >= SINCE_GENERATIONS:
        generation = body["consumer_generation"]
    return Assignment(
        request_id=new_id(),
        consumer_id=consumer_id,
        project_id=body.get("project_id", NOBODY),
        user_id=body.get("user_id", NOBODY),
        amounts={provider_id.lower(): one["resources"] for provider_id, one in allocations.items()},
        consumer_type=body.get("consumer_type"),
        generation=generation,
    )
