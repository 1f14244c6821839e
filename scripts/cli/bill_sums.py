"""A bill's amounts, put together as people look at them: the greatest first."""

from collections import defaultdict
from datetime import datetime, timedelta
from decimal import Decimal

from scripts.cli.bill_read import Bill

Sums = list[tuple[str, Decimal]]
"""Amounts by name, the greatest first."""

STEP_OF = {4: "month", 7: "day", 10: "hour"}
"""By the length of a period as it is written: the step at which its course is told."""
LABELS = {"month": "%b", "hour": "%H"}


def sums_of(by_name: dict[str, str], most: int | None = None) -> Sums:
    """With `most`, what comes after so many is one sum, so that all still add up."""
    amounts = [(name, Decimal(amount)) for name, amount in by_name.items()]
    amounts.sort(key=lambda one: (-one[1], one[0]))
    if most is None or len(amounts) <= most:
        return amounts
    rest = amounts[most - 1 :]
    others = sum((amount for _, amount in rest), Decimal(0))
    return [*amounts[: most - 1], (f"{len(rest):,} others", others)]


def by_provider(bill: Bill, most: int | None = None) -> Sums:
    named = sums_of(bill.statement["by_provider"], most)
    return [(bill.provider(id), amount) for id, amount in named]


class Course:
    """How much of each resource fell into each step of the period: a year's months, a month's days
    or a day's hours. What a line costs is spread evenly over its time; this is for charts, and
    no money is made of it."""

    def __init__(self, bill: Bill) -> None:
        statement = bill.statement
        self.step = STEP_OF[len(statement["period"])]
        self.starts = _starts(_moment(statement["from_at"]), self.step)
        self.amounts: list[dict[str, float]] = [defaultdict(float) for _ in self.starts[1:]]
        edges = [start.timestamp() for start in self.starts]
        for line in bill.lines:
            self._add(edges, line["resource"], line["from_at"], line["to_at"], line["amount"])

    def _add(
        self, edges: list[float], resource: str, from_at: str, to_at: str, amount: str
    ) -> None:
        from bisect import bisect_right

        start, end = _moment(from_at).timestamp(), _moment(to_at).timestamp()
        if end <= start:
            return
        per_second = float(amount) / (end - start)
        for place in range(max(0, bisect_right(edges, start) - 1), len(self.amounts)):
            if edges[place] >= end:
                return
            seconds = min(end, edges[place + 1]) - max(start, edges[place])
            self.amounts[place][resource] += per_second * seconds

    def label(self, place: int) -> str:
        start = self.starts[place]
        return str(start.day) if self.step == "day" else start.strftime(LABELS[self.step])


def _starts(start: datetime, step: str) -> list[datetime]:
    """Where each step begins, and where the last one ends."""
    if step == "hour":
        return [start + timedelta(hours=n) for n in range(25)]
    if step == "month":
        return [*(start.replace(month=n) for n in range(1, 13)), start.replace(year=start.year + 1)]
    end = (start + timedelta(days=32)).replace(day=1)
    return [start + timedelta(days=n) for n in range((end - start).days + 1)]


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
