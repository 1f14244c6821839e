"""What can be asked for: amounts, discrete units, flavors, and the traits around them.

There is no free-form part: every wish is a typed field, checked before it is stored.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from domain.events import Fact
from domain.values import (
    LARGEST,
    Amount,
    AttributeName,
    AttributeValue,
    ClassName,
    ConsumerId,
    ConsumerType,
    FlavorName,
    TraitName,
)

Traits = Annotated[tuple[TraitName, ...], Field(max_length=100)]


class AttributeCondition(Fact):
    """A condition on a discrete unit: its attribute equals a value, or is one of several."""

    model_config = ConfigDict(serialize_by_alias=True)

    attribute: AttributeName
    equals: AttributeValue | None = None
    one_of: tuple[AttributeValue, ...] | None = Field(
        default=None, alias="in", min_length=1, max_length=1000
    )

    @model_validator(mode="after")
    def _asks_one_thing(self) -> Self:
        if (self.equals is None) == (self.one_of is None):
            raise ValueError("give either `equals` or `in`")
        return self

    @property
    def accepted(self) -> tuple[AttributeValue, ...]:
        if self.one_of is not None:
            return self.one_of
        assert self.equals is not None
        return (self.equals,)


class Units(Fact):
    """Some units of one discrete class. `amount` is per unit; None asks for whole ones."""

    resource_class: ClassName
    count: Annotated[int, Field(ge=1, le=1000, strict=True)] = 1
    amount: Amount | None = None
    where: Annotated[tuple[AttributeCondition, ...], Field(max_length=32)] = ()


class AmountsComponent(Fact):
    """Amounts of divisible classes."""

    kind: Literal["amounts"] = "amounts"
    resources: Annotated[dict[ClassName, Amount], Field(min_length=1, max_length=64)]


class UnitsComponent(Units):
    """A selection of discrete units."""

    kind: Literal["units"] = "units"


class FlavorComponent(Fact):
    """A flavor by name, and by number where an older definition is meant."""

    kind: Literal["flavor"] = "flavor"
    name: FlavorName
    number: Annotated[int, Field(ge=1, le=LARGEST, strict=True)] | None = None


class Expansion(Fact):
    """What a flavor meant when it was asked for."""

    resources: Annotated[dict[ClassName, Amount], Field(max_length=64)] = {}
    units: Annotated[tuple[Units, ...], Field(max_length=64)] = ()
    required_traits: Traits = ()
    forbidden_traits: Traits = ()

    @model_validator(mode="after")
    def _asks_for_something(self) -> Self:
        if not (self.resources or self.units):
            raise ValueError("a flavor has at least one resource or unit")
        return self


class ExpandedFlavor(FlavorComponent):
    """A flavor as it is stored: with its number and its meaning, so later edits change nothing."""

    expansion: Expansion


Component = Annotated[
    AmountsComponent | UnitsComponent | FlavorComponent, Field(discriminator="kind")
]
StoredComponent = Annotated[
    AmountsComponent | UnitsComponent | ExpandedFlavor, Field(discriminator="kind")
]


class Consumer(Fact):
    """Who holds: a server, a volume, a job."""

    id: ConsumerId
    type: ConsumerType = "server"


class Wish(Fact):
    """What is asked for, without who asks."""

    components: Annotated[tuple[StoredComponent, ...], Field(min_length=1, max_length=64)]
    required_traits: Traits = ()
    forbidden_traits: Traits = ()
    any_of_traits: Annotated[
        tuple[Annotated[Traits, Field(min_length=1)], ...], Field(max_length=20)
    ] = ()
    within: str | None = None
