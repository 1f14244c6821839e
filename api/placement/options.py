"""What an operator can set of the face. The composition root fills it from the settings."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from api.placement.call import Caller

PolicyName = Literal["legacy", "secure", "everyone"]
Identify = Callable[[Mapping[str, str]], Awaitable[Caller | None]]
"""Who calls, by the headers; None: nobody known."""


@dataclass(frozen=True, slots=True)
class FaceOptions:
    policy: PolicyName = "legacy"
    cors_origins: tuple[str, ...] = ()
    identify: Identify | None = None
    """None: by the forms of Placement's `noauth2`."""
