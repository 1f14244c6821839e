"""How much of one resource class a provider has: an amount, or a list of named units."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, PlainSerializer, model_validator

from domain.events import Fact
from domain.values import LARGEST, Amount, AttributeName, AttributeValue, ClassName, UnitName

LARGEST_RATIO = Decimal("3.40282e38")
"""Placement keeps ratios as floating-point numbers of 32 bits."""

Ratio = Annotated[
    Decimal,
    Field(ge=0, le=LARGEST_RATIO),
    PlainSerializer(float, return_type=float, when_used="json"),
]
"""An overcommit ratio. Decimal, so that 100 × 1.15 is 115 and not 114."""

MOST_CAPACITY = 2**62
"""More than anybody can claim, and yet sums with it fit into 64 bits."""


class DivisibleInventory(Fact):
    """An amount that is handed out in slices: CPUs, memory, disk."""

    kind: Literal["divisible"] = "divisible"
    total: Amount
    reserved: Annotated[int, Field(ge=0, le=LARGEST, strict=True)] = 0
    min_unit: Amount = 1
    max_unit: Amount = LARGEST
    step_size: Amount = 1
    allocation_ratio: Ratio = Decimal(1)

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> DivisibleInventory:
        if self.reserved > self.total:
            raise ValueError("reserved is more than total")
        if self.min_unit > self.max_unit:
            raise ValueError("min_unit is more than max_unit")
        return self

    @property
    def capacity(self) -> int:
        """(total - reserved) × allocation_ratio, the integer part of it."""
        return min(int((self.total - self.reserved) * self.allocation_ratio), MOST_CAPACITY)


class Unit(Fact):
    """One thing with a name: a GPU, a device, a bare-metal machine.

    A capacity above 1 says that it may be shared, in that many parts (1000: thousandths).
    """

    name: UnitName
    capacity: Amount = 1
    attributes: dict[AttributeName, AttributeValue] = {}


class DiscreteInventory(Fact):
    """Things that cannot be sliced at will, each with a name."""

    kind: Literal["discrete"] = "discrete"
    units: Annotated[tuple[Unit, ...], Field(min_length=1, max_length=10_000)]

    @model_validator(mode="after")
    def _names_are_unique(self) -> DiscreteInventory:
        if len({unit.name for unit in self.units}) < len(self.units):
            raise ValueError("two units have the same name")
        return self

    @property
    def capacity(self) -> int:
        """The sum of the units' capacities."""
        return sum(unit.capacity for unit in self.units)


Inventory = Annotated[DivisibleInventory | DiscreteInventory, Field(discriminator="kind")]
Inventories = dict[ClassName, Inventory]
