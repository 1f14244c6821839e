"""Names and numbers as everybody writes them, with the limits that the Placement API set."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints

LARGEST = 2**31 - 1
"""The largest amount of anything: Placement's limit, kept so that its clients stay within ours."""

ClassName = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9_]{1,255}$")]
TraitName = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9_]{1,255}$")]
CustomName = Annotated[str, StringConstraints(pattern=r"^CUSTOM_[A-Z0-9_]{1,248}$")]
PriceBookName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]
FlavorName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,254}$")]
UnitName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,254}$")]
GroupName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,254}$")]
ComponentLabel = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
"""Placement's rule for the suffix of a granular group."""
AttributeName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")]
ProviderName = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]{1,200}$")]
ConsumerId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._~-]{0,254}$")]
ConsumerGroupName = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._~-]{0,254}$")
]
ConsumerType = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,255}$")]
OwnerId = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]{1,255}$")]
"""A project or a user: whatever the identity service calls them."""


def _dashed(text: str) -> str:
    return str(UUID(text))


Uuid = Annotated[
    str,
    StringConstraints(
        pattern=r"^[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{12}$"
    ),
    AfterValidator(_dashed),
    Field(examples=["6d1e6c0e-8f0b-4c1f-9a54-0d8f4f6f7c11"]),
]
"""A UUID, told in lower case with dashes whatever way it was written."""

Amount = Annotated[int, Field(ge=1, le=LARGEST, strict=True)]
Sum = Annotated[int, Field(ge=1, strict=True)]
"""Amounts together: an overcommitted inventory may hold more than `LARGEST`."""
AttributeValue = (
    Annotated[str, StringConstraints(strict=True, pattern=r"^[^\x00-\x1f\x7f]{0,255}$")]
    | Annotated[int, Field(ge=-LARGEST, le=LARGEST, strict=True)]
    | Annotated[bool, Field(strict=True)]
)
