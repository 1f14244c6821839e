"""Two price books side by side, as a page: what each project has to pay by either."""

from decimal import Decimal

from scripts.cli.charts import bars
from scripts.cli.client import Body
from scripts.cli.comparison_read import Comparison
from scripts.cli.comparison_show import SUMS, share_of
from scripts.cli.drawing import legend
from scripts.cli.markup import Markup, element
from scripts.cli.page import facts, page, row
from scripts.cli.screen import second

MOST_BARS = 15
NUMBERS = (1, 2, 3, 4)


def to_html(found: Comparison) -> bytes:
    name, other = found.names
    title = f"{name} and {other} for {found.answer['period']}"
    return page(title, _head(found, title), *_chart(found), *_projects(found), *_resources(found))


def _head(found: Comparison, title: str) -> Markup:
    told = found.answer
    difference = found.sum_of("difference")
    rows = {
        "Covers": f"{second(told['from_at'])} to {second(told['until'])} UTC",
        "Rests on": f"position {told['position']:,} of the log",
        "First": f"{told['price_book']}, number {told['price_book_number']}",
        "Second": f"{told['other_price_book']}, number {told['other_price_book_number']}",
    }
    return element(
        "header",
        element("div", element("h1", title), facts(rows)),
        element(
            "div",
            element("div", "Difference", class_="soft"),
            element("div", f"{difference:+,} {told['currency']}", class_="total"),
            element("div", share_of(difference, found.sum_of("total")), class_="soft"),
            class_="sum",
        ),
    )


def _chart(found: Comparison) -> list[Markup]:
    """Two bars for each project, the greatest differences first."""
    name, other = found.names
    sums, colours = [], {}
    for one in found.projects[:MOST_BARS]:
        for colour, book, what in (("c0", name, "total"), ("c1", other, "other_total")):
            label = f"{one['project_id']}, {book}"
            sums.append((label, Decimal(one[what])))
            colours[label] = colour
    if not sums:
        return [element("p", "Nobody held anything in this period.")]
    return [
        element("h2", f"By project, in {found.answer['currency']}"),
        element(
            "figure",
            bars("Amount by project and price book", sums, colours),
            legend([(name, "c0"), (other, "c1")]),
            element("figcaption", "The projects with the greatest differences."),
        ),
    ]


def _projects(found: Comparison) -> list[Markup]:
    sums = {what: str(found.sum_of(what)) for what in SUMS}
    return _table(found, "Project", [(one["project_id"], one) for one in found.projects], sums)


def _resources(found: Comparison) -> list[Markup]:
    """What makes the difference: all projects together."""
    by_resource: dict[str, Body] = {}
    for project in found.answer["items"]:
        for name, one in project["by_resource"].items():
            sums = by_resource.setdefault(name, dict.fromkeys(SUMS, Decimal(0)))
            for what in SUMS:
                sums[what] += Decimal(one[what])
    return _table(found, "Resource", sorted(by_resource.items()), None)


def _table(
    found: Comparison, what: str, rows: list[tuple[str, Body]], sums: Body | None
) -> list[Markup]:
    if not rows:
        return []
    heads = (what, *found.names, "Difference", "Share")
    foot = [] if sums is None else [element("tfoot", _row("All projects", sums))]
    return [
        element("h2", f"By {what.lower()}"),
        element(
            "table",
            element("thead", row("th", *heads, numbers=NUMBERS)),
            element("tbody", *(_row(name, one) for name, one in rows)),
            *foot,
        ),
    ]


def _row(name: str, one: Body) -> Markup:
    total, other, more = (Decimal(one[what]) for what in SUMS)
    cells = (name, f"{total:,}", f"{other:,}", f"{more:+,}", share_of(more, total))
    return row("td", *cells, numbers=NUMBERS)
