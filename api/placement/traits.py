"""Traits: the catalog of them, and those of one provider."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from api.placement.call import NOTHING, Answer, Call, json_answer
from api.placement.faults import CONCURRENT_UPDATE, Fault
from api.placement.resource_providers import existing
from api.placement.routes import Route, Routes
from api.placement.schemas import (
    CUSTOM_PATTERN,
    INTEGER,
    TEXT,
    Schema,
    a_record,
    check_query,
)
from domain import cloud
from domain.books import Books
from domain.catalog import Trait
from domain.provider import Provider
from projections import catalog

LONGEST_NAME = 255
EVERYTHING = 1_000_000
LIST = Schema(a_record((), name=TEXT, associated=TEXT))
REPLACE = Schema(
    a_record(
        ("traits", "resource_provider_generation"),
        traits={
            "type": "array",
            "items": {"type": "string", "minLength": 1, "maxLength": LONGEST_NAME},
        },
        resource_provider_generation=INTEGER,
    )
)


def in_order(traits: Iterable[str]) -> list[str]:
    """Standard ones first."""
    return sorted(traits, key=lambda name: (name.startswith("CUSTOM_"), name))


# --- The catalog ----------------------------------------------------------------------------------


async def list_traits(call: Call) -> Answer:
    check_query(call, LIST)
    name, associated = call.last("name"), call.last("associated")
    names = await _names(call)
    if name is not None:
        names = _named(names, name)
    if associated is not None:
        if associated.lower() not in ("true", "false"):
            detail = 'The query parameter "associated" only accepts "true" or "false"'
            raise Fault(400, detail)
        wanted = associated.lower() == "true"
        names = await call.ask(
            lambda books: [one for one in names if books.search.uses_trait(one) == wanted]
        )
    return json_answer({"traits": names}, is_dated=True)


async def _names(call: Call) -> list[str]:
    rows = await call.house.query(
        lambda connection: catalog.read_traits(connection, limit=EVERYTHING), "catalog"
    )
    return [row.name for row in rows]


def _named(names: list[str], condition: str) -> list[str]:
    kind, colon, value = condition.partition(":")
    if not colon:
        raise Fault(
            400,
            "Badly formatted name parameter. Expected name query string parameter in form: "
            f'?name=[in|startswith]:[name1,name2|prefix]. Got: "{condition}"',
        )
    if kind == "in":
        wanted = set(value.split(","))
        return [name for name in names if name in wanted]
    return [name for name in names if kind != "startswith" or name.startswith(value)]


async def show_trait(call: Call) -> Answer:
    def question(books: Books) -> Answer:
        trait = _known(books, call.arguments["name"])
        return Answer(204, b"", is_dated=True, changed_at=trait.at)

    return await call.ask(question)


async def define_trait(call: Call) -> Answer:
    name = call.arguments["name"]
    if len(name) > LONGEST_NAME or not re.fullmatch(CUSTOM_PATTERN, name):
        raise Fault(
            400,
            "The trait is invalid. A valid trait must be no longer than 255 characters, start "
            'with the prefix "CUSTOM_" and use following characters: "A"-"Z", "0"-"9" and "_"',
        )

    def decide(books: Books, at: datetime) -> tuple[Trait, Answer]:
        is_new = not books.get(Trait, name).known
        trait = cloud.define_trait(books, at, name)
        status = 201 if is_new else 204
        location = f"/traits/{name}"
        return trait, Answer(status, b"", location=location, is_dated=True, changed_at=trait.at)

    return await call.record(decide, (f"trait:{name}",))


async def remove_trait(call: Call) -> Answer:
    name = call.arguments["name"]

    def decide(books: Books, at: datetime) -> tuple[Trait, Answer]:
        trait = _known(books, name)
        if trait.standard:
            raise Fault(400, f"Cannot delete standard trait {name}.")
        if books.search.uses_trait(name):
            raise Fault(409, f"The trait {name} is in use by a resource provider.")
        return cloud.remove_trait(books, at, name), NOTHING

    return await call.record(decide)


def _known(books: Books, name: str) -> Trait:
    trait = books.get(Trait, name)
    if not trait.known:
        raise Fault(404, f"No such trait(s): {name}.")
    return trait


# --- Those of one provider ------------------------------------------------------------------------


def _told(provider: Provider) -> Answer:
    body: dict[str, Any] = {
        "traits": in_order(provider.traits),
        "resource_provider_generation": provider.generation,
    }
    return json_answer(body, is_dated=True, changed_at=provider.at if provider.traits else None)


async def list_provider_traits(call: Call) -> Answer:
    return await call.ask(
        lambda books: _told(existing(books, call.arguments["uuid"], ": No such provider."))
    )


async def replace_provider_traits(call: Call) -> Answer:
    def decide(books: Books, at: datetime) -> tuple[Provider, Answer]:
        body = REPLACE.read(call.body)
        provider = existing(books, call.arguments["uuid"])
        if body["resource_provider_generation"] != provider.generation:
            detail = "Resource provider's generation already changed. Please update the generation"
            raise Fault(409, f"{detail} and try again.", CONCURRENT_UPDATE)
        traits = frozenset(body["traits"])
        if unknown := sorted(name for name in traits if not books.get(Trait, name).known):
            raise Fault(400, f"No such trait {', '.join(unknown)}")
        cloud.change_traits(books, at, provider.id, traits)
        return provider, _told(provider)

    return await call.record(decide)


async def delete_provider_traits(call: Call) -> Answer:
    def decide(books: Books, at: datetime) -> tuple[Provider, Answer]:
        provider = existing(books, call.arguments["uuid"])
        return cloud.change_traits(books, at, provider.id, frozenset()), NOTHING

    return await call.record(decide)


_RULE = "placement:traits:"
_PROVIDER_RULE = "placement:resource_providers:traits:"
ROUTES: Routes = {
    "/traits": {"GET": Route(list_traits, f"{_RULE}list", since=6, shows_json=True)},
    "/traits/{name}": {
        "GET": Route(show_trait, f"{_RULE}show", since=6),
        "PUT": Route(define_trait, f"{_RULE}update", since=6),
        "DELETE": Route(remove_trait, f"{_RULE}delete", since=6),
    },
    "/resource_providers/{uuid}/traits": {
        "GET": Route(list_provider_traits, f"{_PROVIDER_RULE}list", since=6, shows_json=True),
        "PUT": Route(replace_provider_traits, f"{_PROVIDER_RULE}update", since=6, reads_json=True),
        "DELETE": Route(delete_provider_traits, f"{_PROVIDER_RULE}delete", since=6),
    },
}
