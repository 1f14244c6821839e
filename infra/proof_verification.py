"""Proof that the log is what was sealed: `tally verify --proofs`.

Every leaf is hashed again from the log, in order. At each checkpoint the root must be the one that
was signed. If it is not, the kept hashes say at which position the log differs; if they were
forged, too, only the range since the last good checkpoint is known, and its first position is told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from eventsourcing.persistence import PersistenceError
from pydantic import BaseModel

from domain.merkle import TILE_LEVELS, Tiles, root_of
from infra.archived_ranges import ArchiveDamaged
from infra.database import Database, open_database
from infra.event_log import EventLog, LogGap
from infra.leaf_chain import ChainBroken, LeafChain
from infra.log_rows import LogRow
from infra.sealed_tables import all_checkpoints, leaves_at, load_tile
from infra.seals import Seal, finding, read_seals
from infra.settings import Settings
from infra.stored_rows import StoredRows
from infra.verification import Problem

PAGE = 5_000
NOT_SEALED = "the event is not the one that was sealed"


class ProofReport(BaseModel):
    """`sealed` events are covered by checkpoints, `events` are there. `keys` signed."""

    ok: bool
    events: int
    sealed: int
    checkpoints: int
    keys: list[str]
    pinned: bool
    problems: list[Problem]


class LogDiffers(Exception):
    """The log is not what was sealed, from this position on."""

    def __init__(self, code: str, position: int, detail: str) -> None:
        super().__init__(detail)
        self.problem = finding(code, position, detail)


def verify_proofs(
    settings: Settings,
    *,
    pinned: Sequence[bytes] = (),
    kept: Sequence[str] = (),
    progress: Callable[[int, int], None],
) -> ProofReport:
    """`pinned` are the public keys that are trusted (none: any), `kept` older checkpoints."""
    database = open_database(settings)
    try:
        database.create_tables()
        return ProofAudit(database, pinned).report(kept, progress)
    finally:
        database.close()


class ProofAudit:
    def __init__(self, database: Database, pinned: Sequence[bytes]) -> None:
        self._database = database
        self._log = EventLog(database)
        self._pinned = pinned
        self._chain = LeafChain()
        self._tiles = Tiles()
        self._sealed = 0
        # Where log and hashes disagree. Which of them is right, the next checkpoint tells.
        self._suspect: LogDiffers | None = None
        self._suspect_tile: LogDiffers | None = None

    def report(self, kept: Sequence[str], progress: Callable[[int, int], None]) -> ProofReport:
        with self._database.durable.connect() as connection:
            sealed = all_checkpoints(connection)
        self._sealed = sealed[-1].size if sealed else 0
        head = self._log.head()
        trusted = read_seals(sealed, kept, self._pinned)
        problems = trusted.problems
        if head and not sealed:
            problems.append(finding("nothing_sealed", 1, "no checkpoint; `tally seal` makes one"))
        if StoredRows(self._database).count(-(2**62), 0):
            problems.append(finding("event_outside", 0, "there are events at positions below 1"))
        try:
            self._hold_to(trusted.seals, progress)
        except LogDiffers as differs:
            problems.append(differs.problem)
        return ProofReport(
            ok=not problems,
            events=head,
            sealed=self._sealed,
            checkpoints=len(sealed),
            keys=trusted.keys,
            pinned=bool(self._pinned),
            problems=sorted(problems, key=lambda one: one.position),
        )

    # --- The log against what was signed ----------------------------------------------------------

    def _hold_to(self, seals: Sequence[Seal], progress: Callable[[int, int], None]) -> None:
        good = good_and_kept = done = 0
        for seal in seals:
            for rows in self._pages(done, seal.size):
                self._hash(rows)
                progress(rows[-1].position, seals[-1].size)
            done = seal.size
            if seal.root is None:
                continue
            if root_of(seal.size, self._tiles.node) != seal.root:
                raise self._differs(seal, good, good_and_kept)
            self._require_true_hashes()
            good = seal.size
            good_and_kept = seal.size if seal.kept else good_and_kept
        self._require_true_hashes()

    def _require_true_hashes(self) -> None:
        """The log is right: if anything disagrees, it is a kept hash."""
        found = self._suspect or self._suspect_tile
        if found is not None:
            raise found

    def _differs(self, seal: Seal, good: int, good_and_kept: int) -> LogDiffers:
        if self._suspect is not None:
            return LogDiffers("event_differs", self._suspect.problem.position, NOT_SEALED)
        if seal.kept:  # Whoever had the key may have signed anew all that was not kept elsewhere.
            detail = f"the kept checkpoint of {seal.size} events is of another log"
            return LogDiffers("fork", good_and_kept + 1, detail)
        detail = f"positions {good + 1} to {seal.size} are not what was sealed, nor are the hashes"
        return LogDiffers("root_differs", good + 1, detail)

    def _hash(self, rows: Sequence[LogRow]) -> None:
        """Add a page, and compare it with the kept hashes of all levels."""
        sealed = leaves_at(self._database.durable, (row.position for row in rows))
        leaves = []
        for row in rows:
            try:
                leaf = self._chain.leaf(row)
            except ChainBroken as broken:
                raise self._earlier_or("event_differs", row.position, broken.detail) from broken
            leaves.append(leaf)
            is_true = row.position > self._sealed or sealed.get(row.position) == leaf
            if not is_true and self._suspect is None:
                detail = "the kept hash is not the event's"
                self._suspect = LogDiffers("hash_differs", row.position, detail)
        self._tiles.append(rows[0].position - 1, b"".join(leaves))
        if rows[-1].position <= self._sealed:
            self._compare_tiles()

    def _earlier_or(self, code: str, position: int, detail: str) -> LogDiffers:
        """The log is wrong here, and before it where it disagreed with its hashes."""
        if self._suspect is not None:
            return LogDiffers("event_differs", self._suspect.problem.position, NOT_SEALED)
        return LogDiffers(code, position, detail)

    def _compare_tiles(self) -> None:
        """Those above the leaves."""
        for (level, number), tile in self._tiles.changed.items():
            kept = load_tile(self._database.durable, level, number) if level else tile
            if (kept or b"")[: len(tile)] != tile and self._suspect_tile is None:
                first = (number << TILE_LEVELS * (level + 1)) + 1
                detail = f"kept hashes of level {level} are not the log's"
                self._suspect_tile = LogDiffers("hash_differs", first, detail)
        self._tiles.changed.clear()
        self._tiles.forget_whole()

    # --- Reading ----------------------------------------------------------------------------------

    def _pages(self, after: int, until: int) -> Iterator[list[LogRow]]:
        """The rows up to a position, all of them. Raises LogDiffers at the first that lacks."""
        while after < until:
            end = min(after + PAGE, until)
            try:
                rows = self._log.rows(after, end)
                self._compare_stored(rows)
            except (LogGap, ArchiveDamaged, PersistenceError):
                rows = self._singly(after, end)
            if rows:
                yield rows
            if len(rows) < end - after:
                missing = after + len(rows) + 1
                raise self._earlier_or("event_missing", missing, "it was sealed, and is not there")
            after = end

    def _singly(self, after: int, until: int) -> list[LogRow]:
        """Up to the first that cannot be read."""
        found: list[LogRow] = []
        for position in range(after + 1, until + 1):
            try:
                found += self._log.rows(position - 1, position)
            except (LogGap, ArchiveDamaged):
                break
            except PersistenceError:
                self._log.head()  # Raises where it is the database that is gone, and not the row.
                break
        return found

    def _compare_stored(self, rows: Sequence[LogRow]) -> None:
        """What is pruned is read from files; what the database keeps of it must be the same."""
        if not rows or rows[0].position > self._log.pruned_until:
            return
        by_position = {row.position: row for row in rows}
        for stored in self._database.select_range(rows[0].position - 1, rows[-1].position):
            if by_position.get(stored.position) != stored:
                detail = "the database differs from the archive"
                raise self._earlier_or("event_differs", stored.position, detail)
