"""Reads a bill from the service: a statement, and exactly the lines that add up to it."""

from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import quote

from scripts.cli import screen
from scripts.cli.client import Body, ServiceClient, ServiceProblem
from scripts.cli.failure import Failure

TRIES = 5
REMEDIES = {
    "price_book_not_found": "`tally prices list` tells which there are; `tally prices publish` "
    "makes one.",
    "no_price": "Publish the book again with a price for it. `tally prices show` tells what the "
    "book says,\nand `tally prices example` has prices for claims and for holds.",
    "bad_period": "A period is a year, a month or a day: 2026, 2026-01 or 2026-01-31.",
    "invalid_parameter": "A period is a year, a month or a day: 2026, 2026-01 or 2026-01-31.",
}


@dataclass(frozen=True, slots=True)
class Bill:
    """`statement` and `lines` are as the service tells them; `providers` gives names by id, of
    those that are not deleted."""

    statement: Body
    lines: list[Body]
    providers: dict[str, str]

    def provider(self, id: str) -> str:
        return self.providers.get(id, id)


def read_bill(
    client: ServiceClient, project: str, period: str, book: str, number: int | None
) -> Bill:
    """Both reads tell of the same moment and the same publication of the book.

    Only what was written in between with a time of the past makes them differ: then both are read
    again.
    """
    path = f"/v1/statements/{quote(period, safe='')}"
    for _ in range(TRIES):
        statement = _get(client, path, project, book, number)
        lines = _lines(client, path, statement)
        if adds_up(statement, lines):
            return Bill(statement, lines, _names(client, statement))
        screen.note("The ledger moved on between the statement and its lines; reading both again.")
    raise Failure(
        f"the lines of the statement did not add up to its total in {TRIES} tries",
        "Somebody writes into this period all the while. Try again later.",
    )


def adds_up(statement: Body, lines: list[Body]) -> bool:
    total = sum((Decimal(line["amount"]) for line in lines), Decimal(0))
    return len(lines) == statement["lines"] and total == Decimal(statement["total"])


def _get(client: ServiceClient, path: str, project: str, book: str, number: int | None) -> Body:
    try:
        return client.get(path, project_id=project, price_book=book, number=number)
    except ServiceProblem as problem:
        raise Failure(problem.what, REMEDIES.get(problem.code, "")) from None


def _lines(client: ServiceClient, path: str, statement: Body) -> list[Body]:
    pinned = {
        "project_id": statement["project_id"],
        "price_book": statement["price_book"],
        "number": statement["price_book_number"],
        "until": statement["until"],
    }
    return list(client.pages(f"{path}/lines", **pinned))


def _names(client: ServiceClient, statement: Body) -> dict[str, str]:
    """Ids are what bills are made with, names are what people know providers by."""
    if not statement["by_provider"]:
        return {}
    return {one["id"]: one["name"] for one in client.pages("/v1/providers")}
