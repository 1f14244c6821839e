"""The lines of a bill as files: CSV for spreadsheets, Parquet for whoever computes with them."""

import csv
import io
import json
from datetime import datetime
from decimal import Decimal
from typing import Any

from scripts.cli.bill_read import Bill

COLUMNS = (
    *("consumer_id", "position", "status", "resource", "unit", "provider_id", "amount_held"),
    *("from_at", "to_at", "price", "per", "quantity", "unit_price", "amount"),
)
"""As the service names them, and in its order."""
WHOLE = ("position", "amount_held")
MOMENTS = ("from_at", "to_at")
DECIMALS = {"quantity": 9, "unit_price": 12, "amount": 4}
"""Digits after the point: as many as a price book, a statement and any currency can have."""
DIGITS = 38


def to_csv(bill: Bill) -> bytes:
    """RFC 4180 with a row of names; times in RFC 3339, what there is not is empty."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS)
    writer.writeheader()
    writer.writerows(bill.lines)
    return text.getvalue().encode()


def to_parquet(bill: Bill) -> bytes:
    """The statement itself is in the file's metadata, as JSON under `tallystick.statement`."""
    import pyarrow as pa
    from pyarrow import parquet

    types = {
        **dict.fromkeys(WHOLE, pa.int64()),
        **dict.fromkeys(MOMENTS, pa.timestamp("us", tz="UTC")),
        **{name: pa.decimal128(DIGITS, scale) for name, scale in DECIMALS.items()},
    }
    schema = pa.schema(
        [(name, types.get(name, pa.string())) for name in COLUMNS],
        metadata={"tallystick.statement": json.dumps(bill.statement)},
    )
    rows = [{name: _value(name, line[name]) for name in COLUMNS} for line in bill.lines]
    buffer = io.BytesIO()
    parquet.write_table(pa.Table.from_pylist(rows, schema), buffer, compression="zstd")
    return buffer.getvalue()


def _value(name: str, told: Any) -> Any:
    if name in MOMENTS:
        return datetime.fromisoformat(told)
    return Decimal(told) if name in DECIMALS else told
