"""Reads what every project has to pay by two price books, all as of one position of the log."""

from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple
from urllib.parse import quote

from scripts.cli.client import Body, ServiceClient
from scripts.cli.reckoned_pages import reckoned_pages


class Books(NamedTuple):
    """Two publications; without a number it is the newest."""

    name: str
    number: int | None
    other: str
    other_number: int | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """The service's answer, all pages in one."""

    answer: Body

    @property
    def projects(self) -> list[Body]:
        """The greatest differences first."""
        items: list[Body] = self.answer["items"]
        return sorted(items, key=lambda one: (-abs(Decimal(one["difference"])), one["project_id"]))

    @property
    def names(self) -> tuple[str, str]:
        """Of the two, with their numbers where both are of one book."""
        told = self.answer
        name, other = told["price_book"], told["other_price_book"]
        if name != other:
            return name, other
        return (
            f"{name}, number {told['price_book_number']}",
            f"{other}, number {told['other_price_book_number']}",
        )

    def sum_of(self, what: str) -> Decimal:
        return sum((Decimal(one[what]) for one in self.answer["items"]), Decimal(0))


def read_comparison(
    client: ServiceClient, period: str, books: Books, project: str | None
) -> Comparison:
    pages = list(
        reckoned_pages(
            client,
            f"/v1/statements/{quote(period, safe='')}/comparison",
            price_book=books.name,
            number=books.number,
            other=books.other,
            other_number=books.other_number,
            project_id=project,
        )
    )
    answer = {**pages[0], "items": [item for page in pages for item in page["items"]]}
    del answer["next"]
    return Comparison(answer)
