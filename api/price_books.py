"""Price books: dated prices. Each publication is numbered and kept, and bills name theirs."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import Query, Request
from pydantic import ConfigDict
from starlette.responses import Response

from api.openapi import noun, reads, writes
from api.paging import Cursor, CursorText, Limit, Page
from api.reads import house_of, not_found, tagged
from api.writes import Write, shows
from domain import billing
from domain.books import Books
from domain.price_book import PriceBook, Prices
from domain.values import LARGEST, PriceBookName
from projections import price_books
from projections.price_books import PriceBookRow

router = noun("price books")

Number = Annotated[
    int | None, Query(ge=1, le=LARGEST, description="An older publication; else the newest.")
]


class PriceBookBody(Prices):
    """All that the book says from now on."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "currency": "EUR",
                    "prices": [
                        {
                            "name": "CPU",
                            "target": {"kind": "class", "resource_class": "VCPU"},
                            "per": "hour",
                            "tiers": [{"price": "0.02"}],
                            "applies_to": ["claim", "hold"],
                        }
                    ],
                }
            ]
        }
    )

    def prices_only(self) -> Prices:
        return Prices(currency=self.currency, month_rule=self.month_rule, prices=self.prices)


class PriceBookView(PriceBookRow):
    """One publication of a book; `number` counts them from 1."""


def price_book_view(book: PriceBook) -> PriceBookView:
    newest = book.publication()
    return PriceBookView(
        **dict(newest.prices),
        name=book.id,
        number=newest.number,
        published_at=newest.at,
        version=book.version,
    )


_published = shows(price_book_view, created=201, under="/v1/price-books")

_cursor: Cursor[str] = Cursor("price books", str)


@router.get("/v1/price-books", response_model=Page[PriceBookView], **reads(paged=True))
async def list_price_books(
    request: Request, limit: Limit = 100, cursor: CursorText = None
) -> Response:
    """The newest publication of each book, by name."""
    after = _cursor.find(cursor)
    rows = await house_of(request).query(
        lambda connection: price_books.read_price_books(connection, after=after, limit=limit + 1),
        "price_books",
    )
    return _cursor.page(rows, limit, lambda row: row.name)


@router.get(
    "/v1/price-books/{name}",
    response_model=PriceBookView,
    **reads("price_book_not_found", tagged=True),
)
async def read_price_book(request: Request, name: PriceBookName, number: Number = None) -> Response:
    """A book's newest publication, or the one with this number."""
    row = await find_price_book(request, name, number)
    return tagged(request, row, row.version)


async def find_price_book(request: Request, name: str, number: int | None) -> PriceBookRow:
    row = await house_of(request).query(
        lambda connection: price_books.read_price_book(connection, name, number), "price_books"
    )
    if row is None:
        raise not_found("price_book", name if number is None else f"{name} with number {number}")
    return row


@router.put(
    "/v1/price-books/{name}",
    response_model=PriceBookView,
    **writes("unknown_resource_class", also=201, conditional=True),
)
async def publish_price_book(write: Write, name: PriceBookName, body: PriceBookBody) -> Response:
    """Publish prices; earlier publications are kept, and can still be billed by."""
    if_match = write.if_match()
    prices = body.prices_only()

    def use_case(books: Books, at: datetime) -> PriceBook:
        expected = if_match.expected(books.get(PriceBook, name))
        return billing.publish_prices(books, at, name, prices, expected)

    return await write.record(use_case, _published, (f"price_book:{name}",))
