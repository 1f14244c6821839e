"""Sealing: the events since the newest checkpoint get their hashes, and a signed checkpoint.

Both are written in one transaction, so that a process that ends anywhere leaves the last
checkpoint, and the next one goes on from there. What the log was before is held to: the kept hashes
must still give the root of the last checkpoint, or nothing more is signed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from domain.merkle import TileMissing, Tiles, root_of
from domain.times import to_micros
from infra.database import Database
from infra.event_log import EventLog
from infra.leaf_chain import LeafChain
from infra.log_rows import LogRow
from infra.sealed_tables import (
    Sealed,
    add_checkpoint,
    leaves_at,
    load_tile,
    newest_checkpoint,
    write_tiles,
)
from infra.settings import Settings
from infra.signing import signing_key

PLACE = "proofs"
PAGE = 5_000
MOST_EVENTS = 20_000
"""Under one checkpoint; a tampered event is found between two of them."""
STREAMS_KEPT = 100_000


class SealBroken(Exception):
    """The log, or what seals it, is not what it was. Nothing is signed any more."""


class Sealer:
    def __init__(self, settings: Settings, database: Database, log: EventLog) -> None:
        self._origin = settings.proof_origin
        self._key_file = settings.signing_key_file
        self._database = database
        self._log = log
        self._chain = LeafChain()
        # The newest checkpoint is looked at before the next is written.
        self._changing = database.durable.execution_options(sqlite_begin="IMMEDIATE")

    def seal(self, *, page: int = PAGE, rest: Callable[[], None] = lambda: None) -> int:
        """Seal what is new, up to MOST_EVENTS, and return how many events that are.

        0 also if another process seals. Raises SealBroken, ChainBroken, LogGap, ArchiveDamaged.
        """
        with self._database.own_place(PLACE) as is_ours:
            if not is_ours:
                return 0
            try:
                return self._seal(page, rest)
            except BaseException:
                self._chain.forget()
                raise

    def sealed(self) -> Sealed | None:
        with self._database.durable.connect() as connection:
            return newest_checkpoint(connection)

    def _seal(self, page: int, rest: Callable[[], None]) -> int:
        newest, head = self.sealed(), self._log.head()
        size = newest.size if newest else 0
        tiles = Tiles(lambda level, number: load_tile(self._database.durable, level, number))
        if newest is not None:
            self._hold_to(newest, head, tiles)
        until = min(head, size + MOST_EVENTS)
        for after in range(size, until, page):
            rows = self._log.rows(after, min(after + page, until))
            self._find_chain(rows)
            tiles.append(after, b"".join(map(self._chain.leaf, rows)))
            rest()
        self._chain.trim(STREAMS_KEPT)
        return until - size if until > size and self._write(size, until, tiles) else 0

    def _hold_to(self, newest: Sealed, head: int, tiles: Tiles) -> None:
        if head < newest.size:
            raise SealBroken(f"{newest.size} events were sealed, and the log ends at {head}")
        try:
            is_true = root_of(newest.size, tiles.node) == newest.root
        except TileMissing as missing:
            raise SealBroken(str(missing)) from missing
        if not is_true:
            raise SealBroken(f"the kept hashes do not give the root of checkpoint {newest.size}")

    def _find_chain(self, rows: Sequence[LogRow]) -> None:
        """Look up the leaves before these rows that are not at hand; all of them are sealed, as the
        chain has those of this round."""
        places = self._log.positions(self._chain.unknown(rows))
        leaves = leaves_at(self._database.durable, places.values())
        for (stream, version), position in places.items():
            if position in leaves:
                self._chain.set(stream, version, leaves[position])

    def _write(self, size: int, until: int, tiles: Tiles) -> bool:
        key, root = signing_key(self._key_file), root_of(until, tiles.node)
        note = key.sign_checkpoint(self._origin, until, root)
        now = to_micros(datetime.now(UTC))
        with self._changing.begin() as connection:
            newest = newest_checkpoint(connection)
            if (newest.size if newest else 0) != size:
                return False  # Another process sealed, while it was thought that this one does.
            write_tiles(connection, tiles.changed)
            add_checkpoint(connection, Sealed(until, root, now, key.public, note))
        return True
