"""One code for two versions of a schema: the one that still serves, and the one being built.

A column (or a table) that a later version added says so, `info={"since": 2}`. On tables of an older
version it is left out when rows are written, and is null when they are read.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Table, null

VERSION = "projection_version"
"""The execution option that says which schema version a connection's tables have."""
NEWEST = 1_000_000_000


def version_of(connection: Connection) -> int:
    version: int = connection.get_execution_options().get(VERSION, NEWEST)
    return version


def is_in(part: Column[Any] | Table, version: int) -> bool:
    since: int = part.info.get("since", 1)
    return since <= version


def columns_in(connection: Connection, table: Table) -> list[ColumnElement[Any]]:
    """All the table's columns, to select; those that it does not have yet are null."""
    version = version_of(connection)
    return [
        column if is_in(column, version) else null().label(column.name) for column in table.columns
    ]
