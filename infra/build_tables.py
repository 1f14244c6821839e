"""Making a build's tables: with the indexes that folding needs, or with all of them."""

from __future__ import annotations

from sqlalchemy import Connection, inspect
from sqlalchemy.schema import CreateIndex, CreateTable

from infra.build_progress import metadata as progress_metadata
from infra.build_progress import progress, start_parts
from infra.builds import Build
from infra.database import Database
from projections.bulk import is_looked_up
from projections.projection import Projection
from projections.schema_version import is_in, version_of


def make_tables(
    database: Database, projection: Projection, build: Build, *, all_indexes: bool
) -> None:
    """All tables, empty, at position 0; nothing if they are there."""
    database.create_place(build.place)
    engine = database.read_models(build.place, version=build.version)
    with engine.execution_options(sqlite_begin="IMMEDIATE").begin() as connection:
        if inspect(connection).has_table(progress.name):
            return
        progress_metadata.create_all(connection)
        for table in projection.metadata.sorted_tables:
            connection.execute(CreateTable(table))
            for index in table.indexes:
                if all_indexes or is_looked_up(index):
                    connection.execute(CreateIndex(index))
        start_parts(connection, 1, 0)


def make_reading_indexes(connection: Connection, projection: Projection, table_name: str) -> None:
    """Those of a table that only readers need, if they are missing."""
    table = projection.metadata.tables[table_name]
    version = version_of(connection)
    for index in table.indexes:
        if all(is_in(column, version) for column in index.columns):
            index.create(connection, checkfirst=True)
    connection.exec_driver_sql(f"ANALYZE {table.name}")
