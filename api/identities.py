"""Ids as clients write them."""

from __future__ import annotations

import secrets

import uuid_utils

from domain.values import Uuid
from domain.wish import LARGEST_SEED


def new_id() -> str:
    """A UUID of version 7 (RFC 9562). Its time comes first, so the newest stand together in an
    index, and a batch of new streams touches few of its pages."""
    return str(uuid_utils.uuid7())


def new_seed() -> int:
    """For the chance in a decision, which is recorded with it."""
    # The members of a gang have the next ones.
    return secrets.randbelow(LARGEST_SEED // 2)


ProviderId = Uuid
RequestId = Uuid
GangId = Uuid
