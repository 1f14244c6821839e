"""The tables of the catalog projection: custom names, and flavors with all their definitions."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import BigInteger, Column, MetaData, Table, Text

from projections.bulk import Rows

metadata = MetaData()

names = Table(
    "names",
    metadata,
    Column("category", Text, primary_key=True, doc="resource_class or trait"),
    Column("name", Text, primary_key=True),
    Column("defined", BigInteger, nullable=False, doc="1, or 0 after it was removed"),
)
flavors = Table(
    "flavors",
    metadata,
    Column("name", Text, primary_key=True),
    Column("number", BigInteger, nullable=False, doc="of the newest definition"),
    Column("offered", BigInteger, nullable=False, doc="1, or 0 after it was removed"),
    Column("version", BigInteger, nullable=False),
)
definitions = Table(
    "definitions",
    metadata,
    Column("name", Text, primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("defined_at", BigInteger, nullable=False),
    Column("expansion", Text, nullable=False, doc="JSON"),
)


@dataclass(slots=True)
class CatalogName:
    category: str
    name: str
    defined: int


@dataclass(slots=True)
class FlavorState:
    name: str
    number: int
    offered: int
    version: int


@dataclass(slots=True)
class FlavorDefinition:
    name: str
    number: int
    defined_at: int
    expansion: str


NAMES = Rows(names, CatalogName, changing=("defined",))
FLAVORS = Rows(flavors, FlavorState, changing=("number", "offered", "version"))
DEFINITIONS = Rows(definitions, FlavorDefinition)
