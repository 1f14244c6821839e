"""The shape of an event's stored state, as a JSON schema that says nothing but the shape."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, Literal

from domain.events import Event

Schema = dict[str, Any]

WORDS = {"title", "description", "$defs"}
COLUMNS = ("originator_id", "originator_version")


def shape(kind: type[Event], mode: Literal["validation", "serialization"] = "validation") -> Schema:
    """What is read (or, for serialization, written) as the state of such an event.

    Names of nested classes are not stored, so a reference is replaced by what it names.
    """
    schema = kind.model_json_schema(mode=mode)
    plain: Schema = _plain(schema, schema.get("$defs", {}))
    for column in COLUMNS:
        plain["properties"].pop(column, None)
    plain["required"] = [name for name in plain["required"] if name not in COLUMNS]
    return plain


def _plain(node: Any, named: Schema) -> Any:
    if isinstance(node, list):
        return [_plain(one, named) for one in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        beside = {key: value for key, value in node.items() if key != "$ref"}
        return _plain(named[node["$ref"].rpartition("/")[2]] | beside, named)
    return {key: _plain_part(key, value, named) for key, value in node.items() if key not in WORDS}


def _plain_part(key: str, value: Any, named: Schema) -> Any:
    if key == "properties":  # A field may well be named `title`.
        return {name: _plain(field, named) for name, field in value.items()}
    if key == "discriminator":
        return value["propertyName"]
    return value if key in {"default", "const", "enum"} else _plain(value, named)


def differences(was: Any, now: Any, at: str = "") -> Iterator[str]:
    """Where two shapes differ, a line each."""
    if isinstance(was, dict) and isinstance(now, dict):
        for key in sorted(was.keys() | now.keys()):
            below = f"{at}.{key}" if at else key
            if key not in now:
                yield f"{below}: was {json.dumps(was[key])}, is gone"
            elif key not in was:
                yield f"{below}: is new, {json.dumps(now[key])}"
            else:
                yield from differences(was[key], now[key], below)
    elif was != now:
        yield f"{at}: was {json.dumps(was)}, is {json.dumps(now)}"


def unreached(schema: Schema, values: list[Any], at: str = "state") -> Iterator[str]:
    """The optional parts and alternatives of a shape that none of the values has."""
    for label, inner, parts in _steps(schema):
        within = [part for value in values for part in parts(value)]
        if within:
            yield from unreached(inner, within, at + label)
        else:
            yield at + label


Step = tuple[str, Schema, Callable[[Any], Iterable[Any]]]


def _steps(schema: Schema) -> Iterator[Step]:
    """Each way further into a shape, and how to go it in a value."""
    for name, inner in schema.get("properties", {}).items():
        yield f".{name}", inner, partial(_field, name)
    maps = [*schema.get("patternProperties", {}).values(), schema.get("additionalProperties")]
    for inner in maps:
        if isinstance(inner, dict):
            yield ".*", inner, lambda value: value.values()
    if "items" in schema:
        yield "[]", schema["items"], lambda value: value
    for place, inner in enumerate(schema.get("prefixItems", ())):
        yield f"[{place}]", inner, partial(_item, place)
    for inner in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
        label = "|".join([inner.get("type", "any"), *map(str, _constants(inner).values())])
        yield f"<{label}>", inner, partial(_fitting, inner)


def _field(name: str, value: Any) -> list[Any]:
    return [value[name]] if name in value else []


def _item(place: int, value: Any) -> list[Any]:
    return list(value[place : place + 1])


def _fitting(alternative: Schema, value: Any) -> list[Any]:
    return [value] if _fits(alternative, value) else []


TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
    "array": (list,),
    "object": (dict,),
}


def _fits(schema: Schema, value: Any) -> bool:
    """Whether a value is of this alternative, by its type and the fields that tell kinds apart."""
    name = schema.get("type")
    if name is None:
        return True
    of_type = isinstance(value, TYPES[name]) and (name == "boolean" or not isinstance(value, bool))
    return of_type and all(
        value.get(field) == constant for field, constant in _constants(schema).items()
    )


def _constants(schema: Schema) -> dict[str, Any]:
    fields = schema.get("properties", {}).items()
    return {name: field["const"] for name, field in fields if "const" in field}
