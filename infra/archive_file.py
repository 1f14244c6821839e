"""One Parquet file for one sealed range of the log: written so that it is whole or not there, read
by row groups so that memory stays flat, and proven by a digest.

Columns: `position` int64, `originator_id` string, `originator_version` int64, `topic` string,
`state` binary; zstd; one row for each position from `first` to `last`, in order. The footer's
key-value metadata holds, as decimal text, `tallystick.format`, `tallystick.first`,
`tallystick.last`, `tallystick.events`, and `tallystick.digest`.

The digest is SHA-256, in hexadecimal, over the rows in order; of each row over

    position (8 bytes), originator_version (8 bytes),
    length of originator_id (8 bytes), length of topic (8 bytes), length of state (8 bytes),
    originator_id, topic, state

with numbers unsigned and big-endian, texts in UTF-8, lengths in bytes.
"""

from __future__ import annotations

import hashlib
import os
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import accumulate
from pathlib import Path
from struct import Struct
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from infra.archived_ranges import ArchiveDamaged, Contents
from infra.log_rows import LogRow

FORMAT = "1"
ROWS_PER_GROUP = 20_000
UNFINISHED = ".unfinished"
"""The end of a temporary name."""

_NUMBERS = Struct(">QQQQQ")
_SCHEMA = pa.schema(
    [
        ("position", pa.int64()),
        ("originator_id", pa.string()),
        ("originator_version", pa.int64()),
        ("topic", pa.string()),
        ("state", pa.binary()),
    ]
)
_REPEATED = ["originator_id", "topic"]


