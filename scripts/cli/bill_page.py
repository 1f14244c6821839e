"""A bill as one page to read and to print."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from scripts.cli.bill_read import Bill
from scripts.cli.bill_show import plain, resource_of
from scripts.cli.bill_sums import Course, Sums, by_provider, sums_of
from scripts.cli.charts import bars, columns, legend_of
from scripts.cli.drawing import Colours, colours_of
from scripts.cli.markup import Markup, element
from scripts.cli.page import facts, page, row
from scripts.cli.screen import second

MOST_LINES = 500
MOST_SUMS = 15
# The columns of the lines, each with its share of the width.
COLUMNS = {"From": 10, "To": 10, "Consumer": 10.5, "Resource": 11.5, "Held": 6.5, "Provider": 12,
           "Price": 13, "Quantity": 9.5, "Unit price": 9, "Amount": 8}  # fmt: skip
NUMBERS = (4, 7, 8, 9)


def to_html(bill: Bill) -> bytes:
    statement = bill.statement
    title = f"Bill of {statement['project_id']} for {statement['period']}"
    return page(title, _head(statement), *_sums(bill), _explained(statement), *_lines(bill))


def _head(statement: dict[str, Any]) -> Markup:
    start, until = second(statement["from_at"]), second(statement["until"])
    state: str = "complete"
    if statement["state"] == "open":
        state = element("span", "open: not over yet", class_="open")
    rows = {
        "Period": statement["period"],
        "Covers": f"{start} to {until} UTC",
        "State": state,
        "Price book": f"{statement['price_book']}, number {statement['price_book_number']}",
    }
    return element(
        "header",
        element("div", element("h1", statement["project_id"]), facts(rows)),
        element(
            "div",
            element("div", "Total", class_="soft"),
            element("div", f"{_money(statement['total'])} {statement['currency']}", class_="total"),
            element("div", f"{statement['lines']:,} lines", class_="soft"),
            class_="sum",
        ),
    )


def _sums(bill: Bill) -> list[Markup]:
    statement = bill.statement
    if not bill.lines:
        return [element("p", "The project held nothing that is charged in this period.")]
    by_resource = sums_of(statement["by_resource"])
    colours = colours_of([name for name, _ in by_resource])
    shown = sums_of(statement["by_resource"], MOST_SUMS)
    return [
        element("h2", "By resource"),
        element("figure", bars("Amount by resource", shown, colours)),
        *_course(bill, colours),
        element(
            "div",
            _table_of_sums("Price", sums_of(statement["by_price"], MOST_SUMS), statement),
            _table_of_sums("Provider", by_provider(bill, MOST_SUMS), statement),
            class_="columns",
        ),
    ]


def _course(bill: Bill, colours: Colours) -> list[Markup]:
    course = Course(bill)
    labels = [course.label(place) for place in range(len(course.amounts))]
    until = datetime.fromisoformat(bill.statement["until"])
    begun = sum(1 for start in course.starts[:-1] if start < until)
    title = f"Amount per {course.step}"
    caption = "What a line costs is spread evenly over its time. Times are in UTC."
    return [
        element("h2", f"By {course.step}, in {bill.statement['currency']}"),
        element(
            "figure",
            columns(title, labels, course.amounts, colours, begun=begun),
            legend_of(colours),
            element("figcaption", caption),
        ),
    ]


def _table_of_sums(what: str, sums: Sums, statement: dict[str, Any]) -> Markup:
    rows = [row("td", name, f"{amount:,}", numbers=(1,)) for name, amount in sums]
    return element(
        "section",
        element("h2", f"By {what.lower()}"),
        element(
            "table",
            element("thead", row("th", what, statement["currency"], numbers=(1,))),
            element("tbody", *rows),
            element("tfoot", row("td", "Total", _money(statement["total"]), numbers=(1,))),
        ),
    )


def _explained(statement: dict[str, Any]) -> Markup:
    until = second(statement["until"])
    publication = f"{statement['price_book']}, number {statement['price_book_number']}"
    source = (
        f"From what the project held until {until} UTC, and price book {publication}. That "
        "publication is kept, so that the bill can be made again."
    )
    amounts = (
        "Quantity × unit price, exactly; four decimals of the quantity are shown. Tiers and free "
        "quantities count from the beginning of each calendar month, in UTC."
    )
    rounding = (
        "Rounded so that the lines add up to the total: each line is what the rounded sum since "
        "the beginning of the month grows by."
    )
    return element(
        "section",
        element("h2", "How it was worked out"),
        element("ul", *(element("li", sentence) for sentence in (source, amounts, rounding))),
        class_="whole",
    )


def _lines(bill: Bill) -> list[Markup]:
    if not bill.lines:
        return []
    shown = bill.lines[:MOST_LINES]
    widths = [element("col", style=f"width: {width}%") for width in COLUMNS.values()]
    table = element(
        "table",
        element("colgroup", *widths),
        element("thead", row("th", *COLUMNS, numbers=NUMBERS)),
        element("tbody", *(_line(bill, line) for line in shown)),
        class_="lines",
    )
    return [element("h2", "Lines"), *_rest(bill, len(shown)), table]


def _rest(bill: Bill, shown: int) -> list[Markup]:
    """Before the table, as nobody reads on after five hundred lines."""
    if shown == len(bill.lines):
        return []
    said = (
        f"These are the first {shown:,} of {len(bill.lines):,} lines. The others are in the sums "
        "and charts above; all lines are in the file that the options --csv and --parquet of "
        "the same command write."
    )
    return [element("p", said, class_="note")]


def _line(bill: Bill, line: dict[str, Any]) -> Markup:
    hold = " (hold)" if line["status"] == "hold" else ""
    return row(
        "td",
        _moment(line["from_at"]),
        _moment(line["to_at"]),
        line["consumer_id"] + hold,
        resource_of(line),
        f"{line['amount_held']:,}",
        bill.provider(line["provider_id"]),
        line["price"],
        plain(f"{Decimal(line['quantity']):.4f}"),
        f"{plain(line['unit_price'])} / {line['per']}",
        line["amount"],
        numbers=NUMBERS,
    )


def _moment(text: str) -> Markup:
    """The year is in the head of the page."""
    moment = datetime.fromisoformat(text)
    return element("span", moment.strftime("%m-%d %H:%M"), title=text, class_="moment")


def _money(amount: str) -> str:
    return f"{Decimal(amount):,}"
