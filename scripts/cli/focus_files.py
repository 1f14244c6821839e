"""Writes rows of FOCUS as CSV and as Parquet, a few at a time."""

import csv
import io
from datetime import datetime
from decimal import Decimal
from typing import Any, BinaryIO, Protocol

from scripts.cli.failure import Failure
from scripts.cli.focus_columns import COLUMNS, DECIMALS, FOCUS_VERSION, MOMENTS, WHOLE
from scripts.cli.focus_rows import Row

ROWS_AT_ONCE = 50_000
"""In a row group of Parquet."""
DIGITS = 38


class Writer(Protocol):
    def write(self, row: Row) -> None: ...

    def close(self) -> None: ...


class CsvWriter:
    """RFC 4180 with a row of names; what there is not is empty."""

    def __init__(self, file: BinaryIO) -> None:
        self._text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        self._writer = csv.DictWriter(self._text, COLUMNS)
        self._writer.writeheader()

    def write(self, row: Row) -> None:
        self._writer.writerow(row)

    def close(self) -> None:
        # The file is closed by whoever opened it.
        self._text.detach()


class ParquetWriter:
    """Decimals as decimals, moments as timestamps in UTC."""

    def __init__(self, file: BinaryIO) -> None:
        import pyarrow as pa
        from pyarrow import parquet

        types = {
            **dict.fromkeys(WHOLE, pa.int64()),
            **dict.fromkeys(MOMENTS, pa.timestamp("us", tz="UTC")),
            **{name: pa.decimal128(DIGITS, scale) for name, scale in DECIMALS.items()},
        }
        self._schema = pa.schema(
            [(name, types.get(name, pa.string())) for name in COLUMNS],
            metadata={"focus.dataset": "Cost and Usage", "focus.version": FOCUS_VERSION},
        )
        self._from_rows = pa.Table.from_pylist
        self._does_not_fit = pa.ArrowInvalid
        self._writer = parquet.ParquetWriter(file, self._schema, compression="zstd")
        self._rows: list[dict[str, Any]] = []

    def write(self, row: Row) -> None:
        self._rows.append({name: _value(name, told) for name, told in row.items()})
        if len(self._rows) == ROWS_AT_ONCE:
            self._flush()

    def close(self) -> None:
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        if not self._rows:
            return
        try:
            table = self._from_rows(self._rows, self._schema)
        except self._does_not_fit as found:
            raise Failure(
                f"a cost has more than {DIGITS} digits, which Parquet cannot hold: {found}",
                "Write it with --csv.",
            ) from None
        self._writer.write_table(table)
        self._rows = []


def _value(name: str, told: str | None) -> Any:
    if told is None:
        return None
    if name in MOMENTS:
        return datetime.fromisoformat(told)
    if name in DECIMALS:
        return Decimal(told)
    return int(told) if name in WHOLE else told
