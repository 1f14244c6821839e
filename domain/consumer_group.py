"""A project's group of consumers, and where each of them holds something.

Whoever is placed near or away from the others is decided on this one stream. So two that are asked
for at once, of whatever processes, never both end up where only one may be.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

from domain.aggregate import Aggregate
from domain.demand import INDIFFERENT, Affinities
from domain.events import Event
from domain.values import ConsumerId, OwnerId
from domain.wish import Affinity

# --- Events ---------------------------------------------------------------------------------------


class MemberPlaced(Event):
    """The consumer holds something on these providers now, and nowhere else."""

    TOPIC: ClassVar[str] = "consumer_group.member_placed"
    consumer_id: ConsumerId
    project_id: OwnerId
    provider_ids: tuple[str, ...]


class MemberLeft(Event):
    """The consumer holds nothing any more."""

    TOPIC: ClassVar[str] = "consumer_group.member_left"
    consumer_id: ConsumerId
    project_id: OwnerId


# --- State and decisions --------------------------------------------------------------------------


class ConsumerGroup(Aggregate):
    CATEGORY: ClassVar[str] = "consumer_group"
    __slots__ = ("members",)

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self.members: dict[str, tuple[str, ...]] = {}

    @classmethod
    def id_of(cls, project_id: str, name: str) -> str:
        """Names have no slash, so no two projects' groups are the same."""
        return f"{name}/{project_id}"

    @property
    def project_id(self) -> str:
        return self.id.partition("/")[2]

    def _evolve(self, event: Any) -> None:
        match event:
            case MemberPlaced():
                self.members[event.consumer_id] = event.provider_ids
            case MemberLeft():
                self.members.pop(event.consumer_id, None)

    def place(self, at: datetime, consumer_id: str, provider_ids: tuple[str, ...]) -> list[Event]:
        if self.members.get(consumer_id) == provider_ids:
            return []
        facts: dict[str, Any] = {"consumer_id": consumer_id, "project_id": self.project_id}
        return [self._next(MemberPlaced, at, provider_ids=provider_ids, **facts)]

    def leave(self, at: datetime, consumer_id: str) -> list[Event]:
        if consumer_id not in self.members:
            return []
        left = self._next(MemberLeft, at, consumer_id=consumer_id, project_id=self.project_id)
        return [left]

    def affinities(
        self,
        affinity: Affinity,
        consumer_id: str,
        placed_now: Mapping[str, tuple[str, ...]] | None = None,
    ) -> Affinities:
        """What it means for this consumer. Where no other holds anything, nothing.

        `placed_now` are members that the same append places.
        """
        others = frozenset(
            provider_id
            for member, provider_ids in {**self.members, **(placed_now or {})}.items()
            if member != consumer_id
            for provider_id in provider_ids
        )
        if not others:
            return INDIFFERENT
        match affinity:
            case "affinity":
                return Affinities(near=others)
            case "anti_affinity":
                return Affinities(away=others)
            case "soft_affinity":
                return Affinities(rather_near=others)
            case "soft_anti_affinity":
                return Affinities(rather_away=others)
