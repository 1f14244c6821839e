"""One price: what it is for, per how much of it and how long, in which tiers, and when it holds."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, Field, StringConstraints, model_validator

from domain.component import AttributeCondition
from domain.events import Fact
from domain.values import Amount, ClassName, FlavorName

PriceName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._ -]{0,99}$")]
Money = Annotated[Decimal, Field(ge=0, max_digits=24, decimal_places=12)]
Quantity = Annotated[Decimal, Field(ge=0, max_digits=24, decimal_places=6)]

TimeUnit = Literal["second", "minute", "hour", "day", "month"]
MonthRule = Literal["calendar", "730_hours", "30_days"]
"""How long the `month` of a price is: as long as the calendar month (in UTC) in which it is used,
or always 730 hours (a twelfth of a year), or always 30 days."""


class ClassTarget(Fact):
    """Amounts of a resource class, whatever they are part of."""

    kind: Literal["class"] = "class"
    resource_class: ClassName


class UnitsTarget(Fact):
    """Discrete units of a class whose attributes meet all conditions."""

    kind: Literal["units"] = "units"
    resource_class: ClassName
    where: Annotated[tuple[AttributeCondition, ...], Field(min_length=1, max_length=32)]


class FlavorTarget(Fact):
    """A flavor as a whole: what it is made of costs nothing beside it."""

    kind: Literal["flavor"] = "flavor"
    name: FlavorName


Target = Annotated[ClassTarget | UnitsTarget | FlavorTarget, Field(discriminator="kind")]
Status = Literal["claim", "hold"]


class Tier(Fact):
    """The price of what a project uses `above` this quantity in a calendar month."""

    above: Quantity = Decimal(0)
    price: Money


class Price(Fact):
    """`price` is for `amount` of the class (1024 for a GB of MEMORY_MB) during one `per`.

    `free_quantity` costs nothing in each calendar month and project, before the first tier begins.
    A claim that ends before `minimum_seconds` is charged as if it had lasted so long.
    """

    name: PriceName
    target: Target
    per: TimeUnit
    amount: Amount = 1
    tiers: Annotated[tuple[Tier, ...], Field(min_length=1, max_length=20)]
    free_quantity: Quantity = Decimal(0)
    minimum_seconds: Annotated[int, Field(ge=0, le=366 * 86_400, strict=True)] = 0
    applies_to: Annotated[tuple[Status, ...], Field(min_length=1, max_length=2)] = ("claim",)
    valid_from: AwareDatetime | None = None
    valid_until: AwareDatetime | None = None

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        bounds = [tier.above for tier in self.tiers]
        if bounds[0] != 0 or any(before >= after for before, after in pairwise(bounds)):
            raise ValueError("tiers begin above 0, and each further one above the last")
        if len(set(self.applies_to)) < len(self.applies_to):
            raise ValueError("`applies_to` names something twice")
        if self.valid_from and self.valid_until and self.valid_from >= self.valid_until:
            raise ValueError("valid_from is not before valid_until")
        return self
