"""What can be asked for: amounts, discrete units, flavors, and where each of them may come from.

There is no free-form part: every wish is a typed field, checked before it is stored.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Discriminator, Field, Tag, model_validator

from domain.events import Fact
from domain.values import (
    LARGEST,
    Amount,
    AttributeName,
    AttributeValue,
    ClassName,
    ComponentLabel,
    ConsumerGroupName,
    ConsumerId,
    ConsumerType,
    FlavorName,
    GroupName,
    TraitName,
    Uuid,
)

Traits = Annotated[tuple[TraitName, ...], Field(max_length=100)]
AnyOfTraits = Annotated[tuple[Annotated[Traits, Field(min_length=1)], ...], Field(max_length=20)]
Groups = Annotated[tuple[GroupName, ...], Field(max_length=100)]
AnyOfGroups = Annotated[tuple[Annotated[Groups, Field(min_length=1)], ...], Field(max_length=20)]

# --- Discrete units -------------------------------------------------------------------------------


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


class AttributeRange(Fact):
    """A condition on a discrete unit: its attribute is a number in a range, both ends included.

    A unit without the attribute, or with a text, does not meet it.
    """

    attribute: AttributeName
    at_least: Annotated[int, Field(ge=-LARGEST, le=LARGEST, strict=True)] | None = None
    at_most: Annotated[int, Field(ge=-LARGEST, le=LARGEST, strict=True)] | None = None

    @model_validator(mode="after")
    def _is_a_range(self) -> Self:
        if self.at_least is None and self.at_most is None:
            raise ValueError("give `at_least`, `at_most` or both")
        if None not in (self.at_least, self.at_most) and self.low > self.high:
            raise ValueError("`at_least` is more than `at_most`")
        return self

    @property
    def low(self) -> int:
        return -LARGEST if self.at_least is None else self.at_least

    @property
    def high(self) -> int:
        return LARGEST if self.at_most is None else self.at_most


def _kind_of_condition(told: Any) -> str:
    if isinstance(told, dict):
        return "range" if "at_least" in told or "at_most" in told else "value"
    return "range" if isinstance(told, AttributeRange) else "value"


UnitCondition = Annotated[
    Annotated[AttributeCondition, Tag("value")] | Annotated[AttributeRange, Tag("range")],
    Discriminator(_kind_of_condition),
]
Attributes = Annotated[tuple[AttributeName, ...], Field(max_length=32)]


class Units(Fact):
    """Some units of one discrete class. `amount` is per unit; None asks for whole ones.

    The units have one value of each attribute in `alike`, and no two of them the same value of one
    in `different`. A unit without one of these attributes is not chosen.
    """

    resource_class: ClassName
    count: Annotated[int, Field(ge=1, le=1000, strict=True)] = 1
    amount: Amount | None = None
    where: Annotated[tuple[UnitCondition, ...], Field(max_length=32)] = ()
    alike: Attributes = ()
    different: Attributes = ()

    @model_validator(mode="after")
    def _can_be_met(self) -> Self:
        if both := set(self.alike) & set(self.different):
            raise ValueError(f"both `alike` and `different`: {', '.join(sorted(both))}")
        return self


# --- Components -----------------------------------------------------------------------------------


class ProviderConditions(Fact):
    """Where something may come from.

    Required traits are met by the providers that serve it together; a forbidden one excludes each
    provider that has it. `member_of` lists groups: of each entry, the provider or the root of its
    tree is in at least one. `within` is a provider: only it, and those below it.
    """

    required_traits: Traits = ()
    forbidden_traits: Traits = ()
    any_of_traits: AnyOfTraits = ()
    member_of: AnyOfGroups = ()
    not_member_of: Groups = ()
    within: Uuid | None = None


class ComponentFields(ProviderConditions):
    """What every component has besides what it asks for.

    A granular one comes whole from one provider, which meets all its conditions by itself (its
    root's groups do not count). The label is for the rules between components.
    """

    label: ComponentLabel | None = None
    granular: bool = False


class AmountsComponent(ComponentFields):
    """Amounts of divisible classes."""

    kind: Literal["amounts"] = "amounts"
    resources: Annotated[dict[ClassName, Amount], Field(min_length=1, max_length=64)]


class UnitsComponent(ComponentFields, Units):
    """A selection of discrete units."""

    kind: Literal["units"] = "units"


class FlavorComponent(ComponentFields):
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
    """Who holds: a server, a volume, a job. A group is the project's own name for several."""

    id: ConsumerId
    type: ConsumerType = "server"
    group: ConsumerGroupName | None = None
