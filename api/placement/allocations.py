"""Allocations: what consumers hold, of one or of many, and of one provider."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from api.placement.allocation_bodies import (
    SINCE_GENERATIONS,
    SINCE_TYPES,
    assignment_of,
    schema_of_many,
    schema_of_one,
)
from api.placement.call import NOTHING, Answer, Call, json_answer
from api.placement.faults import CONCURRENT_UPDATE, Fault
from api.placement.routes import Route, Routes
from api.placement.schemas import dashed, is_uuid
from domain import fit, ledger
from domain.aggregate import Aggregate
from domain.assigning import Assignment, assign
from domain.books import Books
from domain.catalog import ResourceClass
from domain.claim import Claim
from domain.provider import Provider
from domain.request import Request

SINCE_OWNERS_SHOWN = 12
MISFITS = {
    fit.NO_INVENTORY: "invalid",
    fit.AMOUNT_NOT_ALLOWED: "refused. The requested amount would violate inventory constraints",
    fit.SHORT_OF_CAPACITY: "refused. The requested amount would exceed the capacity",
    fit.TOO_FEW_FREE_UNITS: "refused. The requested amount would exceed the capacity",
}

# --- Reads ----------------------------------------------------------------------------------------


async def show_allocations(call: Call) -> Answer:
    return await call.ask(lambda books: _told(call, books, call.arguments["consumer_uuid"]))


def _told(call: Call, books: Books, consumer_id: str) -> Answer:
    claim = books.get(Claim, consumer_id)
    told: dict[str, Any] = {
        "allocations": {
            provider_id: {
                "resources": share.resources,
                "generation": books.get(Provider, provider_id).generation,
            }
            for provider_id, share in claim.shares.items()
        }
    }
    if claim.shares and call.minor >= SINCE_OWNERS_SHOWN:
        told["project_id"], told["user_id"] = claim.project_id, claim.user_id
        if call.minor >= SINCE_GENERATIONS:
            told["consumer_generation"] = claim.generation
        if call.minor >= SINCE_TYPES:
            told["consumer_type"] = claim.consumer_type
    return json_answer(told, is_dated=True, changed_at=claim.at if claim.shares else None)


async def list_provider_allocations(call: Call) -> Answer:
    def question(books: Books) -> Answer:
        provider = books.get(Provider, call.arguments["uuid"])
        if not provider.exists:
            raise Fault(404, f"Resource provider '{provider.id}' not found: no such provider.")
        told: dict[str, dict[str, Any]] = {
            consumer_id: {"resources": holding.share.resources}
            for consumer_id, holding in provider.holdings.items()
        }
        if call.minor >= SINCE_GENERATIONS:
            for consumer_id, one in told.items():
                one["consumer_generation"] = books.get(Claim, consumer_id).generation
        body = {"allocations": told, "resource_provider_generation": provider.generation}
        return json_answer(body, is_dated=True, changed_at=provider.at if told else None)

    return await call.ask(question)


# --- Writes ---------------------------------------------------------------------------------------


async def replace_allocations(call: Call) -> Answer:
    consumer_id = call.arguments["consumer_uuid"]
    if not is_uuid(consumer_id):
        raise Fault(400, f"Malformed consumer_uuid: {consumer_id}")
    body = schema_of_one(call.minor).read(call.body)
    return await _assign(call, [assignment_of(dashed(consumer_id), body, call.minor)])


async def replace_many_allocations(call: Call) -> Answer:
    body = schema_of_many(call.minor).read(call.body)
    return await _assign(
        call, [assignment_of(id.lower(), one, call.minor) for id, one in body.items()]
    )


async def _assign(call: Call, assignments: Sequence[Assignment]) -> Answer:
    def decide(books: Books, at: datetime) -> tuple[Aggregate, Answer]:
        require_assignable(books, assignments)
        outcome = assign(books, at, assignments)
        return outcome, answer_of(outcome)

    return await call.record(decide, claims_of(assignments), makes=requests_of(assignments))


def claims_of(assignments: Sequence[Assignment]) -> list[str]:
    """The streams that these will touch."""
    return [f"claim:{one.consumer_id}" for one in assignments]


def requests_of(assignments: Sequence[Assignment]) -> list[str]:
    """The streams that these will make."""
    return [f"request:{one.request_id}" for one in assignments if one.amounts]


def answer_of(outcome: Aggregate) -> Answer:
    """A refusal is kept, and told as a conflict."""
    if not isinstance(outcome, Request):
        return NOTHING
    reason = outcome.reasons[0]
    what = f"Inventory for '{reason.resource_class}' on a provider {MISFITS[reason.code]}"
    detail = f"Unable to allocate inventory: {what}. {reason.detail}"
    return Answer(409, b"", fault=Fault(409, detail))


def require_assignable(books: Books, assignments: Sequence[Assignment]) -> None:
    """In Placement's words, what `assign` would say, too."""
    for one in assignments:
        found = books.get(Claim, one.consumer_id).generation or None
        if one.generation not in ("any", found):
            expected = "null" if found is None else found
            detail = f"consumer generation conflict - expected {expected} but got {one.generation}"
            raise Fault(409, detail, CONCURRENT_UPDATE)
    for one in assignments:
        for provider_id in one.amounts:
            if not books.get(Provider, provider_id).exists:
                detail = f"Allocation for resource provider '{provider_id}' that does not exist."
                raise Fault(400, detail)
    for one in assignments:
        for resources in one.amounts.values():
            for name in resources:
                if not books.get(ResourceClass, name).known:
                    detail = f"Unable to allocate inventory for consumer {one.consumer_id}: "
                    raise Fault(400, f"{detail}No such resource class {name}.")


async def delete_allocations(call: Call) -> Answer:
    consumer_id = call.arguments["consumer_uuid"]

    def decide(books: Books, at: datetime) -> tuple[Claim, Answer]:
        if books.get(Claim, consumer_id).is_free:
            raise Fault(404, f"No allocations for consumer '{consumer_id}'")
        return ledger.release_claim(books, at, consumer_id), NOTHING

    return await call.record(decide, (f"claim:{consumer_id}",))


_RULE = "placement:allocations:"
ROUTES: Routes = {
    "/allocations": {
        "POST": Route(replace_many_allocations, f"{_RULE}manage", since=13, reads_json=True)
    },
    "/allocations/{consumer_uuid}": {
        "GET": Route(show_allocations, f"{_RULE}list", shows_json=True),
        "PUT": Route(replace_allocations, f"{_RULE}update", reads_json=True),
        "DELETE": Route(delete_allocations, f"{_RULE}delete"),
    },
    "/resource_providers/{uuid}/allocations": {
        "GET": Route(
            list_provider_allocations,
            "placement:resource_providers:allocations:list",
            shows_json=True,
        )
    },
}
