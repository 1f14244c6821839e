"""What a bill is made of: what a consumer held, unchanged, from one moment to another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from domain.allocation import Shares
from domain.billing_time import Micros
from domain.component import Expansion
from domain.price import Status
from domain.values import AttributeValue

Attributes = Mapping[str, AttributeValue]


class HeldUnit(NamedTuple):
    provider_id: str
    resource_class: str
    unit: str


class HeldFlavor(NamedTuple):
    """A flavor that was asked for, and the providers that serve it."""

    name: str
    expansion: Expansion
    provider_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """`position` is that of the event by which the interval begins. `to_at` None: it goes on.

    `claimed_at` is when the claim began that this interval is part of; `ends_claim` says that
    nothing of the claim is left after it.
    """

    consumer_id: str
    position: int
    status: Status
    claimed_at: Micros
    from_at: Micros
    to_at: Micros | None
    ends_claim: bool
    shares: Shares
    request_id: str = ""
    flavors: tuple[HeldFlavor, ...] = ()
    attributes: Mapping[HeldUnit, Attributes] = field(default_factory=dict)
