"""The aggregates that a provider is in: the ledger's groups, as far as their names are UUIDs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from api.placement.call import Answer, Call, json_answer
from api.placement.faults import CONCURRENT_UPDATE, Fault
from api.placement.resource_providers import existing
from api.placement.routes import Route, Routes
from api.placement.schemas import INTEGER, UUID_TEXT, Schema, a_record, dashed, is_uuid
from domain import cloud
from domain.books import Books
from domain.provider import Provider

SINCE_GENERATIONS = 19
_LIST = {"type": "array", "items": UUID_TEXT, "uniqueItems": True}
REPLACE_PLAIN = Schema(_LIST)
REPLACE = Schema(
    a_record(
        ("aggregates", "resource_provider_generation"),
        aggregates=_LIST,
        resource_provider_generation=INTEGER,
    )
)


def aggregates_of(provider: Provider) -> list[str]:
    return sorted(name for name in provider.groups if is_uuid(name))


def _told(call: Call, provider: Provider, aggregates: Sequence[str] | None = None) -> Answer:
    """After a change, in the order in which the client named them."""
    told = aggregates_of(provider) if aggregates is None else aggregates
    body: dict[str, Any] = {"aggregates": told}
    if call.minor >= SINCE_GENERATIONS:
        body["resource_provider_generation"] = provider.generation
    return json_answer(body, is_dated=True)


async def list_aggregates(call: Call) -> Answer:
    return await call.ask(lambda books: _told(call, existing(books, call.arguments["uuid"])))


async def replace_aggregates(call: Call) -> Answer:
    """Groups with other names are not this API's, and stay."""
    counts = call.minor >= SINCE_GENERATIONS

    def decide(books: Books, at: datetime) -> tuple[Provider, Answer]:
        provider = existing(books, call.arguments["uuid"])
        body = (REPLACE if counts else REPLACE_PLAIN).read(call.body)
        if counts and body["resource_provider_generation"] != provider.generation:
            detail = "Resource provider's generation already changed. Please update the generation"
            raise Fault(409, f"{detail} and try again.", CONCURRENT_UPDATE)
        others = {name for name in provider.groups if not is_uuid(name)}
        sent = body["aggregates"] if counts else body
        groups = list(dict.fromkeys(dashed(one) for one in sent))
        cloud.change_groups(
            books,
            at,
            provider.id,
            frozenset({*groups, *others}),
            raises_generation=counts,
            confirm=counts,
        )
        return provider, _told(call, provider, groups)

    return await call.record(decide)


_RULE = "placement:resource_providers:aggregates:"
ROUTES: Routes = {
    "/resource_providers/{uuid}/aggregates": {
        "GET": Route(list_aggregates, f"{_RULE}list", since=1, shows_json=True),
        "PUT": Route(replace_aggregates, f"{_RULE}update", since=1, reads_json=True),
    }
}
