"""What an operator can set of the face. The composition root fills it from the settings."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from api.placement.identity import Caller

PolicyName = Literal["legacy", "secure", "everyone"]
CandidateOrder = Literal["depth-first", "breadth-first"]
Identify = Callable[[Mapping[str, str]], Awaitable[Caller | None]]
"""Who calls, by the headers; None: nobody known."""


@dataclass(frozen=True, slots=True)
class FaceOptions:
    policy: PolicyName = "legacy"
    cors_origins: tuple[str, ...] = ()
    max_candidates: int = 100_000
    """Allocation requests in one answer, whatever limit the client sets."""
    candidate_order: CandidateOrder = "depth-first"
    """What a limit leaves: all of the first tree, then of the next; or one of each tree in turn."""
    identify: Identify | None = None
    """None: by the forms of Placement's `noauth2`."""
