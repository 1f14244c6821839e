"""The one table of what Placement answers: path, method, since which microversion, by whom."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from api.placement.call import Answer, Call

Handler = Callable[[Call], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Route:
    """`rule` is the policy that decides who may call it (`api.placement.policies`), named as
    Placement names its own: `placement:resource_providers:list`."""

    handler: Handler
    rule: str
    since: int = 0
    too_early: int = 404
    """What a call below that version is answered."""


Routes = Mapping[str, Mapping[str, Route]]
"""By path and method. A path's variables are in braces."""