class RowsDigest:
    """The digest over rows in order, see above."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def add(self, rows: Iterable[LogRow]) -> None:
        for position, stream, version, topic, state in rows:
            id_bytes, topic_bytes = stream.encode(), topic.encode()
            sizes = len(id_bytes), len(topic_bytes), len(state)
            self._hash.update(
                _NUMBERS.pack(position, version, *sizes) + id_bytes + topic_bytes + state
            )

    def hexdigest(self) -> str:
        return self._hash.hexdigest()


def write_archive_file(
    path: Path, groups: Iterable[Sequence[LogRow]], expected: Contents | None = None
) -> Contents:
    """Write rows, each list as one row group. The file has its name only once it is on the disk.

    If the rows are not those that are expected, it raises ArchiveDamaged, and the file at `path`
    stays what it was.
    """
    unfinished = path.with_name(path.name + UNFINISHED)
    with unfinished.open("wb") as file:
        contents = _write(file, groups)
        file.flush()
        os.fsync(file.fileno())
    if expected is not None and contents != expected:
        raise ArchiveDamaged(path, "the database does not have the events that it is to hold")
    unfinished.replace(path)
    sync_folder(path.parent)
    return contents


def _write(file: Any, groups: Iterable[Sequence[LogRow]]) -> Contents:
    digest = RowsDigest()
    first = last = events = 0
    with parquet.ParquetWriter(
        file,
        _SCHEMA,
        compression="zstd",
        use_dictionary=_REPEATED,
        column_encoding={
            "position": "DELTA_BINARY_PACKED",
            "originator_version": "DELTA_BINARY_PACKED",
        },
        write_page_checksum=True,
    ) as writer:
        for rows in groups:
            digest.add(rows)
            first = first or rows[0].position
            last = rows[-1].position
            events += len(rows)
            columns = [
                pa.array(column, field.type)
                for column, field in zip(zip(*rows, strict=True), _SCHEMA, strict=True)
            ]
            writer.write_table(pa.Table.from_arrays(columns, schema=_SCHEMA), len(rows))
        contents = Contents(first, last, events, digest.hexdigest())
        told = {f"tallystick.{name}": str(value) for name, value in contents._asdict().items()}
        writer.add_key_value_metadata({"tallystick.format": FORMAT, **told})
    return contents


class ArchiveFile:
    """An opened file. Every failure to read it is an ArchiveDamaged that names it."""

    def __init__(self, path: Path, expected: Contents) -> None:
        self.path = path
        with self._reading():
            # The pages' own checksums tell a flipped bit from what was written.
            self._parquet = parquet.ParquetFile(
                path, read_dictionary=_REPEATED, page_checksum_verification=True
            )
            self.contents = self._contents()
            if self.contents != expected:
                raise ArchiveDamaged(path, "it is another file than the one that was archived")
            footer = self._parquet.metadata
            sizes = [footer.row_group(n).num_rows for n in range(footer.num_row_groups)]
        self.starts = list(accumulate(sizes, initial=self.contents.first))
        """The first position of each row group, and one after the last."""

    def close(self) -> None:
        self._parquet.close()

    def groups_between(self, after: int, until: int) -> range:
        """The row groups with positions at after < position <= until."""
        begin = max(0, bisect_right(self.starts, after + 1) - 1)
        return range(begin, bisect_left(self.starts, min(until, self.contents.last) + 1))

    def rows(self, group: int) -> list[LogRow]:
        """The rows of one row group, in order."""
        with self._reading():
            rows = _log_rows(self._parquet.read_row_group(group))
        if not rows or (rows[0].position, rows[-1].position + 1) != (
            self.starts[group],
            self.starts[group + 1],
        ):
            raise ArchiveDamaged(self.path, f"row group {group} does not hold its positions")
        return rows

    def rows_of(self, group: int, stream: str) -> list[LogRow]:
        """The rows of one stream in one row group, in order. Mostly there are none."""
        with self._reading():
            names = self._parquet.read_row_group(group, columns=["originator_id"]).column(0)
            if all(pc.index(chunk.dictionary, stream).as_py() < 0 for chunk in names.chunks):
                return []
            table = self._parquet.read_row_group(group).filter(pc.equal(names, stream))
            return _log_rows(table)

    def verified_groups(self) -> Iterator[list[LogRow]]:
        """All rows by row group. At the end, they have proven to be what was written."""
        first, last, events, expected = self.contents
        digest = RowsDigest()
        position = first
        for group in range(len(self.starts) - 1):
            rows = self.rows(group)
            for row in rows:
                if row.position != position:
                    raise ArchiveDamaged(self.path, f"position {position} is not in its place")
                position += 1
            digest.add(rows)
            yield rows
        if position != last + 1 or events != position - first:
            raise ArchiveDamaged(self.path, "it does not hold all of its events")
        if digest.hexdigest() != expected:
            raise ArchiveDamaged(self.path, "its digest is wrong: the rows were altered")

    def _contents(self) -> Contents:
        if not self._parquet.schema_arrow.names == _SCHEMA.names:
            raise ArchiveDamaged(self.path, "it is no archived part of a log")
        told = {key.decode(): value.decode() for key, value in self._footer().items()}
        if told.get("tallystick.format") != FORMAT:
            raise ArchiveDamaged(self.path, "it has no format that this version can read")
        first, last, events = (int(told[f"tallystick.{n}"]) for n in ("first", "last", "events"))
        return Contents(first, last, events, told["tallystick.digest"])

    def _footer(self) -> dict[bytes, bytes]:
        metadata: dict[bytes, bytes] | None = self._parquet.metadata.metadata
        return metadata or {}

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            raise ArchiveDamaged(self.path, "the file is missing") from None
        except (pa.ArrowException, OSError, ValueError, LookupError) as wrong:
            raise ArchiveDamaged(self.path, f"it cannot be read: {wrong}") from wrong


def _log_rows(table: Any) -> list[LogRow]:
    return list(map(LogRow._make, zip(*map(_values, table.columns), strict=True)))


def _values(column: Any) -> list[Any]:
    """A column's values. A repeated text is decoded once for all its rows."""
    found: list[Any] = []
    for chunk in column.chunks:
        if pa.types.is_dictionary(chunk.type):
            words = chunk.dictionary.to_pylist()
            found += [words[index] for index in chunk.indices.to_numpy().tolist()]
        else:
            found += chunk.to_numpy(zero_copy_only=False).tolist()
    return found


def sync_folder(folder: Path) -> None:
    """What was renamed or made in a folder has its new name after a crash, too."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
