"""A gang: several consumers' requests that are placed together, or not at all."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, ClassVar

from pydantic import Field

from domain.aggregate import Aggregate
from domain.allocation import Shares
from domain.events import Event, Fact
from domain.values import ConsumerId

MOST_MEMBERS = 64


class Asker(Fact):
    """One of a gang, and its request."""

    request_id: str
    consumer_id: ConsumerId


class Member(Asker):
    """One of a gang that was placed, and what it got."""

    shares: Shares


class GangPlaced(Event):
    """All of them hold what they asked for."""

    TOPIC: ClassVar[str] = "gang.placed"
    members: Annotated[tuple[Member, ...], Field(min_length=1, max_length=MOST_MEMBERS)]


class GangRefused(Event):
    """None of them holds anything. `failed` are those that found no place, by request id."""

    TOPIC: ClassVar[str] = "gang.refused"
    members: Annotated[tuple[Asker, ...], Field(min_length=1, max_length=MOST_MEMBERS)]
    failed: tuple[str, ...]


class Gang(Aggregate):
    """One stream per gang, with one event: how it was decided. Afterwards each member goes its
    own way."""

    CATEGORY: ClassVar[str] = "gang"
    __slots__ = ("askers", "failed", "members", "placed")

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self.members: tuple[Member, ...] = ()
        self.askers: tuple[Asker, ...] = ()
        self.placed = False
        self.failed: tuple[str, ...] = ()

    def _evolve(self, event: Any) -> None:
        self.askers = event.members
        if isinstance(event, GangPlaced):
            self.placed, self.members = True, event.members
        else:
            self.failed = event.failed

    def place(self, at: datetime, members: tuple[Member, ...]) -> list[Event]:
        return [self._next(GangPlaced, at, members=members)]

    def refuse(
        self, at: datetime, askers: tuple[Asker, ...], failed: tuple[str, ...]
    ) -> list[Event]:
        return [self._next(GangRefused, at, members=askers, failed=failed)]
