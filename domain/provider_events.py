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
    class_version: ClassVar[int] = 2
    resource_class: ClassName
    inventory: Inventory | None
    raises_generation: bool = True

    @staticmethod
    def upcast_v1_v2(state: dict[str, Any]) -> None:
        """Generations were not counted: each change raises them."""


class TraitsChanged(Event):
    TOPIC: ClassVar[str] = "provider.traits_changed"
    raises_generation: ClassVar[bool] = True
    traits: tuple[TraitName, ...]


class GroupsChanged(Event):
    """The provider is in these groups now, and in no others."""

    TOPIC: ClassVar[str] = "provider.groups_changed"
    class_version: ClassVar[int] = 2
    groups: tuple[GroupName, ...]
    raises_generation: bool = True

    @staticmethod
    def upcast_v1_v2(state: dict[str, Any]) -> None:
        """Generations were not counted: each change raises them."""


class GenerationRaised(Event):
    """It was described again just as it was. Whoever described it before has to look again."""

    TOPIC: ClassVar[str] = "provider.generation_raised"
    raises_generation: ClassVar[bool] = True


class Requested(Event):
    """A request reached this provider and takes its share: until a deadline, or to be claimed."""

    TOPIC: ClassVar[str] = "provider.requested"
    class_version: ClassVar[int] = 2
    request_id: str
    consumer_id: ConsumerId
    project_id: OwnerId
    share: Share
    hold_until: AwareDatetime | None = None
    raises_generation: bool = True

    @staticmethod
    def upcast_v1_v2(state: dict[str, Any]) -> None:
        """Generations were not counted: each request raises them."""


class Claimed(Event):
    """What was requested is now held by the consumer."""

    TOPIC: ClassVar[str] = "provider.claimed"
    request_id: str
    consumer_id: ConsumerId
    project_id: OwnerId


class Released(Event):
    """The consumer gave back this share; it may hold more here."""

    TOPIC: ClassVar[str] = "provider.released"
    class_version: ClassVar[int] = 2
    consumer_id: ConsumerId
    project_id: OwnerId
    share: Share
    raises_generation: bool = False

    @staticmethod
    def upcast_v1_v2(state: dict[str, Any]) -> None:
        """Generations were not counted; giving back does not raise them."""


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
    """It may be registered again later, and then begins anew."""

    TOPIC: ClassVar[str] = "provider.deleted"


def raises_generation(event: Event) -> bool:
    """True if the provider's generation is one more after the event: what a client read of it and
    means to change may not be so any more. As in Placement, giving back does not raise it, and what
    one call changes raises it once."""
    return bool(getattr(event, "raises_generation", False))


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
    class_version: ClassVar[int] = 3
    name: str
    parent_id: str | None
    deleted: bool
    registered_at: AwareDatetime
    inventories: Inventories
    traits: tuple[TraitName, ...]
    holdings: dict[str, Holding]
    groups: tuple[GroupName, ...] = ()
    generation: int | None = None

    @staticmethod
    def upcast_v1_v2(state: dict[str, Any]) -> None:
        """Providers were in no groups."""

    @staticmethod
    def upcast_v2_v3(state: dict[str, Any]) -> None:
        """The generation was not counted (null): only the events before it can tell."""
