"""Whole rows of one table, found and written many at a time: one statement a page, not a row.

There are three ways to write. The plain one hands the driver a list of rows: the fastest where the
database is in the process. Another hands over one JSON document that the database takes apart: a
driver that talks to a server spends a tenth of the time on it. An engine whose execution option
`rows_as_document` is true uses that. The third is for many rows at once: an engine whose option
`stage_rows` is a function has it load them into a table from which they are put in their place.
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
    Index,
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
from projections.schema_version import columns_in, is_in, version_of

R = TypeVar("R")

ROWS_AS_DOCUMENT = "rows_as_document"
STAGE_ROWS = "stage_rows"

LOOKED_UP = {"looked_up": True}
"""Marks an index by which folding finds rows. The others may be made after a table was filled."""


def is_looked_up(index: Index) -> bool:
    return bool(index.info.get("looked_up", False))


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
        self._changing = changing
        self._inserts: dict[int, _Insert] = {}

    def find(
        self,
        connection: Connection,
        by: Sequence[str],
        keys: Iterable[Sequence[str]],
        *conditions: ColumnElement[bool],
    ) -> list[R]:
        """The rows whose columns `by` (of text) equal one of the keys, in one query."""
        keyed = key_table(keys)
        if keyed is None or not is_in(self.table, version_of(connection)):
            return []
        matches = [self.table.c[name] == key_part(keyed, i) for i, name in enumerate(by)]
        columns = columns_in(connection, self.table)
        statement = select(*columns).select_from(keyed).where(*matches, *conditions)
        return [self.kind(*row) for row in connection.execute(statement)]

    def put(self, connection: Connection, rows: Iterable[R]) -> None:
        """Insert the rows, or set the changing columns of those that are there."""
        version = version_of(connection)
        if not is_in(self.table, version):
            return
        insert = self._inserts.get(version)
        if insert is None:
            insert = self._inserts[version] = _Insert(self.table, self._changing, version)
        values = list(map(insert.values_of, rows))
        if values:
            insert.run(connection, values)


StageRows = Callable[[Connection, str, Sequence[str], Sequence[tuple[Any, ...]]], str]
"""Loads rows (table, its columns, values) into a staging table and returns that one's name."""


class _Insert:
    """How rows go into a table as a schema version has it."""

    def __init__(self, table: Table, changing: Sequence[str], version: int) -> None:
        columns = [column for column in table.columns if is_in(column, version)]
        self._table = table
        self._names = [column.name for column in columns]
        self.values_of: Callable[[Any], tuple[Any, ...]] = attrgetter(*self._names)
        self._on_conflict = _on_conflict(table, [name for name in changing if name in self._names])
        self._from_document = _insert_from_document(table, columns, self._on_conflict)
        self._plain: dict[str, tuple[str, bool]] = {}

    def run(self, connection: Connection, values: Sequence[tuple[Any, ...]]) -> None:
        options = connection.get_execution_options()
        stage: StageRows | None = options.get(STAGE_ROWS)
        if stage is not None:
            staged = stage(connection, self._table.name, self._names, values)
            names = ", ".join(self._names)
            connection.exec_driver_sql(
                f"INSERT INTO {self._table.name} ({names}) SELECT {names} FROM {staged} "  # noqa: S608  our own names only
                f"{self._on_conflict}"
            )
        elif options.get(ROWS_AS_DOCUMENT, False):
            document = to_text(dict(enumerate(values)))
            connection.execute(self._from_document, {"rows": document})
        else:
            self._run_plain(connection, values)

    def _run_plain(self, connection: Connection, values: Sequence[tuple[Any, ...]]) -> None:
        statement, positional = self._plain_statement(connection.dialect)
        if positional:
            connection.exec_driver_sql(statement, list(values))
        else:
            mappings = [dict(zip(self._names, row, strict=True)) for row in values]
            connection.exec_driver_sql(statement, mappings)

    def _plain_statement(self, dialect: Dialect) -> tuple[str, bool]:
        """The insert in the driver's own words; and whether it takes tuples, or else mappings."""
        known = self._plain.get(dialect.name)
        if known is None:
            compiled = insert(self._table).compile(dialect=dialect, column_keys=self._names)
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


def _insert_from_document(
    table: Table, columns: Sequence[Column[Any]], on_conflict: str
) -> TextClause:
    names = ", ".join(column.name for column in columns)
    parts = ", ".join(_part(column, place) for place, column in enumerate(columns))
    # SQLite needs the WHERE to tell the conflict clause from a join's.
    return text(
        f"INSERT INTO {table.name} ({names}) SELECT {parts} "  # noqa: S608  our own names only
        f"FROM json_each(:rows) AS listed WHERE true {on_conflict}"
    )


def _part(column: Column[Any], place: int) -> str:
    whole = isinstance(column.type, (BigInteger, Integer))
    return f"CAST(listed.value ->> {place} AS BIGINT)" if whole else f"listed.value ->> {place}"
