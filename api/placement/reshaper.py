"""Reshaping: inventories and allocations of several providers and consumers, in one step."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any

from api.placement.allocation_bodies import (
    SINCE_GENERATIONS,
    SINCE_MAPPINGS,
    SINCE_TYPES,
    UUID_PATTERN,
    assignment_of,
    consumers_rules,
)
from api.placement.allocations import answer_of, claims_of, requests_of, require_assignable
from api.placement.call import Answer, Call
from api.placement.faults import CONCURRENT_UPDATE, PROVIDER_NOT_FOUND, Fault
from api.placement.inventory_bodies import (
    REPLACE,
    read_inventory,
    require_known_classes,
    with_units,
)
from api.placement.policies import RESHAPE
from api.placement.routes import Route, Routes
from api.placement.schemas import Schema, a_record
from domain.aggregate import Aggregate
from domain.books import Books
from domain.provider import Provider
from domain.reshaping import NewInventories, reshape


@cache
def _schema(minor: int) -> Schema:
    inventories = {
        "type": "object",
        "patternProperties": {UUID_PATTERN: REPLACE.rules},
        "minProperties": 1,
        "additionalProperties": False,
    }
    allocations = consumers_rules(minor, at_least=0)
    return Schema(
        a_record(("inventories", "allocations"), inventories=inventories, allocations=allocations)
    )


async def reshape_providers(call: Call) -> Answer:
    since = max(n for n in (SINCE_GENERATIONS, SINCE_MAPPINGS, SINCE_TYPES) if n <= call.minor)
    body = _schema(since).read(call.body)
    inventories = {id.lower(): one for id, one in body["inventories"].items()}
    assignments = [
        assignment_of(id.lower(), one, call.minor) for id, one in body["allocations"].items()
    ]

    def decide(books: Books, at: datetime) -> tuple[Aggregate, Answer]:
        for provider_id, one in inventories.items():
            _require_current(books, provider_id, one["resource_provider_generation"])
        require_assignable(books, assignments)
        providers = {
            provider_id: _new_inventories(books, provider_id, one, call.minor)
            for provider_id, one in inventories.items()
        }
        outcome = reshape(books, at, providers, assignments)
        return outcome, answer_of(outcome)

    return await call.record(decide, claims_of(assignments), makes=requests_of(assignments))


def _require_current(books: Books, provider_id: str, given: int) -> None:
    provider = books.get(Provider, provider_id)
    if not provider.exists:
        detail = f"Resource provider {provider_id} in inventories not found: "
        raise Fault(400, f"{detail}No resource provider with that uuid found", PROVIDER_NOT_FOUND)
    if given != provider.generation:
        raise Fault(
            409,
            f"resource provider generation conflict for provider {provider_id}: "
            f"actual: {provider.generation}, given: {given}",
            CONCURRENT_UPDATE,
        )


def _new_inventories(
    books: Books, provider_id: str, body: Mapping[str, Any], minor: int
) -> NewInventories:
    require_known_classes(books, body["inventories"], "malformed reshaper data: ")
    made = {
        name: read_inventory(provider_id, name, one, minor, "malformed reshaper data: ")
        for name, one in body["inventories"].items()
    }
    kept = with_units(books.get(Provider, provider_id), made, all_of_it=True)
    return NewInventories(body["resource_provider_generation"], kept)


ROUTES: Routes = {
    "/reshaper": {"POST": Route(reshape_providers, RESHAPE, since=30, reads_json=True)}
}
