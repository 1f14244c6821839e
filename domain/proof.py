"""Proofs as they are handed out: whoever has one and the public key needs nothing else."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Base64 = Annotated[str, Field(pattern=r"^[A-Za-z0-9+/]*={0,2}$")]
SignedNote = Annotated[
    str, Field(description="A signed note (C2SP tlog-checkpoint): origin, size, root, signature.")
]


class Proof(BaseModel):
    model_config = ConfigDict(frozen=True)


class Checkpoint(Proof):
    """The log's first `size` events, sealed. `public_key` signed it; `sealed_at` is not signed."""

    size: int
    root: Base64
    sealed_at: datetime
    public_key: Annotated[Base64, Field(description="The raw Ed25519 key.")]
    note: SignedNote


class ProvenEvent(Proof):
    """An event as its leaf has it. `state` is exactly what is stored."""

    position: int
    stream: str
    version: int
    topic: str
    state: str
    previous: Annotated[
        Base64, Field(description="The leaf hash of the stream's event before; zeros if none.")
    ]


class InclusionProof(Proof):
    """The event is in the log that the checkpoint seals, at this position."""

    format: Literal["tallystick inclusion 1"] = "tallystick inclusion 1"
    event: ProvenEvent
    leaf_hash: Base64
    path: list[Base64]
    checkpoint: SignedNote


class ConsistencyProof(Proof):
    """All that `old` seals is, unchanged, the beginning of what `new` seals."""

    format: Literal["tallystick consistency 1"] = "tallystick consistency 1"
    path: list[Base64]
    old: SignedNote
    new: SignedNote


class PublicKey(Proof):
    """What this service signs with. Keep it elsewhere: a proof is worth as much as the key that
    it is checked with."""

    pem: str
    verifier_key: Annotated[str, Field(description="The same in one line, for signed notes.")]
