"""The events of a resource provider: what it is, what it has, and who asked, held and gave back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Literal

from pydantic import AwareDatetime

from domain.allocation import Share
from domain.events import Event
from domain.inventory import Inventories, Inventory
from domain.values import ClassName, ConsumerId, GroupName, OwnerId, ProviderName, TraitName


class ProviderRegistered(Event):
    TOPIC: ClassVar[str] = "provider.registered"
    name: ProviderName
    parent_id: str | None = None


class ProviderRenamed(Event):
    TOPIC: ClassVar[str] = "provider.renamed"
    name: ProviderName


class ProviderMoved(Event):
    TOPIC: ClassVar[str] = "provider.moved"
    parent_id: str | None


class InventoryChanged(Event):
    """A class's inventory is now this; None: there is none any more."""

    TOPIC: ClassVar[str] = "provider.inventory_changed"
    resource_class: ClassName
    inventory: Inventory | None


class TraitsChanged(Event):
    TOPIC: ClassVar[str] = "provider.traits_changed"
    traits: tuple[TraitName, ...]


class GroupsChanged(Event):
    """The provider is in these groups now, and in no others."""

    TOPIC: ClassVar[str] = "provider.groups_changed"
    groups: tuple[GroupName, ...]


class Requested(Event):
    """A request reached this provider and takes its share: until a deadline, or to be claimed."""

    TOPIC: ClassVar[str] = "provider.requested"
    request_id: str
    consumer_id: ConsumerId
    project_id: OwnerId
    share: Share
    hold_until: AwareDatetime | None = None


class Claimed(Event):
    """What was requested is now held by the consumer."""

    TOPIC: ClassVar[str] = "provider.claimed"
    request_id: str
    consumer_id: ConsumerId
    project_id: OwnerId


class Released(Event):
    """The consumer gave back this share; it may hold more here."""

    TOPIC: ClassVar[str] = "provider.released"
    consumer_id: ConsumerId
    project_id: OwnerId
    share: Share


class Lapsed(Event):
    """A hold ended without a claim. It stopped counting at `lapsed_at`."""

    TOPIC: ClassVar[str] = "provider.lapsed"
    request_id: str
    consumer_id: ConsumerId
    project_id: OwnerId
    share: Share
    reason: Literal["expired", "withdrawn"]
    lapsed_at: AwareDatetime


class ProviderDeleted(Event):
    TOPIC: ClassVar[str] = "provider.deleted"


# --- Snapshots ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Holding:
    """What one consumer has here. With a deadline it is a hold, without one part of a claim."""

    request_id: str
    project_id: str
    share: Share
    hold_until: datetime | None = None


class ProviderSnapshot(Event):
    """The whole state at a version, so that a long stream need not be read from its start."""

    TOPIC: ClassVar[str] = "provider.snapshot"
    class_version: ClassVar[int] = 2
    name: str
    parent_id: str | None
    deleted: bool
    registered_at: AwareDatetime
    inventories: Inventories
    traits: tuple[TraitName, ...]
    holdings: dict[str, Holding]
    groups: tuple[GroupName, ...] = ()

    @staticmethod
    def upcast_v1_v2(state: dict[str, Any]) -> None:
        """Providers were in no groups."""
