"""What is in use: of a provider, and by a project's consumers."""

from __future__ import annotations

from collections import Counter
from typing import Any

from api.placement.call import Answer, Call, json_answer
from api.placement.policies import TOTAL_USAGES
from api.placement.resource_providers import existing
from api.placement.routes import Route, Routes
from api.placement.schemas import CLASS_PATTERN, Schema, a_record, check_query
from domain.assigning import UNTYPED
from domain.books import Books
from projections.project_usage import TypeUsage, read_project_usage

SINCE_TYPES = 38
ALL = "all"

_OWNER = {"type": "string", "minLength": 1, "maxLength": 255}
TOTALS = Schema(a_record(("project_id",), project_id=_OWNER, user_id=_OWNER))
TOTALS_BY_TYPE = Schema(
    a_record(
        ("project_id",),
        project_id=_OWNER,
        user_id=_OWNER,
        consumer_type={**_OWNER, "pattern": f"{CLASS_PATTERN}|^{ALL}|^{UNTYPED}$"},
    )
)


async def show_provider_usages(call: Call) -> Answer:
    """Of every class that the provider has an inventory of."""

    def question(books: Books) -> Answer:
        provider = existing(books, call.arguments["uuid"], ": No such provider.")
        usages = {name: provider.usage.get(name, 0) for name in provider.inventories}
        body = {"resource_provider_generation": provider.generation, "usages": usages}
        return json_answer(body, is_dated=True)

    return await call.ask(question)


async def show_total_usages(call: Call) -> Answer:
    by_type = call.minor >= SINCE_TYPES
    check_query(call, TOTALS_BY_TYPE if by_type else TOTALS)
    project_id, user_id = call.last("project_id"), call.last("user_id")
    wanted = call.last("consumer_type")
    assert project_id is not None
    found = await call.house.query(
        lambda connection: read_project_usage(
            connection,
            call.house.now(),
            project_id=project_id,
            user_id=user_id,
            consumer_type=None if wanted == ALL else wanted,
        ),
        "claims",
    )
    if wanted == ALL and found:
        found = {ALL: _together(found)}
    usages: dict[str, Any] = {
        name: {**usage.amounts, "consumer_count": usage.consumers} for name, usage in found.items()
    }
    return json_answer({"usages": usages if by_type else _together(found).amounts}, is_dated=True)


def _together(found: dict[str, TypeUsage]) -> TypeUsage:
    amounts: Counter[str] = Counter()
    for usage in found.values():
        amounts.update(usage.amounts)
    return TypeUsage(sum(usage.consumers for usage in found.values()), amounts)


ROUTES: Routes = {
    "/usages": {"GET": Route(show_total_usages, TOTAL_USAGES, since=9, shows_json=True)},
    "/resource_providers/{uuid}/usages": {
        "GET": Route(show_provider_usages, "placement:resource_providers:usages", shows_json=True)
    },
}
