"""Names and numbers as everybody writes them, with the limits that the Placement API set."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

LARGEST = 2**31 - 1
"""The largest amount of anything: Placement's limit, kept so that its clients stay within ours."""

ClassName = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9_]{1,255}$")]
TraitName = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9_]{1,255}$")]
CustomName = Annotated[str, StringConstraints(pattern=r"^CUSTOM_[A-Z0-9_]{1,248}$")]
PriceBookName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]
FlavorName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,254}$")]
UnitName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,254}$")]
AttributeName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")]
ProviderName = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]{1,200}$")]
ConsumerId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._~-]{0,254}$")]
ConsumerType = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
OwnerId = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]{1,255}$")]
"""A project or a user: whatever the identity service calls them."""

Amount = Annotated[int, Field(ge=1, le=LARGEST, strict=True)]
Sum = Annotated[int, Field(ge=1, strict=True)]
"""Amounts together: an overcommitted inventory may hold more than `LARGEST`."""
AttributeValue = (
    Annotated[str, StringConstraints(strict=True, pattern=r"^[^\x00-\x1f\x7f]{0,255}$")]
    | Annotated[int, Field(ge=-LARGEST, le=LARGEST, strict=True)]
    | Annotated[bool, Field(strict=True)]
)
