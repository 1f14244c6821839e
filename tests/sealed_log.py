"""A sealed log, and what somebody may do to it behind the ledger's back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sqlalchemy import delete

from domain.merkle import Tiles, root_of
from infra.leaf_chain import LeafChain
from infra.proof_verification import ProofReport, verify_proofs
from infra.sealed_tables import (
    CHECKPOINTS,
    TILES,
    Sealed,
    add_checkpoint,
    all_checkpoints,
    write_tiles,
)
from infra.sealer import Sealer
from infra.settings import Settings
from infra.signing import SigningKey
from tests.databases import ScratchDatabase
from tests.open_archive import execute, fill, quiet, stored
from tests.open_ledger import OpenLedger, settings_from

SEALED = 200
"""Events under each checkpoint."""
BAD = 333
"""The position that is tampered with: under the second checkpoint, and in the second tile."""


class SealedLog:
    def __init__(self, ledger: OpenLedger, scratch: ScratchDatabase) -> None:
        self.ledger = ledger
        self.settings: Settings = settings_from(scratch.settings_environment)
        self.head = len(fill(ledger))
        while self.sealer().seal():
            pass

    def sealer(self) -> Sealer:
        """Another process's: it remembers nothing."""
        return Sealer(self.settings, self.ledger.database, self.ledger.log)

    def verify(self, **more: Any) -> ProofReport:
        return verify_proofs(self.settings, progress=quiet, **more)

    def first_bad(self, **more: Any) -> tuple[str, int]:
        """The code and the position of the first problem."""
        report = self.verify(**more)
        assert not report.ok
        return report.problems[0].code, report.problems[0].position

    def checkpoints(self) -> list[Sealed]:
        with self.ledger.database.durable.connect() as connection:
            return all_checkpoints(connection)

    # --- What an attacker does who can write to the database --------------------------------------

    def hash_anew(self) -> Tiles:
        """Make the kept hashes those of the log as it is now."""
        chain, tiles = LeafChain(), Tiles()
        tiles.append(0, b"".join(chain.leaf(row) for row in stored(self.ledger)))
        with self.ledger.database.durable.begin() as connection:
            connection.execute(delete(TILES))
            write_tiles(connection, tiles.changed)
        return tiles

    def sign_anew(self, tiles: Tiles, key: SigningKey, *, after: int = 0) -> None:
        """Make the checkpoints those of the log as it is now, with some key."""
        for old in self.checkpoints():
            if old.size > after:
                root = root_of(old.size, tiles.node)
                note = key.sign_checkpoint("/tallystick", old.size, root)
                self.replace(replace(old, root=root, note=note, public_key=key.public))

    def replace(self, checkpoint: Sealed) -> None:
        with self.ledger.database.durable.begin() as connection:
            connection.execute(delete(CHECKPOINTS).where(CHECKPOINTS.c.size == checkpoint.size))
            add_checkpoint(connection, checkpoint)

    def forget_after(self, size: int) -> None:
        with self.ledger.database.durable.begin() as connection:
            connection.execute(delete(CHECKPOINTS).where(CHECKPOINTS.c.size > size))


# --- Tampering with events ------------------------------------------------------------------------

OTHER = b'{"at":"2026-01-01T12:34:56Z"}'


def change_state(ledger: OpenLedger, position: int = BAD) -> None:
    changed = "UPDATE stored_events SET state = :state WHERE POSITION = :at"
    execute(ledger, changed, state=OTHER, at=position)


def change_topic(ledger: OpenLedger) -> None:
    changed = "UPDATE stored_events SET topic = 'claim.forged' WHERE POSITION = :at"
    execute(ledger, changed, at=BAD)


def change_stream(ledger: OpenLedger) -> None:
    changed = (
        "UPDATE stored_events SET originator_id = 'claim:forged', originator_version = 1 "
        "WHERE POSITION = :at"
    )
    execute(ledger, changed, at=BAD)


def remove(ledger: OpenLedger) -> None:
    execute(ledger, "DELETE FROM stored_events WHERE POSITION = :at", at=BAD)


def remove_and_close_the_gap(ledger: OpenLedger) -> None:
    remove(ledger)
    move(ledger, BAD + 1, -1)


def insert(ledger: OpenLedger) -> None:
    move(ledger, BAD, 1)
    write(ledger, BAD, "claim:forged")


def reorder(ledger: OpenLedger) -> None:
    swap = "UPDATE stored_events SET POSITION = :new WHERE POSITION = :old"
    for old, new in ((BAD, -1), (BAD + 1, BAD), (-1, BAD + 1)):
        execute(ledger, swap, old=old, new=new)


def write(ledger: OpenLedger, position: int, stream: str) -> None:
    """A stream's first event, out of nothing."""
    written = (
        "INSERT INTO stored_events (POSITION, originator_id, originator_version, topic, state) "
        "VALUES (:at, :stream, 1, 'claim.granted', :state)"
    )
    execute(ledger, written, at=position, stream=stream, state=OTHER)


def move(ledger: OpenLedger, first: int, by: int) -> None:
    """All positions from the first on; past negative ones, so that no two ever meet."""
    away = "UPDATE stored_events SET POSITION = -POSITION WHERE POSITION >= :first"
    execute(ledger, away, first=first)
    back = "UPDATE stored_events SET POSITION = :by - POSITION WHERE POSITION < 0"
    execute(ledger, back, by=by)


def cut_off(ledger: OpenLedger, size: int) -> None:
    execute(ledger, "DELETE FROM stored_events WHERE POSITION > :size", size=size)


TAMPERINGS: tuple[Callable[[OpenLedger], None], ...] = (
    change_state,
    change_topic,
    change_stream,
    remove,
    remove_and_close_the_gap,
    insert,
    reorder,
)
