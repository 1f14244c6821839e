"""Comparing two builds of a projection, column by column, where both define one.

Both are read as of one position of the log, in the order of their primary keys. A column's digest
is the SHA-256 of its values in that order, as JSON.
"""

from __future__ import annotations

import hashlib

from pydantic_core import to_json
from sqlalchemy import Connection, Table, func, select

from api.house import TableComparison
from projections.projection import Projection
from projections.schema_version import is_in, version_of

ROWS_AT_ONCE = 10_000


def compare_tables(
    projection: Projection, old: Connection, new: Connection
) -> list[TableComparison]:
    """How many rows each table has in both builds, and which of their columns differ."""
    tables = projection.metadata.sorted_tables
    both = min(version_of(old), version_of(new))
    return [_compare(table, old, new, both) for table in tables if is_in(table, both)]


def _compare(table: Table, old: Connection, new: Connection, version: int) -> TableComparison:
    names = [column.name for column in table.columns if is_in(column, version)]
    counts = [int(one.scalar(select(func.count()).select_from(table)) or 0) for one in (old, new)]
    before, after = _digests(table, names, old), _digests(table, names, new)
    return TableComparison(
        table=table.name,
        rows_before=counts[0],
        rows=counts[1],
        columns=len(names),
        differing=[name for name in names if before[name] != after[name]],
    )


def _digests(table: Table, names: list[str], connection: Connection) -> dict[str, str]:
    columns = [table.c[name] for name in names]
    digests = [hashlib.sha256() for _ in names]
    statement = select(*columns).order_by(*table.primary_key.columns)
    found = connection.execute(statement, execution_options={"yield_per": ROWS_AT_ONCE})
    for rows in found.partitions():
        for digest, values in zip(digests, zip(*rows, strict=True), strict=True):
            # Without the brackets, so that where the chunks end leaves no trace.
            digest.update(to_json(values)[1:-1] + b",")
    return {name: digest.hexdigest() for name, digest in zip(names, digests, strict=True)}
