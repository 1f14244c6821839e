"""What seals the log, as it is stored: two tables beside it, in the log's own database.

Tiles could be hashed again from the log, checkpoints could not: they say what the log was.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    delete,
    insert,
    select,
)
from sqlalchemy.schema import CreateTable

from domain.checkpoint import in_base64
from domain.merkle import HASH_BYTES, TILE_HASHES
from domain.proof import Checkpoint
from domain.times import from_micros

METADATA = MetaData()
TILES = Table(
    "proof_tiles",
    METADATA,
    Column("level", SmallInteger, primary_key=True, autoincrement=False),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("hashes", LargeBinary, nullable=False),
)
CHECKPOINTS = Table(
    "proof_checkpoints",
    METADATA,
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("root", LargeBinary, nullable=False),
    # Microseconds since 1970.
    Column("sealed_at", BigInteger, nullable=False),
    # Services on several hosts may have keys of their own.
    Column("public_key", LargeBinary, nullable=False),
    Column("note", String, nullable=False),
)
TILES_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Sealed:
    """A row of the checkpoints."""

    size: int
    root: bytes
    sealed_at: int
    public_key: bytes
    note: str

    def told(self) -> Checkpoint:
        return Checkpoint(
            size=self.size,
            root=in_base64(self.root),
            sealed_at=from_micros(self.sealed_at),
            public_key=in_base64(self.public_key),
            note=self.note,
        )


def create_tables(engine: Engine) -> None:
    with engine.begin() as connection:
        for table in METADATA.sorted_tables:
            connection.execute(CreateTable(table, if_not_exists=True))


# --- Checkpoints ----------------------------------------------------------------------------------


def newest_checkpoint(connection: Connection) -> Sealed | None:
    found = checkpoints_before(connection, None, 1)
    return found[0] if found else None


def find_checkpoint(connection: Connection, size: int) -> Sealed | None:
    found = connection.execute(select(CHECKPOINTS).where(CHECKPOINTS.c.size == size)).one_or_none()
    return None if found is None else Sealed(*found)


def first_checkpoint_of(connection: Connection, position: int) -> Sealed | None:
    """The smallest that seals this position."""
    query = select(CHECKPOINTS).where(CHECKPOINTS.c.size >= position)
    found = connection.execute(query.order_by(CHECKPOINTS.c.size).limit(1)).one_or_none()
    return None if found is None else Sealed(*found)


def checkpoints_before(connection: Connection, size: int | None, limit: int) -> list[Sealed]:
    """Of fewer events than `size` (None: all), the largest first."""
    query = select(CHECKPOINTS).order_by(CHECKPOINTS.c.size.desc()).limit(limit)
    if size is not None:
        query = query.where(CHECKPOINTS.c.size < size)
    return [Sealed(*row) for row in connection.execute(query)]


def all_checkpoints(connection: Connection) -> list[Sealed]:
    rows = connection.execute(select(CHECKPOINTS).order_by(CHECKPOINTS.c.size))
    return [Sealed(*row) for row in rows]


def add_checkpoint(connection: Connection, sealed: Sealed) -> None:
    connection.execute(insert(CHECKPOINTS).values(asdict(sealed)))


# --- Tiles ----------------------------------------------------------------------------------------


def load_tile(engine: Engine, level: int, number: int) -> bytes | None:
    where = (TILES.c.level == level) & (TILES.c.number == number)
    with engine.connect() as connection:
        return connection.scalar(select(TILES.c.hashes).where(where))


def leaves_at(engine: Engine, positions: Iterable[int]) -> dict[int, bytes]:
    """The sealed leaf hashes at these positions; those that are not sealed lack."""
    wanted: dict[int, list[int]] = defaultdict(list)
    for position in positions:
        wanted[(position - 1) // TILE_HASHES].append(position)
    numbers = sorted(wanted)
    found: dict[int, bytes] = {}
    with engine.connect() as connection:
        for start in range(0, len(numbers), TILES_AT_ONCE):
            some = TILES.c.number.in_(numbers[start : start + TILES_AT_ONCE])
            query = select(TILES.c.number, TILES.c.hashes).where(TILES.c.level == 0, some)
            for number, hashes in connection.execute(query):
                for position in wanted[number]:
                    at = (position - 1) % TILE_HASHES * HASH_BYTES
                    if len(leaf := hashes[at : at + HASH_BYTES]) == HASH_BYTES:
                        found[position] = leaf
    return found


def write_tiles(connection: Connection, tiles: Mapping[tuple[int, int], bytes]) -> None:
    for level, number in tiles:
        where = (TILES.c.level == level) & (TILES.c.number == number)
        connection.execute(delete(TILES).where(where))
    rows = [
        {"level": level, "number": number, "hashes": hashes}
        for (level, number), hashes in tiles.items()
    ]
    connection.execute(insert(TILES), rows)
