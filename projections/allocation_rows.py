"""Shares as the read models keep them (JSON) and as they are told: flat lines."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from pydantic import TypeAdapter

from domain.allocation import Share, Shares
from domain.events import Fact


class AllocationRow(Fact):
    provider_id: str
    resource_class: str
    amount: int
    units: dict[str, int] | None


def shares_to_json(shares: Shares) -> str:
    return _adapter().serializer.to_json(shares).decode()


def shares_from_json(text: str) -> Shares:
    return _adapter().validate_json(text)


def allocation_rows(shares: Mapping[str, Share]) -> list[AllocationRow]:
    """By provider, then by class."""
    return [
        AllocationRow(
            provider_id=provider_id,
            resource_class=resource_class,
            amount=amount,
            units=share.units.get(resource_class),
        )
        for provider_id, share in sorted(shares.items())
        for resource_class, amount in sorted(share.resources.items())
    ]


@cache
def _adapter() -> TypeAdapter[Shares]:
    return TypeAdapter(Shares)
