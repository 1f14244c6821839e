"""Proofs that the log is what it was: checkpoints, and what leads from an event to one.

Every few seconds the service seals what was added to the log: a Merkle tree over all events (RFC
9162), its root signed. Who has the public key, and keeps a checkpoint now and then, needs to trust
nobody who can write to the database.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Request
from starlette.responses import Response

from api.events import LARGEST_POSITION
from api.openapi import noun, reads
from api.paging import Cursor, CursorText, Limit, Page
from api.reads import house_of, json_response
from domain.proof import Checkpoint, ConsistencyProof, InclusionProof, PublicKey

router = noun("proofs")

Size = Annotated[
    int | None,
    Query(ge=1, le=LARGEST_POSITION, description="Of the checkpoint; left out: the newest."),
]
From = Annotated[
    int, Query(alias="from", ge=1, le=LARGEST_POSITION, description="Size of the older checkpoint.")
]
To = Annotated[
    int | None,
    Query(
        alias="to",
        ge=1,
        le=LARGEST_POSITION,
        description="Size of the newer one; left out: the newest.",
    ),
]
Position = Annotated[int, Query(ge=1, le=LARGEST_POSITION, description="Of the event.")]

_cursor: Cursor[int] = Cursor("checkpoints", int)


@router.get("/v1/proofs/checkpoint", response_model=Checkpoint, **reads("checkpoint_not_found"))
async def read_checkpoint(request: Request, size: Size = None) -> Response:
    """The newest checkpoint, or the one of that many events.

    Keep its `note`: it shows later whether this part of the log was changed.
    """
    return json_response(await house_of(request).proofs.checkpoint(size))


@router.get("/v1/proofs/checkpoints", response_model=Page[Checkpoint], **reads(paged=True))
async def list_checkpoints(
    request: Request, limit: Limit = 100, cursor: CursorText = None
) -> Response:
    """All checkpoints, the newest first."""
    before = _cursor.find(cursor)
    found = await house_of(request).proofs.checkpoints(before, limit + 1)
    return _cursor.page(found, limit, lambda one: one.size)


@router.get(
    "/v1/proofs/inclusion",
    response_model=InclusionProof,
    **reads("checkpoint_not_found", "position_not_sealed", "event_differs"),
)
async def prove_inclusion(request: Request, position: Position, size: Size = None) -> Response:
    """Proof that the event at a position is in the log, with all that a verifier needs.

    An event's leaf holds the hash of the event before it in its stream: proving a stream's newest
    event proves the whole stream. `scripts/verify_proof.py` checks it.
    """
    return json_response(await house_of(request).proofs.inclusion(position, size))


@router.get(
    "/v1/proofs/consistency",
    response_model=ConsistencyProof,
    **reads("checkpoint_not_found", "from_beyond_to"),
)
async def prove_consistency(request: Request, old: From, new: To = None) -> Response:
    """Proof that the log of one checkpoint is, unchanged, the beginning of that of another."""
    return json_response(await house_of(request).proofs.consistency(old, new))


@router.get("/v1/proofs/key", response_model=PublicKey, **reads())
async def read_key(request: Request) -> Response:
    """The public key that this service signs with, in PEM and in one line for signed notes."""
    return json_response(await house_of(request).proofs.key())
