"""Closes and corrects the statements of a period, project by project."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import quote

from scripts.cli.bill_read import explained
from scripts.cli.client import Body, ServiceClient, ServiceProblem, Write
from scripts.cli.progress import progress
from scripts.cli.reckoned_pages import reckoned_pages


@dataclass(frozen=True, slots=True)
class Run:
    """Over one project, or all of them."""

    client: ServiceClient
    period: str
    book: str
    project: str | None

    def close(self, number: int | None) -> list[Body]:
        """The statements that this closed; those that were closed already are not among them."""
        projects = [one["project_id"] for one in self._totals(number) if one["charged"] is None]
        closed = []
        with progress("closing", len(projects)) as advance:
            for project_id in projects:
                body = {"project_id": project_id, "price_book": self.book, "number": number}
                if told := self._write("close", body, unless="period_closed"):
                    closed.append(told)
                advance()
        return closed

    def differences(self, number: int | None) -> Iterator[Body]:
        """What was charged beside what the log says now, where the bills are not the same."""
        charged = list(
            self.client.pages(
                "/v1/statements",
                period=self.period,
                price_book=self.book,
                project_id=self.project,
            )
        )
        with progress("comparing", len(charged)) as advance:
            for one in charged:
                by = number or one["charge"]["price_book_number"]
                now = self._statement(one["project_id"], by)
                if now["digest"] != one["charge"]["digest"]:
                    yield _difference(one, now)
                advance()

    def correct(self, differences: list[Body], reason: str) -> list[Body]:
        corrected = []
        with progress("correcting", len(differences)) as advance:
            for one in differences:
                body = {
                    "project_id": one["project_id"],
                    "price_book": self.book,
                    "number": one["price_book_number"],
                    "reason": reason,
                }
                if told := self._write("correct", body, unless="nothing_to_correct"):
                    corrected.append(told)
                advance()
        return corrected

    # --- Calls ------------------------------------------------------------------------------------

    @property
    def _path(self) -> str:
        return f"/v1/statements/{quote(self.period, safe='')}"

    def _totals(self, number: int | None) -> Iterator[Body]:
        for page in reckoned_pages(
            self.client,
            f"{self._path}/totals",
            price_book=self.book,
            project_id=self.project,
            number=number,
        ):
            yield from page["items"]

    def _statement(self, project_id: str, number: int) -> Body:
        with explained():
            return self.client.get(
                self._path, project_id=project_id, price_book=self.book, number=number
            )

    def _write(self, what: str, body: Body, unless: str) -> Body | None:
        """None where somebody else did it meanwhile."""
        with explained():
            try:
                return self.client.write(Write("POST", f"{self._path}/{what}", body))
            except ServiceProblem as problem:
                if problem.code != unless:
                    raise
                return None


def _difference(charged: Body, now: Body) -> Body:
    before = charged["charge"]
    return {
        "project_id": charged["project_id"],
        "charged": before["total"],
        "reckoned": now["total"],
        "difference": str(Decimal(now["total"]) - Decimal(before["total"])),
        "currency": now["currency"],
        "lines_charged": before["lines"],
        "lines_reckoned": now["lines"],
        "price_book_number": now["price_book_number"],
        "position": now["position"],
    }
