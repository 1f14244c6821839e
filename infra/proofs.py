"""Proofs out of what is sealed: `api.house.Proofs`."""

from __future__ import annotations

from domain.checkpoint import in_base64, verifier_key
from domain.errors import Conflict, Invalid, NotFound
from domain.leaf import FIRST, leaf_hash
from domain.merkle import Tiles, consistency_path, inclusion_path
from domain.proof import Checkpoint, ConsistencyProof, InclusionProof, ProvenEvent, PublicKey
from infra.database import Database
from infra.event_log import EventLog
from infra.log_rows import LogRow
from infra.sealed_tables import (
    Sealed,
    checkpoints_before,
    find_checkpoint,
    first_checkpoint_of,
    leaves_at,
    load_tile,
    newest_checkpoint,
)
from infra.settings import Settings
from infra.signing import signing_key
from infra.webhooks import InThread


class LedgerProofs:
    def __init__(
        self, settings: Settings, database: Database, log: EventLog, in_thread: InThread
    ) -> None:
        self._settings = settings
        self._engine = database.durable
        self._log = log
        self._in_thread = in_thread

    async def checkpoint(self, size: int | None) -> Checkpoint:
        return (await self._in_thread(lambda: self._sealed(size))).told()

    async def checkpoint_of(self, position: int) -> Checkpoint | None:
        def read() -> Checkpoint | None:
            with self._engine.connect() as connection:
                found = first_checkpoint_of(connection, position)
            return None if found is None else found.told()

        return await self._in_thread(read)

    async def checkpoints(self, before: int | None, limit: int) -> list[Checkpoint]:
        def read() -> list[Checkpoint]:
            with self._engine.connect() as connection:
                return [one.told() for one in checkpoints_before(connection, before, limit)]

        return await self._in_thread(read)

    async def inclusion(self, position: int, size: int | None) -> InclusionProof:
        return await self._in_thread(lambda: self._inclusion(position, self._sealed(size)))

    async def consistency(self, old: int, new: int | None) -> ConsistencyProof:
        return await self._in_thread(lambda: self._consistency(old, new))

    async def key(self) -> PublicKey:
        return await self._in_thread(self._key)

    def _sealed(self, size: int | None) -> Sealed:
        with self._engine.connect() as connection:
            if size is None:
                found = newest_checkpoint(connection)
            else:
                found = find_checkpoint(connection, size)
        if found is None:
            which = "yet" if size is None else f"of {size} events"
            raise NotFound("checkpoint_not_found", f"there is no checkpoint {which}")
        return found

    def _inclusion(self, position: int, sealed: Sealed) -> InclusionProof:
        if position > sealed.size:
            raise Conflict(
                "position_not_sealed", f"the checkpoint seals {sealed.size} events, not {position}"
            )
        (row,) = self._log.rows(position - 1, position)
        leaf, previous = self._leaf(row)
        path = inclusion_path(position - 1, sealed.size, self._tiles().node)
        return InclusionProof(
            event=ProvenEvent(
                position=position,
                stream=row.originator_id,
                version=row.originator_version,
                topic=row.topic,
                state=row.state.decode(errors="replace"),
                previous=in_base64(previous),
            ),
            leaf_hash=in_base64(leaf),
            path=[in_base64(one) for one in path],
            checkpoint=sealed.note,
        )

    def _leaf(self, row: LogRow) -> tuple[bytes, bytes]:
        """The leaf of a row and the one before it. What was tampered with is not proven."""
        before = (row.originator_id, row.originator_version - 1)
        at = self._log.positions([before]).get(before) if before[1] else None
        leaves = leaves_at(self._engine, [row.position, *([] if at is None else [at])])
        previous = FIRST if at is None else leaves[at]
        leaf = leaf_hash(
            position=row.position,
            stream=row.originator_id,
            version=row.originator_version,
            topic=row.topic,
            state=row.state,
            previous=previous,
        )
        if leaves.get(row.position) != leaf:
            raise Conflict(
                "event_differs",
                f"the event at position {row.position} is not the one that was sealed; "
                "`tally verify --proofs` says more",
            )
        return leaf, previous

    def _consistency(self, old: int, new: int | None) -> ConsistencyProof:
        first, second = self._sealed(old), self._sealed(new)
        if first.size > second.size:
            raise Invalid("from_beyond_to", f"{first.size} events do not come before {second.size}")
        path = consistency_path(first.size, second.size, self._tiles().node)
        return ConsistencyProof(
            path=[in_base64(one) for one in path], old=first.note, new=second.note
        )

    def _tiles(self) -> Tiles:
        return Tiles(lambda level, number: load_tile(self._engine, level, number))

    def _key(self) -> PublicKey:
        key = signing_key(self._settings.signing_key_file)
        name = verifier_key(self._settings.proof_origin, key.public)
        return PublicKey(pem=key.public_pem(), verifier_key=name)
