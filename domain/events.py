"""What every event has in common: a stream, a version in it, and the ledger's own time."""

from __future__ import annotations

from typing import ClassVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field


class Fact(BaseModel):
    """An immutable value. Unknown fields are refused, so that a misspelt one is never lost."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Event(Fact):
    """Something that happened on one stream, for ever.

    `TOPIC` is the stored name: a contract with every log ever written, never changed and never
    reused. A changed shape raises `class_version` and brings one `upcast_vN_vN+1`. The two
    originator fields are columns of the event store, not part of the stored state.
    """

    TOPIC: ClassVar[str]
    class_version: ClassVar[int] = 1

    originator_id: str = Field(exclude=True)
    originator_version: int = Field(exclude=True)
    at: AwareDatetime
