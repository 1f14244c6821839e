"""Who calls, without an identity service: Placement's `noauth2`, which believes what it is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, as the authentication found out."""

    user_id: str
    project_id: str | None
    roles: frozenset[str]
    is_system: bool = False
    """With a token for the whole system, and not for one project."""


async def believe(headers: Mapping[str, str]) -> Caller | None:
    """By `X-Auth-Token: USER[:PROJECT]` and `X-Roles`; the user called admin has the role admin.

    The project is the user's name where none is told, and nobody's with a scope of the system.
    """
    token = headers.get("x-auth-token")
    if token is None:
        return None
    user, _, project = token.partition(":")
    if "x-roles" in headers:
        roles = frozenset(role.strip() for role in headers["x-roles"].split(","))
    else:
        roles = frozenset({"admin"}) if user == "admin" else frozenset()
    system = headers.get("openstack-system-scope")
    project_id = headers.get("x-project-id") or (None if system else project or user)
    return Caller(user, project_id, roles, bool(system))
