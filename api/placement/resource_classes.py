"""The catalog of resource classes: standard ones, and custom ones."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic_core import to_json

from api.placement.call import NOTHING, Answer, Call, json_answer
from api.placement.faults import Fault
from api.placement.routes import Route, Routes
from api.placement.schemas import CUSTOM_PATTERN, Schema, a_record
from api.placement.traits import EVERYTHING
from domain import cloud
from domain.books import Books
from domain.catalog import ResourceClass
from projections import catalog

SINCE_DEFINED_BY_PUT = 7
NAMED = Schema(
    a_record(("name",), name={"type": "string", "pattern": CUSTOM_PATTERN, "maxLength": 255})
)


def _told(call: Call, name: str) -> dict[str, Any]:
    link = {"rel": "self", "href": f"{call.prefix}/resource_classes/{name}"}
    return {"name": name, "links": [link]}


def _known(books: Books, name: str) -> ResourceClass:
    entry = books.get(ResourceClass, name)
    if not entry.known:
        raise Fault(404, f"No such resource class {name}.", leaves_handler=True)
    return entry


# --- Reads ----------------------------------------------------------------------------------------


async def list_resource_classes(call: Call) -> Answer:
    rows = await call.house.query(
        lambda connection: catalog.read_resource_classes(connection, limit=EVERYTHING), "catalog"
    )
    told = [_told(call, row.name) for row in rows]
    return json_answer({"resource_classes": told}, is_dated=True)


async def show_resource_class(call: Call) -> Answer:
    def question(books: Books) -> Answer:
        entry = _known(books, call.arguments["name"])
        return json_answer(_told(call, entry.id), is_dated=True, changed_at=entry.at)

    return await call.ask(question)


# --- Writes ---------------------------------------------------------------------------------------


async def create_resource_class(call: Call) -> Answer:
    name = NAMED.read(call.body)["name"]

    def decide(books: Books, at: datetime) -> tuple[ResourceClass, Answer]:
        if books.get(ResourceClass, name).known:
            raise Fault(409, f"Conflicting resource class already exists: {name}")
        entry = cloud.define_resource_class(books, at, name)
        return entry, Answer(201, b"", location=f"/resource_classes/{name}")

    return await call.record(decide)


async def update_resource_class(call: Call) -> Answer:
    """Before 1.7 it renames the class; from then on it makes sure that there is one."""
    name = call.arguments["name"]
    if call.minor < SINCE_DEFINED_BY_PUT:
        return await _rename(call, name)
    NAMED.read(to_json({"name": name}))

    def decide(books: Books, at: datetime) -> tuple[ResourceClass, Answer]:
        status = 204 if books.get(ResourceClass, name).known else 201
        entry = cloud.define_resource_class(books, at, name)
        return entry, Answer(status, b"", location=f"/resource_classes/{name}")

    return await call.record(decide)


async def _rename(call: Call, name: str) -> Answer:
    """Events name classes, so one that is in use keeps its name."""
    if call.headers.get("content-type", "").split(";")[0] != "application/json":
        detail = f"The media type {call.headers.get('content-type')} is not supported, "
        raise Fault(415, f"{detail}use application/json")
    new = NAMED.read(call.body)["name"]

    def decide(books: Books, at: datetime) -> tuple[ResourceClass, Answer]:
        entry = _known(books, name)
        if entry.standard:
            raise Fault(400, f"Cannot update standard resource class {name}")
        if books.get(ResourceClass, new).known:
            raise Fault(409, f"Resource class already exists: {new}")
        _require_unused(books, name, "Error in update resource class: Cannot rename")
        books.get(ResourceClass, new).require_not_before(at)
        cloud.remove_resource_class(books, at, name)
        return cloud.define_resource_class(books, at, new), json_answer(_told(call, new))

    return await call.record(decide)


async def remove_resource_class(call: Call) -> Answer:
    name = call.arguments["name"]

    def decide(books: Books, at: datetime) -> tuple[ResourceClass, Answer]:
        entry = _known(books, name)
        complaint = "Error in delete resource class: Cannot delete"
        if entry.standard:
            raise Fault(400, f"{complaint} standard resource class {name}.")
        _require_unused(books, name, complaint)
        return cloud.remove_resource_class(books, at, name), NOTHING

    return await call.record(decide)


def _require_unused(books: Books, name: str, complaint: str) -> None:
    if books.search.uses_class(name):
        raise Fault(409, f"{complaint} resource class {name}. Class is in use in inventory.")


_RULE = "placement:resource_classes:"
ROUTES: Routes = {
    "/resource_classes": {
        "GET": Route(list_resource_classes, f"{_RULE}list", since=2, shows_json=True),
        "POST": Route(create_resource_class, f"{_RULE}create", since=2, reads_json=True),
    },
    "/resource_classes/{name}": {
        "GET": Route(show_resource_class, f"{_RULE}show", since=2, shows_json=True),
        "PUT": Route(update_resource_class, f"{_RULE}update", since=2),
        "DELETE": Route(remove_resource_class, f"{_RULE}delete", since=2),
    },
}
