"""JSON as text, for columns and parameters; by pydantic's compiled code, as the log's own."""

from __future__ import annotations

from functools import cache
from typing import Any

from pydantic import TypeAdapter


def to_text(value: Any) -> str:
    return _anything().dump_json(value).decode()


def from_text(text: str) -> Any:
    return _anything().validate_json(text)


@cache
def _anything() -> TypeAdapter[Any]:
    return TypeAdapter(Any)
