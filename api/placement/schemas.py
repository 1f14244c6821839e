"""Checking bodies and queries: fast where they are right, and in Placement's words where not."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any
from uuid import UUID

import fastjsonschema
import jsonschema
from pydantic_core import from_json

from api.placement.call import Call
from api.placement.faults import Fault

LARGEST = 2**31 - 1
CLASS_PATTERN = "^[A-Z0-9_]+$"
CUSTOM_PATTERN = "^CUSTOM_[A-Z0-9_]+$"
TEXT: dict[str, Any] = {"type": "string"}
INTEGER: dict[str, Any] = {"type": "integer"}
UUID_TEXT: dict[str, Any] = {"type": "string", "format": "uuid"}
DASHED_UUID: dict[str, Any] = {**UUID_TEXT, "pattern": "^.{8}-.{4}-.{4}-.{4}-.{12}$"}
"""Queries have to have the dashes."""


def is_uuid(text: Any) -> bool:
    """As OpenStack reads them: with or without dashes, in either case."""
    if not isinstance(text, str):
        return False
    try:
        return str(UUID(text)).replace("-", "") == _bare(text)
    except ValueError:
        return False


def _bare(text: str) -> str:
    bare = text.replace("urn:", "").replace("uuid:", "").strip("{}")
    return bare.replace("-", "").lower()


def dashed(text: str) -> str:
    return str(UUID(text))


_FORMATS = jsonschema.FormatChecker()
_FORMATS.checks("uuid")(is_uuid)


class Schema:
    """A JSON schema, compiled when it is first used."""

    def __init__(self, rules: dict[str, Any]) -> None:
        self.rules = rules

    def read(self, body: bytes) -> Any:
        """The body, if it is right. Raises a Fault (400)."""
        try:
            value = from_json(body, allow_inf_nan=False)
        except ValueError as wrong:
            raise Fault(400, f"Malformed JSON: {wrong}") from None
        self.check(value, "JSON does not validate")
        return value

    def check(self, value: Any, complaint: str) -> None:
        try:
            self._verdict(value)
        except fastjsonschema.JsonSchemaValueException as wrong:
            validator = jsonschema.Draft7Validator(self.rules, format_checker=_FORMATS)
            # It lets a name end in a line break.
            found = jsonschema.exceptions.best_match(validator.iter_errors(value)) or wrong
            raise Fault(400, f"{complaint}: {found}") from None

    @cached_property
    def _verdict(self) -> Callable[[Any], Any]:
        made: Callable[[Any], Any] = fastjsonschema.compile(
            self.rules, formats={"uuid": is_uuid}, use_default=False
        )
        return made


def a_record(required: tuple[str, ...] = (), /, **properties: Any) -> dict[str, Any]:
    """An object with these properties and no others."""
    rules: dict[str, Any] = {
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
    }
    if required:
        rules["required"] = list(required)
    return rules


def check_query(call: Call, schema: Schema) -> None:
    schema.check(dict(call.query), "Invalid query string parameters")
