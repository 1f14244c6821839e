"""Ids as clients write them."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import uuid_utils
from pydantic import AfterValidator, Field, StringConstraints


def new_id() -> str:
    """A UUID of version 7 (RFC 9562). Its time comes first, so the newest stand together in an
    index, and a batch of new streams touches few of its pages."""
    return str(uuid_utils.uuid7())


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

ProviderId = Uuid
RequestId = Uuid
