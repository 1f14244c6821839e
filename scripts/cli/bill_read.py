"""Reads a bill from the service: a statement, and exactly the lines that add up to it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import quote

from scripts.cli.client import Body, ServiceClient, ServiceProblem
from scripts.cli.failure import Failure

REMEDIES = {
    "price_book_not_found": "`tally prices list` tells which there are; `tally prices publish` "
    "makes one.",
    "no_price": "Publish the book again with a price for it. `tally prices show` tells what the "
    "book says,\nand `tally prices example` has prices for claims and for holds.",
    "statement_not_found": "`tally statements list` tells what is closed.",
    "bill_differs": "Tallystick's rules or its read models changed since. What was charged stays "
    "charged;\n--reckoned tells what would be charged now.",
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


@dataclass(frozen=True, slots=True)
class Asked:
    """Which bill. A closed statement is told as it was charged, or by `charge` as it was charged
    before; with a `number`, or `reckoned`, it is told what would be charged now."""

    project: str
    period: str
    book: str
    number: int | None = None
    charge: int | None = None
    reckoned: bool = False


def read_bill(client: ServiceClient, asked: Asked) -> Bill:
    path = f"/v1/statements/{quote(asked.period, safe='')}"
    statement = _statement(client, path, asked)
    # All that a bill depends on: whatever is written meanwhile, these are the statement's lines.
    pinned = {
        "project_id": statement["project_id"],
        "price_book": statement["price_book"],
        "number": statement["price_book_number"],
        "until": statement["until"],
        "position": statement["position"],
    }
    lines = list(client.pages(f"{path}/lines", **pinned))
    return Bill(statement, lines, _names(client, statement))


def _statement(client: ServiceClient, path: str, asked: Asked) -> Body:
    with explained():
        return client.get(
            path,
            project_id=asked.project,
            price_book=asked.book,
            number=asked.number,
            charge=asked.charge,
            reckoned=asked.reckoned or None,
        )


@contextmanager
def explained() -> Iterator[None]:
    """Says what to do about what a service refuses to make a bill of."""
    try:
        yield
    except ServiceProblem as problem:
        raise Failure(problem.what, REMEDIES.get(problem.code, "")) from None


def _names(client: ServiceClient, statement: Body) -> dict[str, str]:
    """Ids are what bills are made with, names are what people know providers by."""
    if not statement["by_provider"]:
        return {}
    return {one["id"]: one["name"] for one in client.pages("/v1/providers")}
