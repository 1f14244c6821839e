"""Allocations as clients give them back: flat lines, each for one provider and class."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import Field, model_validator

from api.identities import ProviderId
from domain.allocation import Share, Shares, add
from domain.events import Fact
from domain.values import ClassName, Sum, UnitName


class AllocationBody(Fact):
    """A part to give back: an amount of a divisible class, or units of a discrete one."""

    provider_id: ProviderId
    resource_class: ClassName
    amount: Sum | None = None
    units: dict[UnitName, Sum] | None = Field(default=None, min_length=1)

    @model_validator(mode="after")
    def _says_how_much(self) -> AllocationBody:
        if self.amount is None and self.units is None:
            raise ValueError("give `amount`, or `units` for a discrete class")
        if self.units is not None and self.amount not in (None, sum(self.units.values())):
            raise ValueError("`amount` is not the sum of `units`; it may be left out")
        return self

    def share(self) -> Share:
        if self.units is not None:
            return Share(
                resources={self.resource_class: sum(self.units.values())},
                units={self.resource_class: self.units},
            )
        return Share(resources={self.resource_class: self.amount or 0})


def shares_of(bodies: Iterable[AllocationBody]) -> Shares:
    """All of them together."""
    shares: Shares = {}
    for body in bodies:
        shares[body.provider_id] = add(shares.get(body.provider_id), body.share())
    return shares
