"""Whole rows of one table, found and written many at a time: one statement a page, not a row.

There are two ways to write, and both work on every engine. The plain one hands the driver a list of
rows: the fastest where the database is in the process. The other hands over one JSON document that
the database takes apart: a driver that talks to a server spends a tenth of the time on it. An
engine whose execution option `rows_as_document` is true uses the second.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from typing import Any, Generic, TypeVar

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Dialect,
    Integer,
    Table,
    TableValuedAlias,
    TextClause,
    bindparam,
    cast,
    func,
    insert,
    literal_column,
    select,
    text,
)
from sqlalchemy.types import NullType

from projections.json_text import to_text

R = TypeVar("R")

ROWS_AS_DOCUMENT = "rows_as_document"

POSITION = BigInteger().with_variant(Integer(), "sqlite")
"""The type of a primary key that is a position: SQLite keeps a table in the order of its INTEGER
PRIMARY KEY, and for one of any other name it keeps an index beside the table."""


class Rows(Generic[R]):
    """A table whose rows are read and written as objects of `kind`.

    They have the columns as attributes, and as constructor arguments in the columns' order.
    `changing` names the columns that change after a row was first written: of a row that is there
    already (by its primary key), `put` sets these and no others.
    """

    def __init__(self, table: Table, kind: Callable[..., R], changing: Sequence[str] = ()) -> None:
        self.table = table
        self.kind = kind
        self._values_of: Callable[[R], tuple[Any, ...]] = attrgetter(*table.columns.keys())
        self._on_conflict = _on_conflict(table, changing)
        self._from_document = _insert_from_document(table, self._on_conflict)
        self._plain: dict[str, tuple[str, bool]] = {}

    def find(
        self,
        connection: Connection,
        by: Sequence[str],
        keys: Iterable[Sequence[str]],
        *conditions: ColumnElement[bool],
    ) -> list[R]:
        """The rows whose columns `by` (of text) equal one of the keys, in one query."""
        keyed = key_table(keys)
        if keyed is None:
            return []
        matches = [self.table.c[name] == key_part(keyed, i) for i, name in enumerate(by)]
        statement = select(self.table).select_from(keyed).where(*matches, *conditions)
        return [self.kind(*row) for row in connection.execute(statement)]

    def put(self, connection: Connection, rows: Iterable[R]) -> None:
        """Insert the rows, or set the changing columns of those that are there."""
        values = list(map(self._values_of, rows))
        if not values:
            return
        if connection.get_execution_options().get(ROWS_AS_DOCUMENT, False):
            document = to_text(dict(enumerate(values)))
            connection.execute(self._from_document, {"rows": document})
            return
        statement, positional = self._plain_statement(connection.dialect)
        if not positional:
            names = self.table.columns.keys()
            connection.exec_driver_sql(
                statement, [dict(zip(names, v, strict=True)) for v in values]
            )
        else:
            connection.exec_driver_sql(statement, values)

    def _plain_statement(self, dialect: Dialect) -> tuple[str, bool]:
        """The insert in the driver's own words; and whether it takes tuples, or else mappings."""
        known = self._plain.get(dialect.name)
        if known is None:
            compiled = insert(self.table).compile(dialect=dialect)
            known = (f"{compiled} {self._on_conflict}", bool(compiled.positional))
            self._plain[dialect.name] = known
        return known


def key_table(keys: Iterable[Sequence[str | int]]) -> TableValuedAlias | None:
    """Keys as a table to join with; None if there are none. Any number of them is one parameter.

    `json_each` of an object gives one row a member, in SQLite and in PostgreSQL alike. The
    parameter has no type, or it would be sent as a text, which PostgreSQL takes no members of.
    """
    members = dict(enumerate(keys))
    if not members:
        return None
    document = bindparam(None, to_text(members), type_=NullType())
    return func.json_each(document).table_valued("value", name="keyed")


def key_part(keyed: TableValuedAlias, place: int, *, whole: bool = False) -> ColumnElement[Any]:
    """One value of each key: a text, or a whole number."""
    part = keyed.c.value.op("->>")(literal_column(str(place)))
    return cast(part, BigInteger) if whole else part


def _on_conflict(table: Table, changing: Sequence[str]) -> str:
    key = ", ".join(column.name for column in table.primary_key)
    sets = ", ".join(f"{name} = excluded.{name}" for name in changing)
    return f"ON CONFLICT ({key}) DO UPDATE SET {sets}" if changing else ""


def _insert_from_document(table: Table, on_conflict: str) -> TextClause:
    names = ", ".join(table.columns.keys())
    parts = ", ".join(_part(column, place) for place, column in enumerate(table.columns))
    # SQLite needs the WHERE to tell the conflict clause from a join's.
    return text(
        f"INSERT INTO {table.name} ({names}) SELECT {parts} "  # noqa: S608  our own names only
        f"FROM json_each(:rows) AS listed WHERE true {on_conflict}"
    )


def _part(column: Column[Any], place: int) -> str:
    whole = isinstance(column.type, (BigInteger, Integer))
    return f"CAST(listed.value ->> {place} AS BIGINT)" if whole else f"listed.value ->> {place}"
