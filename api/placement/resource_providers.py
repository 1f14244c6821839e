"""Resource providers: create, list, show, rename, put under another parent, delete."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

from api.placement.call import NOTHING, Answer, Call
from api.placement.faults import CANNOT_DELETE_PARENT, DUPLICATE_NAME, PROVIDER_IN_USE, Fault
from api.placement.provider_json import SINCE_TREES, provider_json, providers_json
from api.placement.provider_query import BY_NAME, found, hurdle_in, of_name, read_filter
from api.placement.routes import Route, Routes
from api.placement.schemas import UUID_TEXT, Schema, a_record, dashed
from domain import cloud
from domain.books import Books
from domain.catalog import NameReservation
from domain.provider import Provider
from projections.provider_lines import ProviderLine, provider_lines

SINCE_SHOWN_WHEN_MADE = 20
SINCE_MOVES = 37
TOLD_AT_ONCE = 1_000
"""Others are answered between so many providers of a long list and the next."""

CONTROL = re.compile(r"[\x00-\x1f\x7f]")
NAME = {"type": "string", "maxLength": 200}
PARENT = {"anyOf": [UUID_TEXT, {"type": "null"}]}
CREATE = Schema(a_record(("name",), name=NAME, uuid=UUID_TEXT))
CREATE_IN_TREE = Schema(a_record(("name",), name=NAME, uuid=UUID_TEXT, parent_provider_uuid=PARENT))
UPDATE = Schema(a_record(("name",), name=NAME))
UPDATE_IN_TREE = Schema(a_record(("name",), name=NAME, parent_provider_uuid=PARENT))

# --- How a provider is told -----------------------------------------------------------------------


def existing(books: Books, provider_id: str, found: str = "") -> Provider:
    """Raises a Fault (404)."""
    provider = books.get(Provider, provider_id)
    if not provider.exists:
        detail = f"No resource provider with uuid {provider_id} found{found}"
        raise Fault(404, detail, leaves_handler=not found)
    return provider


def _shown(call: Call, books: Books, provider: Provider, **more: Any) -> Answer:
    line = ProviderLine(
        provider.id,
        provider.name,
        provider.generation,
        provider.parent_id,
        books.search.root_of(provider.id),
    )
    told = provider_json(call, line)
    return Answer(200, told, is_dated=True, changed_at=provider.at, **more)


# --- Reads ----------------------------------------------------------------------------------------


async def show_provider(call: Call) -> Answer:
    return await call.ask(
        lambda books: _shown(call, books, existing(books, call.arguments["uuid"]))
    )


async def list_providers(call: Call) -> Answer:
    wanted, hurdle = read_filter(call), None
    if not BY_NAME.isdisjoint(key for key, _ in call.query):
        name, given = call.last("name"), wanted
        wanted, hurdle = await call.ask(
            lambda books: (of_name(books, given, name), hurdle_in(books, given))
        )
    lines = await call.house.live(lambda view: provider_lines(view, found(view, wanted, hurdle)))
    first, *rest = await all_shown(call, lines)
    return Answer(200, first, rest=rest, is_dated=True)


async def all_shown(call: Call, lines: Sequence[ProviderLine]) -> list[bytes]:
    """In pieces."""
    told = [b'{"resource_providers":[']
    for start in range(0, len(lines), TOLD_AT_ONCE):
        if start:
            await asyncio.sleep(0)
            told.append(b",")
        told.append(providers_json(call, lines[start : start + TOLD_AT_ONCE]))
    return [*told, b"]}"]


# --- Writes ---------------------------------------------------------------------------------------


async def create_provider(call: Call) -> Answer:
    body = (CREATE_IN_TREE if call.minor >= SINCE_TREES else CREATE).read(call.body)
    provider_id = dashed(body["uuid"]) if body.get("uuid") else str(uuid4())
    name = body["name"]
    parent_id = body.get("parent_provider_uuid")
    complaint = f'Unable to create resource provider "{name}", {provider_id}: '
    _require_name(name, complaint)

    def decide(books: Books, at: datetime) -> tuple[Provider, Answer]:
        if parent_id == provider_id:
            raise Fault(400, f"{complaint}parent provider UUID cannot be same as UUID.")
        _require_parent(books, parent_id, complaint)
        _require_new(books, provider_id, name)
        provider = cloud.register_provider(
            books,
            at,
            provider_id=provider_id,
            name=name,
            parent_id=parent_id,
            traits=frozenset(),
            inventories={},
        )
        location = f"/resource_providers/{provider_id}"
        if call.minor < SINCE_SHOWN_WHEN_MADE:
            return provider, Answer(201, b"", location=location)
        return provider, _shown(call, books, provider, location=location)

    return await call.record(decide, (f"provider_name:{name}",))


async def update_provider(call: Call) -> Answer:
    provider_id = call.arguments["uuid"]

    def decide(books: Books, at: datetime) -> tuple[Provider, Answer]:
        provider = existing(books, provider_id)
        body = (UPDATE_IN_TREE if call.minor >= SINCE_TREES else UPDATE).read(call.body)
        name, parent_id = body["name"], body.get("parent_provider_uuid")
        moves = "parent_provider_uuid" in body
        _require_name(name, f"Unable to save resource provider {provider_id}: ")
        if moves:
            _require_movable(books, provider, parent_id, call.minor)
        _require_free_name(books, provider, name)
        cloud.describe_provider(books, at, provider_id, name=name, parent_id=parent_id, move=moves)
        return provider, _shown(call, books, provider)

    return await call.record(decide)


async def delete_provider(call: Call) -> Answer:
    provider_id = call.arguments["uuid"]

    def decide(books: Books, at: datetime) -> tuple[Provider, Answer]:
        provider = existing(books, provider_id, " for delete")
        complaint = f"Unable to delete resource provider {provider_id}: "
        if books.search.children_of(provider_id):
            detail = f"Unable to delete parent resource provider {provider_id}: "
            raise Fault(409, f"{detail}It has child resource providers.", CANNOT_DELETE_PARENT)
        if provider.holdings:
            raise Fault(409, f"{complaint}Resource provider has allocations.", PROVIDER_IN_USE)
        return cloud.delete_provider(books, at, provider_id), NOTHING

    return await call.record(decide)


# --- Guards, in Placement's words -----------------------------------------------------------------


def _require_name(name: str, complaint: str) -> None:
    if not name:
        raise Fault(400, f"{complaint}name is required.")
    if CONTROL.search(name):
        raise Fault(400, f"{complaint}a name has no control characters.")


def _require_new(books: Books, provider_id: str, name: str) -> None:
    taken: Mapping[str, bool] = {
        f"uuid: {provider_id}": books.get(Provider, provider_id).exists,
        f"name: {name}": books.get(NameReservation, name).provider_id is not None,
    }
    if found := next((what for what, is_taken in taken.items() if is_taken), None):
        detail = f"Conflicting resource provider {found} already exists."
        raise Fault(409, detail, DUPLICATE_NAME)


def _require_free_name(books: Books, provider: Provider, name: str) -> None:
    holder = books.get(NameReservation, name).provider_id
    if holder not in (None, provider.id):
        detail = f"Conflicting resource provider {name} already exists."
        raise Fault(409, detail, DUPLICATE_NAME)


def _require_parent(books: Books, parent_id: str | None, complaint: str) -> None:
    if parent_id is not None and not books.get(Provider, parent_id).exists:
        raise Fault(400, f"{complaint}parent provider UUID does not exist.")


def _require_movable(books: Books, provider: Provider, parent_id: str | None, minor: int) -> None:
    complaint = f"Unable to save resource provider {provider.id}: "
    _require_parent(books, parent_id, complaint)
    if provider.parent_id not in (None, parent_id) and minor < SINCE_MOVES:
        verb = "un-parenting" if parent_id is None else "re-parenting"
        raise Fault(400, f"{complaint}{verb} a provider is not currently allowed.")
    ancestor = parent_id
    while ancestor is not None:
        if ancestor == provider.id:
            detail = "creating loop in the provider tree is not allowed."
            raise Fault(400, f"{complaint}{detail}")
        ancestor = books.get(Provider, ancestor).parent_id


_RULE = "placement:resource_providers:"
ROUTES: Routes = {
    "/resource_providers": {
        "GET": Route(list_providers, f"{_RULE}list", shows_json=True),
        "POST": Route(create_provider, f"{_RULE}create", reads_json=True),
    },
    "/resource_providers/{uuid}": {
        "GET": Route(show_provider, f"{_RULE}show", shows_json=True),
        "PUT": Route(update_provider, f"{_RULE}update", reads_json=True),
        "DELETE": Route(delete_provider, f"{_RULE}delete"),
    },
}
