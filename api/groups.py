"""The groups that a provider is in: names that it shares with others, as it likes."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from api.identities import ProviderId
from api.openapi import noun, reads, writes
from api.reads import find_provider, tagged
from api.times import At
from api.writes import Write, shows
from domain import cloud
from domain.books import Books
from domain.events import Fact
from domain.provider import Provider
from domain.values import GroupName

router = noun("providers")

MOST_GROUPS = 1_000


class GroupsBody(Fact):
    """A provider's groups from now on: all of them."""

    groups: Annotated[tuple[GroupName, ...], Field(max_length=MOST_GROUPS)]


class GroupsView(BaseModel):
    groups: tuple[str, ...]


def groups_view(provider: Provider) -> GroupsView:
    return GroupsView(groups=tuple(sorted(provider.groups)))


_changed = shows(groups_view)


@router.get(
    "/v1/providers/{provider_id}/groups",
    response_model=GroupsView,
    **reads("provider_not_found", timed=True, tagged=True),
)
async def read_groups(request: Request, provider_id: ProviderId, at: At = None) -> Response:
    """The groups that a provider is in."""
    row = await find_provider(request, provider_id, at)
    return tagged(request, GroupsView(groups=row.groups), None if at else row.version)


@router.put(
    "/v1/providers/{provider_id}/groups",
    response_model=GroupsView,
    **writes("provider_not_found", conditional=True),
)
async def replace_groups(write: Write, provider_id: ProviderId, body: GroupsBody) -> Response:
    """Replace the groups that a provider is in. A group is there as long as somebody is in it."""
    if_match = write.if_match()

    def use_case(books: Books, at: datetime) -> Provider:
        expected = if_match.expected(books.get(Provider, provider_id))
        return cloud.change_groups(books, at, provider_id, frozenset(body.groups), expected)

    return await write.record(use_case, _changed, (f"provider:{provider_id}",))
