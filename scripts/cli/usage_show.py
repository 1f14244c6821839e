"""Use and costs over time on the screen: totals, and their course in a line of small columns."""

from decimal import Decimal

from scripts.cli import screen
from scripts.cli.span import covered
from scripts.cli.usage_read import OverTime, Series, added_up, in_order, most_of

MOST_ROWS = 40


def show_use(found: OverTime, by: str) -> None:
    """`by`: project, class or flavor."""
    _head(found)
    if not found.series:
        screen.say("Nothing was held in this time.")
        return
    what = "flavor" if by == "flavor" else "class"
    rows = most_of(_use_rows(found, by), MOST_ROWS)
    columns = (*(("project",) if by == "project" else ()), what, "claims", "holds", "over time")
    screen.table(
        columns,
        (
            (
                *((one.project,) if by == "project" else ()),
                one.name,
                hours(one.total),
                hours(one.held),
                screen.sparkline([float(amount) for amount in one.together]),
            )
            for one in rows
        ),
        right=("claims", "holds"),
    )
    of = "flavors" if by == "flavor" else "amounts"
    screen.say(f"Claims and holds in {of} × hours; the line has a column for each {found.step}.")


def show_costs(found: OverTime, by: str) -> None:
    """`by`: project, class or price."""
    _head(found)
    currency = str(found.answer["currency"])
    book = f"{found.answer['price_book']}, number {found.answer['price_book_number']}"
    screen.say(f"price book  {book}")
    rows = added_up(found.series, by_project=by == "project")
    total = sum((one.total for one in rows), Decimal(0))
    screen.say(f"total       {total:,} {currency}")
    if not rows:
        screen.say("Nothing was held in this time.")
        return
    what = "resource" if by == "class" else by
    screen.table(
        (what, currency, "share", "over time"),
        (
            (
                one.project or one.name,
                f"{one.total:,}",
                screen.bar(float(one.total), float(total)) if total else "",
                screen.sparkline([float(amount) for amount in one.amounts]),
            )
            for one in most_of(rows, MOST_ROWS)
        ),
        right=(currency,),
    )


def _use_rows(found: OverTime, by: str) -> list[Series]:
    """Amounts of different classes are never compared: within a class, the greatest first."""
    if by != "project":
        return sorted(added_up(found.series, by_project=False), key=lambda one: one.name)
    return sorted(in_order(found.series), key=lambda one: one.name)


def _head(found: OverTime) -> None:
    screen.say(f"time        {covered(found.edges)}, by {found.step}")


def hours(amount: Decimal) -> str:
    """Two decimals are enough, but for very little."""
    return f"{amount:,.2f}" if amount >= 1 or not amount else f"{amount:.4f}"
