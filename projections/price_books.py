"""The price books read model: every publication of every book."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Column, Connection, MetaData, Row, Table, Text, func, select

from domain.price_book import PriceBookPublished, Prices
from domain.streams import id_of, topics_of
from domain.times import from_micros, to_micros
from projections.bulk import Rows
from projections.projection import Changes, Recorded
from projections.schema_version import columns_in

metadata = MetaData()

publications = Table(
    "publications",
    metadata,
    Column("name", Text, primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("published_at", BigInteger, nullable=False),
    Column("version", BigInteger, nullable=False, doc="the stream's"),
    Column("prices", Text, nullable=False, doc="JSON"),
)


@dataclass(slots=True)
class Publication:
    name: str
    number: int
    published_at: int
    version: int
    prices: str


PUBLICATIONS = Rows(publications, Publication)


class PriceBooksProjection:
    name: str = "price_books"
    version: int = 1
    oldest: int = 1
    metadata: MetaData = metadata
    topics: frozenset[str] | None = topics_of(PriceBookPublished)
    by_stream: bool = True

    def fold(self, connection: Connection, page: Sequence[Recorded]) -> Changes:  # noqa: ARG002
        found = [one.event for one in page if isinstance(one.event, PriceBookPublished)]
        return [(PUBLICATIONS, [_publication(event) for event in found])]


def _publication(event: PriceBookPublished) -> Publication:
    return Publication(
        name=id_of(event.originator_id),
        number=event.number,
        published_at=to_micros(event.at),
        version=event.originator_version,
        prices=event.prices.__pydantic_serializer__.to_json(event.prices).decode(),
    )


# --- Reading --------------------------------------------------------------------------------------


class PriceBookRow(Prices):
    """One publication. `version` is that of the book's stream, for its ETag."""

    name: str
    number: int
    published_at: datetime
    version: int


def read_price_books(
    connection: Connection, *, after: str | None = None, limit: int = 100
) -> list[PriceBookRow]:
    """The newest publication of each book, by name."""
    newest = select(publications.c.name, func.max(publications.c.number).label("number"))
    newest_of = newest.group_by(publications.c.name).subquery()
    statement = (
        select(*columns_in(connection, publications))
        .join(newest_of, newest_of.c.name == publications.c.name)
        .where(publications.c.number == newest_of.c.number)
        .order_by(publications.c.name)
        .limit(limit)
    )
    if after is not None:
        statement = statement.where(publications.c.name > after)
    return [_row(row) for row in connection.execute(statement)]


def read_price_book(
    connection: Connection, name: str, number: int | None = None
) -> PriceBookRow | None:
    """A book's newest publication, or the one with this number; None if there is none."""
    statement = (
        select(*columns_in(connection, publications))
        .where(publications.c.name == name)
        .order_by(publications.c.number.desc())
        .limit(1)
    )
    if number is not None:
        statement = statement.where(publications.c.number == number)
    row = connection.execute(statement).one_or_none()
    return None if row is None else _row(row)


def _row(row: Row[Any]) -> PriceBookRow:
    prices = Prices.model_validate_json(row.prices)
    return PriceBookRow(
        **dict(prices),
        name=row.name,
        number=row.number,
        published_at=from_micros(row.published_at),
        version=row.version,
    )
