"""Reads use and costs over time from the service, so that all of it is of the same time."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, NamedTuple

from scripts.cli import screen
from scripts.cli.bill_read import REMEDIES as BILL_REMEDIES
from scripts.cli.client import PAGE, Body, ServiceClient, ServiceProblem
from scripts.cli.failure import Failure
from scripts.cli.span import Span, failure_of

NOTHING = Decimal(0)
# Costs are reckoned as they are asked for, so of fewer projects at a time.
PAGES = {"/v1/usage": PAGE, "/v1/costs": 100}


@dataclass(frozen=True, slots=True)
class Series:
    """One thing of one project: an amount for each step. Of costs, `holds` is empty."""

    project: str
    name: str
    amounts: list[Decimal]
    holds: list[Decimal] = field(default_factory=list)

    @property
    def total(self) -> Decimal:
        return sum(self.amounts, NOTHING)

    @property
    def held(self) -> Decimal:
        return sum(self.holds, NOTHING)

    @property
    def together(self) -> list[Decimal]:
        """Claims and holds."""
        if not self.holds:
            return self.amounts
        return [a + b for a, b in zip(self.amounts, self.holds, strict=True)]


@dataclass(frozen=True, slots=True)
class OverTime:
    """What the service told: its own answer (all pages in one) and the series of it."""

    answer: Body
    series: list[Series]

    @property
    def edges(self) -> list[str]:
        return list(self.answer["edges"])

    @property
    def step(self) -> str:
        return str(self.answer["step"])


def read_use(client: ServiceClient, span: Span, by: str, project: str | None) -> OverTime:
    """`by` is resource_class or flavor. Amount × hours, of each project."""
    return _read(client, "/v1/usage", span, "use", by=by, project_id=project)


class Book(NamedTuple):
    """A publication of a price book; without a number it is the newest."""

    name: str
    number: int | None


def read_costs(
    client: ServiceClient, span: Span, by: str, project: str | None, book: Book
) -> OverTime:
    """`by` is resource or price. Amounts in the book's currency, of each project."""
    facts = {"by": by, "project_id": project, "price_book": book.name, "number": book.number}
    return _read(client, "/v1/costs", span, "costs", **facts)


def pinned(span: Span, found: OverTime) -> Span:
    """The same time for what is read next."""
    return replace(span, until=found.edges[-1])


def _read(client: ServiceClient, path: str, span: Span, kind: str, **facts: Any) -> OverTime:
    pages = list(_pages(client, path, span, facts))
    items = [item for page in pages for item in page["items"]]
    answer = {**pages[0], "items": items}
    del answer["next"]
    return OverTime(answer, [one for item in items for one in _series(item, kind)])


def _pages(client: ServiceClient, path: str, span: Span, facts: dict[str, Any]) -> Iterator[Body]:
    """The first page says what now is, and which book is the newest; the others keep to it."""
    cursor: str | None = None
    told = 0
    while True:
        try:
            page = client.get(path, **span.parameters(), **facts, limit=PAGES[path], cursor=cursor)
        except ServiceProblem as problem:
            if remedy := BILL_REMEDIES.get(problem.code) if path == "/v1/costs" else None:
                raise Failure(problem.what, remedy) from None
            raise failure_of(problem) from None
        yield page
        cursor = page["next"]
        if cursor is None:
            return
        span = replace(span, until=page["edges"][-1])
        if "price_book_number" in page:
            facts = {**facts, "number": page["price_book_number"], "position": page["position"]}
        told += len(page["items"])
        screen.note(f"{told:,} projects are read.")


def _series(item: Body, kind: str) -> Iterator[Series]:
    for one in item[kind]:
        amounts = one["claims"] if kind == "use" else one["amounts"]
        yield Series(
            item["project_id"],
            one["name"],
            [Decimal(amount) for amount in amounts],
            [Decimal(amount) for amount in one.get("holds", ())],
        )


# --- Put together ---------------------------------------------------------------------------------


def added_up(series: Iterable[Series], *, by_project: bool) -> list[Series]:
    """Those of one project, or else those of one name, as one. The greatest first."""
    groups: dict[str, list[Series]] = defaultdict(list)
    for one in series:
        groups[one.project if by_project else one.name].append(one)
    found = [
        Series(
            name if by_project else "",
            "" if by_project else name,
            _sums([one.amounts for one in group]),
            _sums([one.holds for one in group]),
        )
        for name, group in groups.items()
    ]
    return in_order(found)


def in_order(series: Iterable[Series]) -> list[Series]:
    return sorted(series, key=lambda one: (-one.total - one.held, one.project, one.name))


def most_of(series: list[Series], most: int) -> list[Series]:
    """With more than so many, those after the first ones are one, so that all still add up."""
    if len(series) <= most:
        return series
    rest = series[most - 1 :]
    others = f"{len(rest):,} others"
    one = Series(
        others, others, _sums([one.amounts for one in rest]), _sums([one.holds for one in rest])
    )
    return [*series[: most - 1], one]


def _sums(rows: list[list[Decimal]]) -> list[Decimal]:
    return [sum(step, NOTHING) for step in zip(*rows, strict=True)]
