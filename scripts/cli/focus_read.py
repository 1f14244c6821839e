"""Reads what was charged for a period, statement by statement, as rows of FOCUS."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import quote

from domain.period import Period, period_of
from scripts.cli.bill_read import explained
from scripts.cli.client import Body, ServiceClient
from scripts.cli.focus_rows import Charged, Cloud, Row, credit_of, row_of
from scripts.cli.reckoned_pages import reckoned_pages


@dataclass(frozen=True)
class Export:
    """Of one project, or all of them. With `only_closed`, only what was charged."""

    client: ServiceClient
    text: str
    book: str
    project: str | None
    only_closed: bool
    cloud: Cloud

    def statements(self) -> list[Body]:
        """By project: the newest charge of a closed one, the total of one that is not."""
        closed = self.client.pages(
            "/v1/statements", period=self.text, price_book=self.book, project_id=self.project
        )
        found = {one["project_id"]: one for one in closed}
        if not self.only_closed:
            for page in reckoned_pages(
                self.client,
                f"{self._path}/totals",
                price_book=self.book,
                project_id=self.project,
            ):
                for total in page["items"]:
                    found.setdefault(total["project_id"], page | total)
        return [found[name] for name in sorted(found)]

    def rows(self, one: Body) -> Iterator[Row]:
        """Of a closed statement all charges with their credits, so that they add up to the newest;
        of one that is not, what its total is made of."""
        if "charge" not in one:
            pinned = {
                "number": one["price_book_number"],
                "until": one["until"],
                "position": one["position"],
            }
            charged = self._charged(one["project_id"], 0, pinned)
            yield from (row_of(charged, line) for line in self._lines(charged, pinned))
            return
        before: Charged | None = None
        for number in range(1, one["number"] + 1):
            told = {"charge": number}
            charged = self._charged(one["project_id"], number, told)
            if before is not None:
                earlier = {"charge": number - 1}
                for line in self._lines(before, earlier):
                    yield credit_of(charged, line, before)
            for line in self._lines(charged, told):
                yield row_of(charged, line)
            before = charged

    # --- Calls ------------------------------------------------------------------------------------

    @property
    def _path(self) -> str:
        return f"/v1/statements/{quote(self.text, safe='')}"

    @cached_property
    def _period(self) -> Period:
        return period_of(self.text)

    @cached_property
    def _names(self) -> dict[str, str]:
        return {one["id"]: one["name"] for one in self.client.pages("/v1/providers")}

    @cached_property
    def _amounts(self) -> dict[int, dict[str, int]]:
        """By publication and price."""
        return {}

    def _charged(self, project_id: str, number: int, pinned: Body) -> Charged:
        with explained():
            statement = self.client.get(
                self._path, project_id=project_id, price_book=self.book, **pinned
            )
        reason = statement["charges"][number - 1]["reason"] if number else None
        return Charged(
            statement=statement,
            period=self._period,
            number=number,
            reason=reason,
            digest=statement["digest"],
            cloud=self.cloud,
            amounts=self._amounts_of(statement["price_book_number"]),
            names=self._names,
        )

    def _amounts_of(self, number: int) -> dict[str, int]:
        if number not in self._amounts:
            path = f"/v1/price-books/{quote(self.book, safe='')}"
            book = self.client.get(path, number=number)
            self._amounts[number] = {one["name"]: one["amount"] for one in book["prices"]}
        return self._amounts[number]

    def _lines(self, charged: Charged, pinned: Body) -> Iterator[Body]:
        project_id = charged.statement["project_id"]
        with explained():
            yield from self.client.pages(
                f"{self._path}/lines", project_id=project_id, price_book=self.book, **pinned
            )


def rows_in(statement: Body) -> int:
    """At least so many rows come of it; more where it was corrected."""
    return int(statement["charge"]["lines"] if "charge" in statement else statement["lines"])
