"""The use cases of billing: to publish prices, to close a statement, and to correct one."""

from __future__ import annotations

from datetime import datetime

from domain.books import Books
from domain.charge import Charge
from domain.closed_statements import ClosedStatements
from domain.known_names import require_classes
from domain.price import FlavorTarget
from domain.price_book import PriceBook, Prices


def publish_prices(
    books: Books, at: datetime, name: str, prices: Prices, expected: int | None = None
) -> PriceBook:
    """Say what a book's prices are from now on; its earlier publications are kept."""
    book = books.get(PriceBook, name)
    book.require_version(expected)
    require_classes(
        books,
        (
            price.target.resource_class
            for price in prices.prices
            if not isinstance(price.target, FlavorTarget)
        ),
    )
    books.record(book.publish(at, prices))
    return book


def close_statement(
    books: Books, at: datetime, *, project_id: str, price_book: str, period: str, charge: Charge
) -> ClosedStatements:
    """Charge the project for a period that is over. `charge` is of the book's publication that it
    names, and of a position that the log has reached."""
    statements = _statements(books, price_book, project_id)
    books.record(statements.close(at, project_id, price_book, period, charge))
    return statements


def correct_statement(
    books: Books,
    at: datetime,
    *,
    project_id: str,
    price_book: str,
    period: str,
    charge: Charge,
    reason: str,
) -> ClosedStatements:
    """Take back what was charged for a closed period, and charge this."""
    statements = _statements(books, price_book, project_id)
    books.record(statements.correct(at, period, charge, reason))
    return statements


def _statements(books: Books, price_book: str, project_id: str) -> ClosedStatements:
    return books.get(ClosedStatements, ClosedStatements.id_of(price_book, project_id))
