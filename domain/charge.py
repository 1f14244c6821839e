"""A charge: what a bill comes to, and all that it takes to make the very same bill again."""

from __future__ import annotations

from decimal import Decimal
from hashlib import sha256
from typing import Annotated

from pydantic import Field

from domain.currency import CurrencyCode, scale_of
from domain.events import Fact
from domain.rating import RATING, Bill, RatedLine

LINES_AT_ONCE = 1_000


class Charge(Fact):
    """A bill is a function of the log up to `position`, one publication of a price book, and the
    rules of `rating`. `digest` is that of its lines (`digest_of`)."""

    price_book_number: Annotated[int, Field(ge=1)]
    position: Annotated[int, Field(ge=0)]
    rating: Annotated[int, Field(ge=1)]
    currency: CurrencyCode
    total: Decimal
    lines: Annotated[int, Field(ge=0)]
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


def charge_for(bill: Bill, price_book_number: int, position: int) -> Charge:
    return Charge(
        price_book_number=price_book_number,
        position=position,
        rating=RATING,
        currency=bill.currency,
        total=bill.total,
        lines=len(bill.lines),
        digest=digest_of(bill),
    )


def digest_of(bill: Bill) -> str:
    """SHA-256, in hexadecimal, over the bill's lines in their order.

    Each line is text in UTF-8 that ends with a line feed; its fields are separated by tabs:

        position, from, to (microseconds since the epoch), price, provider, resource class, unit,
        flavor (empty where there is none), amount held, unit price, amount

    Unit prices have no zeros at their end, amounts all decimals of the currency.
    """
    digest = sha256()
    scale = scale_of(bill.currency)
    for first in range(0, len(bill.lines), LINES_AT_ONCE):
        some = bill.lines[first : first + LINES_AT_ONCE]
        digest.update("".join(_as_text(line, scale) for line in some).encode())
    return digest.hexdigest()


def _as_text(line: RatedLine, scale: int) -> str:
    part = line.part
    return (
        f"{line.held.position}\t{line.from_at}\t{line.to_at}\t{part.price.name}\t"
        f"{part.provider_id}\t{part.resource_class or ''}\t{part.unit or ''}\t"
        f"{part.flavor or ''}\t{part.amount}\t{line.unit_price.normalize():f}\t"
        f"{line.amount:.{scale}f}\n"
    )
